//! The model: the contexts and jobs of one partition in memory, and the one place where a context ends.
//!
//! Decisions come from the references in `tickwheel_reference`; texts are those of docs/keyspace.md.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_core::job::{Misfire, Overlap};
use tickwheel_reference::backoff::delay_after;
use tickwheel_store::record::Options;

use crate::call::ready_score;

/// How long the script offers unplanned jobs and outbox entries to the next tracker.
pub(crate) const OFFER_MS: u64 = 1_000;
pub(crate) const DISPATCH_MS: u64 = 2_000;

/// A context as its member shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) id: String,
    pub(crate) attempt: u32,
    pub(crate) failures: u32,
    pub(crate) rest: String,
}

/// A running context.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) context: Context,
    pub(crate) worker: String,
    pub(crate) claimed: u64,
    pub(crate) expires: u64,
    pub(crate) deadline: u64,
    pub(crate) cancel: Option<(&'static str, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rate,
    Delay,
    Cron,
    Manual,
}

#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) kind: Kind,
    pub(crate) revision: u64,
    pub(crate) period: u64,
    pub(crate) next: Option<u64>,
    pub(crate) plan: Vec<u64>,
    pub(crate) last: Option<u64>,
    pub(crate) fired: u64,
    pub(crate) max_runs: Option<u64>,
    pub(crate) finished: bool,
    pub(crate) overlap: Overlap,
    pub(crate) misfire: Misfire,
    pub(crate) tmpl: String,
    pub(crate) followed: bool,
}

/// Everything in a partition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) now: u64,
    pub(crate) wheel: BTreeMap<String, u64>,
    pub(crate) ready: BTreeMap<String, Context>,
    pub(crate) held: BTreeMap<String, Held>,
    pub(crate) retry: BTreeMap<String, u64>,
    pub(crate) queue: BTreeMap<String, BTreeMap<(u64, String), Context>>,
    pub(crate) active: BTreeMap<String, BTreeMap<String, &'static str>>,
    pub(crate) jobs: BTreeMap<String, Job>,
    pub(crate) ledger: BTreeMap<String, Vec<String>>,
    pub(crate) dead: BTreeMap<String, u64>,
    /// Id, state, attempt.
    pub(crate) settled: BTreeSet<(String, String, u32)>,
    pub(crate) dedup: BTreeMap<String, String>,
}

/// Why an attempt ended without success.
pub(crate) struct Failure<'a> {
    pub(crate) state: &'a str,
    pub(crate) random: u32,
    pub(crate) retry_after: Option<u64>,
    pub(crate) is_final: bool,
    /// The lease was lost.
    pub(crate) lost: bool,
}

impl Context {
    pub(crate) fn parse(member: &str) -> Self {
        let fields: Vec<&str> = member.splitn(3, ' ').collect();
        let (attempt, failures) = fields[1].split_once(':').unwrap();
        let (attempt, failures) = (attempt.parse().unwrap(), failures.parse().unwrap());
        Self {
            id: fields[0].to_owned(),
            attempt,
            failures,
            rest: fields[2].to_owned(),
        }
    }

    pub(crate) fn member(&self) -> String {
        format!(
            "{} {}:{} {}",
            self.id, self.attempt, self.failures, self.rest
        )
    }

    fn word(&self, index: usize) -> &str {
        self.rest.split(' ').nth(index).unwrap()
    }

    /// `<group> <handler>`.
    pub(crate) fn queue(&self) -> String {
        format!("{} {}", self.word(0), self.word(1))
    }

    pub(crate) fn options(&self) -> Options {
        self.word(3).parse().unwrap()
    }

    pub(crate) fn due(&self) -> u64 {
        self.id.split('.').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn job(&self) -> Option<&str> {
        self.id.split_once('@').map(|(_, job)| job)
    }

    pub(crate) fn score(&self) -> u64 {
        ready_score(self.word(2).parse().unwrap(), self.due())
    }

    /// The entry that watches its start deadline, and when.
    pub(crate) fn watch(&self) -> Option<(String, u64)> {
        let deadline = self.options().start_deadline_ms?;
        Some((
            format!("#{} {} {}", self.id, self.queue(), self.word(2)),
            self.due() + deadline,
        ))
    }

    pub(crate) fn is_late(&self, now: u64) -> bool {
        self.failures == 0 && self.watch().is_some_and(|(_, at)| at <= now)
    }

    fn with(&self, options: &Options) -> String {
        let words: Vec<&str> = self.rest.splitn(5, ' ').collect();
        format!(
            "{} {} {} {options} {}",
            words[0], words[1], words[2], words[4]
        )
    }
}

impl Model {
    pub(crate) fn put_ready(&mut self, context: Context) {
        self.ready.insert(context.id.clone(), context);
    }

    /// Ends a context that was taken from its place before.
    pub(crate) fn end(&mut self, context: &Context, state: &str) {
        self.settled
            .insert((context.id.clone(), state.to_owned(), context.attempt));
        if state != "succeeded" && state != "cancelled" {
            let (id, rest) = (&context.id, &context.rest);
            let how = format!("{id} {state} {}", context.attempt);
            self.dead
                .insert(format!("{how}\n{} {rest}", context.failures), self.now);
        }
        let Some(name) = context.job().map(str::to_owned) else {
            return;
        };
        self.active
            .entry(name.clone())
            .or_default()
            .remove(&context.id);
        let now = self.now;
        let job = self.jobs.get_mut(&name).unwrap();
        if job.followed {
            self.wheel
                .insert(format!("&d/follower {} {state}", context.id), now);
        }
        if job.kind == Kind::Delay && !job.finished && context.id.contains(".f@") {
            job.finished = job.max_runs.is_some_and(|most| job.fired >= most);
            job.next = (!job.finished).then_some(now + job.period);
            if let Some(next) = job.next {
                self.wheel.insert(format!("@{name}"), next);
            }
        }
        self.let_in(&name);
    }

    /// Lets in what waits in the queue of a job, the oldest first, as many as its policy allows.
    pub(crate) fn let_in(&mut self, name: &str) {
        let allowed = match self.jobs[name].overlap {
            Overlap::Parallel(limit) => usize::try_from(limit).unwrap(),
            Overlap::Queue(_) | Overlap::QueueOne | Overlap::Discard | Overlap::Replace => 1,
        };
        let active = self.active.entry(name.to_owned()).or_default();
        let mut started = Vec::new();
        while active.len() < allowed
            && let Some((_, queued)) = self.queue.entry(name.to_owned()).or_default().pop_first()
        {
            let origin = if queued.id.contains(".f@") { "s" } else { "m" };
            active.insert(queued.id.clone(), origin);
            started.push(queued);
        }
        for context in started {
            self.put_ready(context);
        }
    }

    /// Ends an attempt without success; true when another follows.
    pub(crate) fn fail(&mut self, held: Held, how: &Failure<'_>) -> bool {
        let mut context = held.context;
        context.failures += 1;
        let stopped = held.cancel.is_some_and(|(reason, _)| reason != "TIMED_OUT");
        let state = if stopped { "cancelled" } else { how.state };
        let options = context.options();
        let again = delay_after(
            &options.retry,
            context.failures,
            f64::from(how.random) / 1e6,
        );
        let mut after = options.clone();
        after.orphaned = if how.lost { options.orphaned + 1 } else { 0 };
        let ends = state == "cancelled" || how.is_final || after.orphaned >= 3;
        let Some(delay) = again.filter(|_| !ends) else {
            self.end(&context, state);
            return false;
        };
        if how.lost {
            after.avoid = Some(held.worker.parse().unwrap());
        }
        context.rest = context.with(&after);
        match how.retry_after.unwrap_or(delay) {
            0 => self.put_ready(context),
            delay => {
                self.retry.insert(context.id.clone(), self.now + delay);
                self.wheel.insert(context.member(), self.now + delay);
            }
        }
        true
    }

    /// Asks for a lease scan not later than `at`.
    pub(crate) fn scan_by(&mut self, at: u64) {
        let scan = self.wheel.entry("!reap".to_owned()).or_insert(at);
        *scan = (*scan).min(at);
    }

    /// Every id that waits or runs.
    pub(crate) fn living(&self) -> Vec<String> {
        let wheel = self
            .wheel
            .keys()
            .filter(|entry| entry.starts_with('3'))
            .map(|member| Context::parse(member).id);
        let queued = self
            .queue
            .values()
            .flatten()
            .map(|(_, context)| context.id.clone());
        wheel
            .chain(queued)
            .chain(self.ready.keys().cloned())
            .chain(self.held.keys().cloned())
            .collect()
    }
}
