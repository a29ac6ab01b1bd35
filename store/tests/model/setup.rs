//! The start of a case: the jobs, in Redis and in the model.

use crate::call::T;
use crate::memory::{Job, Kind};
use crate::ops::{JOBS, JobPick, OPTIONS};
use crate::run::Run;

impl Run<'_> {
    /// Empties the server and registers the jobs.
    pub(crate) async fn start(&mut self, picks: &[JobPick]) {
        self.part.test.command(&["FLUSHALL"]).await;
        self.model.now = T;
        for ((name, kind), pick) in JOBS.into_iter().zip(picks) {
            let plan: Vec<u64> = if kind == Kind::Cron {
                (1..=6).map(|i| T + 300 + i * 450).collect()
            } else {
                Vec::new()
            };
            let next = (kind != Kind::Manual).then_some(T + 300);
            let period = if kind == Kind::Rate { 800 } else { 600 };
            let tmpl = format!("g i 3 {} of job", OPTIONS[pick.options]);
            self.put(name, kind, pick, (period, next, &plan, &tmpl))
                .await;
            let job = Job {
                kind,
                revision: 1,
                period,
                next,
                plan,
                last: None,
                fired: 0,
                max_runs: pick.max_runs,
                finished: false,
                overlap: pick.overlap,
                misfire: pick.misfire,
                tmpl,
                followed: pick.followed,
            };
            self.model
                .wheel
                .extend(next.map(|next| (format!("@{name}"), next)));
            self.model.jobs.insert(name.to_owned(), job);
        }
    }

    async fn put(
        &self,
        name: &str,
        kind: Kind,
        pick: &JobPick,
        (period, next, plan, tmpl): (u64, Option<u64>, &[u64], &str),
    ) {
        let number =
            |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let misfire = pick.misfire;
        let words = [
            number(Some(period)),
            number(pick.max_runs),
            number(pick.overlap.limit().map(u64::from)),
            number(Some(misfire.limit.into())),
            number(Some(misfire.tolerance_ms)),
            number(misfire.catch_up_window_ms),
            number(next),
            plan.iter()
                .map(u64::to_string)
                .collect::<Vec<_>>()
                .join(" "),
        ];
        let kind = match kind {
            Kind::Rate => "fixed_rate",
            Kind::Delay => "fixed_delay",
            Kind::Cron => "cron",
            Kind::Manual => "manual",
        };
        let followers = if pick.followed {
            "d/follower:ended"
        } else {
            ""
        };
        let fields = [
            ("kind", kind),
            ("period", &words[0]),
            ("max_runs", &words[1]),
            ("overlap", pick.overlap.word()),
            ("overlap_limit", &words[2]),
            ("misfire", misfire.policy.as_str()),
            ("misfire_limit", &words[3]),
            ("tolerance", &words[4]),
            ("catch_up", &words[5]),
            ("next", &words[6]),
            ("plan", &words[7]),
            ("tmpl", tmpl),
            ("followers", followers),
            ("revision", "1"),
            ("ledger_limit", "9999"),
        ];
        self.part.put_job(name, next.unwrap_or(0), &fields).await;
        if next.is_none() {
            self.part
                .test
                .command(&["ZREM", &self.part.key("wheel"), &format!("@{name}")])
                .await;
        }
    }
}
