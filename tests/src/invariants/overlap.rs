//! W6: never more running contexts of a job than its overlap policy allows, in Redis and in the workers.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_core::id::ContextId;
use tickwheel_core::invariant::Invariant;
use tickwheel_store::check::rules;

use super::broken::{Broken, Findings};
use super::facts;
use crate::harness::{Run, Snapshot};

/// What Redis calls active.
#[must_use]
pub fn w6_active_contexts(snapshot: &Snapshot) -> Vec<Broken> {
    facts::found(&facts::jobs(snapshot), rules::w6_active_contexts)
}

/// What the workers ran at once. Attempts of one context that overlap (a frozen worker) count as one context, and so do the subtasks of a
/// context that is split.
///
/// A worker that thaws may start what was sent to it while it was frozen. Such an attempt comes after a later one of its context, or after
/// the end of its context: it is fenced, its outcome is refused, and it does not count. Nor does an attempt that lost its lease, from the
/// end of its context on: the context ended with a later attempt.
#[must_use]
pub fn w6_running_handlers(snapshot: &Snapshot, runs: &[Run]) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W6);
    let mut by_job: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
    let mut last: BTreeMap<&str, u32> = BTreeMap::new();
    for run in runs {
        let last = last.entry(&run.context).or_default();
        *last = run.attempt.max(*last);
    }
    let mut newest: BTreeMap<&str, u32> = BTreeMap::new();
    let ended = ends(snapshot);
    for run in runs.iter().filter(|run| !run.job().is_empty()) {
        let newest = newest.entry(&run.context).or_default();
        let over = ended.get(whole(&run.context).as_str());
        if run.attempt < *newest || over.is_some_and(|ended| *ended < run.start_ms) {
            continue;
        }
        *newest = run.attempt;
        by_job.entry(run.job()).or_default().push(run);
    }
    let end = |run: &Run| {
        let end = run.end_ms.unwrap_or(u64::MAX);
        let lost_its_lease = last.get(run.context.as_str()) > Some(&run.attempt);
        let over = ended.get(whole(&run.context).as_str()).copied();
        end.min(over.filter(|_| lost_its_lease).unwrap_or(u64::MAX))
    };
    let jobs = facts::jobs(snapshot);
    for (name, runs) in by_job {
        let Some(job) = jobs
            .iter()
            .find(|job| job.exists() && job.name.as_str() == name)
        else {
            continue;
        };
        let (most, at, contexts) = most_at_once(&runs, end);
        // By the definition of the job at the end; an earlier one may have allowed more.
        if job.number("revision").is_some_and(|revision| revision > 1) {
            continue;
        }
        let allowed = usize::try_from(job.allowed()).unwrap_or(usize::MAX);
        found.check(most <= allowed, || {
            format!("{name} ran {most} contexts at {at}, {allowed} are allowed: {contexts:?}")
        });
    }
    found.broken
}

/// When each context of a job ended, as far as the jobs remember.
fn ends(snapshot: &Snapshot) -> BTreeMap<&str, u64> {
    let runs = snapshot.jobs().flat_map(|(_, job)| &job.runs);
    runs.map(|run| (run.id.as_str(), run.ended.as_u64()))
        .collect()
}

/// The id of the context that a subtask is a part of; any other is whole.
#[must_use]
pub fn whole(context: &str) -> String {
    let root = context.parse().ok().and_then(|id: ContextId| id.root());
    root.map_or_else(|| context.to_owned(), |root| root.to_string())
}

/// What the ids of a context and of its subtasks begin with.
fn without_subtask(context: &str) -> &str {
    context.split(['~', '@']).next().unwrap_or(context)
}

/// The greatest number of contexts that ran at one instant, and which.
fn most_at_once(runs: &[&Run], end: impl Fn(&Run) -> u64) -> (usize, u64, Vec<String>) {
    // An end and a start of the same millisecond do not overlap: ends come first.
    let mut marks: Vec<(u64, bool, &Run)> = Vec::new();
    for run in runs {
        let end = end(run);
        if end > run.start_ms {
            marks.push((run.start_ms, true, run));
            marks.push((end, false, run));
        }
    }
    marks.sort_by_key(|(at, starts, _)| (*at, *starts));
    let (mut running, mut most): (BTreeSet<(&str, u32)>, _) = (BTreeSet::new(), (0, 0, Vec::new()));
    for (at, starts, run) in marks {
        let key = (run.context.as_str(), run.attempt);
        if starts {
            running.insert(key);
        } else {
            running.remove(&key);
        }
        let contexts: BTreeSet<&str> = running
            .iter()
            .map(|(context, _)| without_subtask(context))
            .collect();
        if contexts.len() > most.0 {
            most = (
                contexts.len(),
                at,
                contexts.into_iter().map(ToOwned::to_owned).collect(),
            );
        }
    }
    most
}
