//! New revisions of a job while contexts of it wait and run.

use tickwheel_core::job::Overlap;

use crate::memory::Kind;
use crate::ops::JOBS;
use crate::run::Run;

/// What job/apply is given, in its order.
const FIELDS: [&str; 18] = [
    "kind",
    "period",
    "anchor",
    "start_at",
    "end_at",
    "max_runs",
    "jitter",
    "misfire",
    "misfire_limit",
    "tolerance",
    "catch_up",
    "overlap",
    "overlap_limit",
    "tmpl",
    "ledger_limit",
    "runs_limit",
    "after",
    "followed_by",
];

impl Run<'_> {
    /// Gives a job another overlap policy and leaves the rest of it as it is.
    pub(crate) async fn change(&mut self, job: usize, overlap: Overlap) {
        let (name, kind) = JOBS[job];
        let now = self.model.now;
        let known = self.model.jobs[name].clone();
        // A plan that ran out is made anew by whoever applies.
        if known.finished || (kind == Kind::Cron && known.next.is_none()) {
            return;
        }
        let state = self.part.state().await;
        let real = &state.hashes[&format!("job:{name}")];
        let revision = known.revision + 1;
        let dues: Vec<String> = (known.next.iter())
            .chain(&known.plan)
            .map(u64::to_string)
            .collect();
        let limit = overlap.limit().map(|limit| limit.to_string());
        let words = [
            now.to_string(),
            name.to_owned(),
            format!("revision {revision}"),
            "spec".to_owned(),
            dues.join(" "),
            "0".to_owned(),
            String::new(),
            String::new(),
        ];
        let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
        for field in FIELDS {
            args.push(field);
            args.push(match field {
                "overlap" => overlap.word(),
                "overlap_limit" => limit.as_deref().unwrap_or_default(),
                _ => real.get(field).map_or("", String::as_str),
            });
        }
        let answer = self.part.answer("job/apply", &args).await;
        assert_eq!(answer[..2], ["UPDATED", &revision.to_string()]);
        let job = self.model.jobs.get_mut(name).unwrap();
        (job.revision, job.overlap) = (revision, overlap);
        match known.next {
            Some(next) => self.model.wheel.insert(format!("@{name}"), next),
            None => self.model.wheel.remove(&format!("@{name}")),
        };
        let ledger = self.model.ledger.entry(name.to_owned()).or_default();
        ledger.push(format!("{now} R {revision}"));
        self.model.let_in(name);
    }
}
