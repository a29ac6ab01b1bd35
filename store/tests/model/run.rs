//! Runs a case: each operation on the scripts and on the model, which must agree after it.

use crate::call::{Part, T};
use crate::harness::Harness;
use crate::invariants::Seen;
use crate::keys::{differences, known};
use crate::memory::{Context, Model};
use crate::ops::{JOBS, JobPick, OPTIONS, OUTCOMES, Op};

/// One case while it runs.
pub(crate) struct Run<'a> {
    pub(crate) part: Part<'a>,
    pub(crate) model: Model,
    seen: Seen,
    count: u32,
}

impl Run<'_> {
    /// A running context and its attempt, or an attempt it does not have.
    fn running(&self, pick: u8, stale: bool) -> (String, u32) {
        let held: Vec<_> = self.model.held.values().collect();
        match held.get(usize::from(pick) % held.len().max(1)) {
            Some(held) => (
                held.context.id.clone(),
                held.context.attempt + u32::from(stale),
            ),
            None => ("3.1.none".to_owned(), 1),
        }
    }

    async fn submit(&mut self, delay: u64, kind: u8, options: usize, keyed: bool) {
        self.count += 1;
        let (group, handler) =
            [("g", "h"), ("g", "i"), ("k", "h"), ("g", "h")][usize::from(kind % 4)];
        let rest = format!(
            "{group} {handler} {} {} b{}",
            kind / 4 % 5,
            OPTIONS[options],
            self.count
        );
        let (when, unique) = (format!("+{delay}"), format!("c-{}", self.count));
        let key = format!("k{}", kind % 2);
        let dedup = if keyed {
            format!("600000 {key}")
        } else {
            String::new()
        };
        let taken = self
            .part
            .submit(self.model.now, &[[&when, &unique, &rest, &dedup]])
            .await;
        let context = Context {
            id: format!("3.{}.{unique}", self.model.now + delay),
            attempt: 0,
            failures: 0,
            rest,
        };
        if keyed && let Some(existing) = self.model.dedup.get(&key) {
            assert_eq!(taken, ["1", existing.as_str()]);
            return;
        }
        assert!(taken.is_empty());
        if keyed {
            self.model.dedup.insert(key, context.id.clone());
        }
        self.model.wheel.extend(context.watch());
        if delay > 0 {
            self.model.wheel.insert(context.member(), context.due());
        } else {
            self.model.put_ready(context);
        }
    }

    async fn fire(&mut self, job: usize) {
        self.count += 1;
        let ((name, _), now, unique) = (JOBS[job], self.model.now, format!("m-{}", self.count));
        let answer = self.part.fire(now, name, &unique).await;
        let rest = self.model.jobs[name].tmpl.clone();
        let context = Context {
            id: format!("3.{now}.{unique}@{name}"),
            attempt: 0,
            failures: 0,
            rest,
        };
        let id = context.id.clone();
        let (expected, record) = match self.model.offer(name, context, "m") {
            Ok(true) => (
                ["STARTED".to_owned(), id.clone()],
                format!("{now} F +0 {id}"),
            ),
            Ok(false) => (
                ["QUEUED".to_owned(), id.clone()],
                format!("{now} F +0 {id}"),
            ),
            Err(reason) => (
                ["SKIPPED".to_owned(), reason.clone()],
                format!("{now} S {reason} +0 {id}"),
            ),
        };
        assert_eq!(answer, expected);
        self.model
            .ledger
            .entry(name.to_owned())
            .or_default()
            .push(record);
    }

    async fn plan(&mut self, steps: &[u64]) {
        let now = self.model.now;
        let job = self.model.jobs.get_mut("d/cron").unwrap();
        if job.finished {
            return;
        }
        let text = |time: Option<u64>| time.map(|time| time.to_string()).unwrap_or_default();
        let seen = (text(job.next), text(job.plan.last().copied().or(job.next)));
        let mut due = job
            .plan
            .last()
            .copied()
            .or(job.next)
            .or(job.last)
            .unwrap_or(T);
        let dues: Vec<u64> = steps
            .iter()
            .map(|step| {
                due += step;
                due
            })
            .collect();
        let words: Vec<String> = dues.iter().map(u64::to_string).collect();
        let args = [
            &now.to_string(),
            "d/cron",
            &job.revision.to_string(),
            &seen.0,
            &seen.1,
            &words.join(" "),
            "0",
        ];
        let answer = self.part.answer("job/plan", &args).await;
        assert_eq!(answer[0], "PLANNED");
        job.plan.extend(dues);
        if job.next.is_none() {
            job.next = Some(job.plan.remove(0));
        }
        self.model
            .wheel
            .insert("@d/cron".to_owned(), job.next.unwrap());
    }

    async fn turn(&mut self, permits: [u64; 3], limit: u64) {
        let offers = [
            ("u", "g", permits[0], "h,i"),
            ("v", "g", permits[1], "h"),
            ("w", "k", permits[2], "h"),
        ];
        let turned = self.part.turn(self.model.now, limit, &offers).await;
        let real = self.part.state().await;
        self.model.turn(limit, &offers, &turned, &real);
        assert_eq!(turned.next, self.model.wheel.values().min().copied());
    }

    async fn settle(&mut self, picks: &[(u8, usize)], (stale, foreign): (bool, bool), random: u32) {
        let mut settlements = Vec::new();
        for (pick, outcome) in picks {
            let (id, attempt) = self.running(*pick, stale);
            let outcome = OUTCOMES[*outcome];
            let after = u64::from(random % 3) * 400;
            let payload = if outcome == "succeeded" {
                "result".to_owned()
            } else {
                format!("{random} {after} no")
            };
            settlements.push((id, attempt, outcome, payload, after));
        }
        let words: Vec<[String; 4]> = settlements
            .iter()
            .map(|one| {
                [
                    one.0.clone(),
                    one.1.to_string(),
                    one.2.to_owned(),
                    one.3.clone(),
                ]
            })
            .collect();
        let args: Vec<[&str; 4]> = words
            .iter()
            .map(|words| words.each_ref().map(String::as_str))
            .collect();
        let verdicts = if foreign {
            let strangers = vec!["x"; args.len()];
            self.part.settle_by(self.model.now, &strangers, &args).await
        } else {
            self.part.settle(self.model.now, &args).await
        };
        let expected: String = settlements
            .iter()
            .map(|(id, attempt, outcome, _, after)| {
                self.model
                    .settle((id, *attempt, foreign), outcome, (random, *after))
            })
            .collect();
        assert_eq!(verdicts, expected, "{settlements:?}");
    }

    /// Who reports of a context: its holder, or a worker that holds nothing.
    fn reporter(&self, id: &str, foreign: bool) -> String {
        let held = self.model.held.get(id).filter(|_| !foreign);
        held.map_or("x", |held| &held.worker).to_owned()
    }

    async fn renew(&mut self, pick: u8, stale: bool, foreign: bool) {
        let (id, attempt) = self.running(pick, stale);
        let by = self.reporter(&id, foreign);
        let renewed = self
            .part
            .renew_by(self.model.now, &by, &[[&id, &attempt.to_string()]])
            .await;
        let expected = self.model.renew((&id, attempt, foreign));
        assert_eq!(renewed.0, expected.to_string());
    }

    async fn release(&mut self, pick: u8, stale: bool, foreign: bool) {
        let (id, attempt) = self.running(pick, stale);
        let by = self.reporter(&id, foreign);
        let (released, _) = self
            .part
            .release_by(self.model.now, &by, &[[&id, &attempt.to_string()]])
            .await;
        assert_eq!(released, self.model.release((&id, attempt, foreign)));
    }

    async fn deliver(&mut self) {
        let entries: Vec<String> = self
            .model
            .wheel
            .keys()
            .filter(|entry| entry.starts_with('&'))
            .cloned()
            .collect();
        for entry in entries {
            assert_eq!(
                self.part
                    .answer("wheel/delivered", &["1", &entry[1..]])
                    .await,
                ["DELIVERED", "1"]
            );
            self.model.wheel.remove(&entry);
        }
    }

    async fn step(&mut self, op: &Op) {
        let now = self.model.now;
        match op {
            Op::Clock(ms) => self.model.now += ms,
            Op::Submit {
                delay,
                kind,
                options,
                keyed,
            } => self.submit(*delay, *kind, *options, *keyed).await,
            Op::Turn { permits, limit } => self.turn(*permits, *limit).await,
            Op::Settle {
                picks,
                stale,
                foreign,
                random,
            } => self.settle(picks, (*stale, *foreign), *random).await,
            Op::Renew {
                pick,
                stale,
                foreign,
            } => self.renew(*pick, *stale, *foreign).await,
            Op::Release {
                pick,
                stale,
                foreign,
            } => self.release(*pick, *stale, *foreign).await,
            Op::Reap { evict } => {
                let evicted = if *evict { "u" } else { "nobody" };
                self.part.reap(now, &[evicted]).await;
                self.model.reap(evicted);
            }
            Op::Cancel { pick } => {
                let mut ids = self.model.living();
                ids.push("3.1.none".to_owned());
                let id = &ids[usize::from(*pick) % ids.len()];
                assert_eq!(
                    self.part.cancel(now, id).await[0],
                    self.model.cancel(id, "REQUESTED"),
                    "{id}"
                );
            }
            Op::Fire { job } => self.fire(*job).await,
            Op::Delivered => self.deliver().await,
            Op::Plan { steps } => self.plan(steps).await,
            Op::Change { job, overlap } => self.change(*job, *overlap).await,
        }
        let state = self.part.state().await;
        self.seen.check(&state, self.part.id, self.model.now);
        let differences = differences(&known(state), &self.model.expected());
        assert!(
            differences.is_empty(),
            "after {op:?} at {now}: {differences:#?}"
        );
    }
}

/// Runs one case from an empty server.
pub(crate) async fn run(test: &Harness, picks: &[JobPick], ops: &[Op]) {
    let mut run = Run {
        part: Part::new(test),
        model: Model::default(),
        seen: Seen::default(),
        count: 0,
    };
    run.start(picks).await;
    for op in ops {
        run.step(op).await;
    }
}
