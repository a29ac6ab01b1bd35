//! What became of everything that was accepted: the run book and Redis held against the submitter's accounts.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use tickwheel_store::record::{EndState, Settled};

use super::load::Accounts;
use super::loss::Loss;
use super::places::ends;
pub use super::places::{ended, live};
use crate::harness::{Run, Snapshot};

/// The figures of one fault, one line of JSON.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// Its number, or `random`.
    pub fault: String,
    /// What everything random follows from.
    pub seed: u64,
    /// The expectation held.
    pub held: bool,
    /// How long it took.
    pub seconds: f64,
    /// Contexts that were accepted.
    pub submitted: u64,
    /// Of those, how many came to an end.
    pub completed: u64,
    /// Accepted and never ended, or ended as succeeded without a run.
    pub lost: u64,
    /// Attempts that were started more than once.
    pub same_fence_twice: u64,
    /// Outcomes that were accepted although a later attempt existed, or beside another outcome.
    pub stale_accepted: u64,
    /// Runs beyond the first of each context.
    pub reruns: u64,
    /// From the fault to the next normal outcome, half of them.
    pub recovery_p50_ms: u64,
    /// The same, 99 of 100.
    pub recovery_p99_ms: u64,
    /// The slowest.
    pub recovery_max_ms: u64,
    /// From due time (or the fault, if that came later) to the first start, 99 of 100.
    pub late_p99_ms: u64,
    /// The latest.
    pub late_max_ms: u64,
    /// Calls of old attempts that were refused.
    pub stale_refused: u64,
    /// Accepted contexts that ended without success.
    pub ended_failed: u64,
    /// Contexts that were refused, by code.
    pub refused: BTreeMap<String, u64>,
    /// Calls that failed without a verdict and were repeated, by code.
    pub failed_calls: BTreeMap<String, u64>,
    /// Contexts whose submission was never answered.
    pub unknown: u64,
    /// Broken invariants.
    pub invariants_broken: u64,
    /// What else the fault is about.
    pub notes: BTreeMap<String, Value>,
    /// Why it did not hold.
    pub failures: Vec<String>,
}

/// What a verdict is made of.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// What was accepted.
    pub accounts: &'a Accounts,
    /// Redis, when everything had ended.
    pub snapshot: &'a Snapshot,
    /// What the handlers did.
    pub runs: &'a [Run],
    /// When faults began, ascending.
    pub marks: &'a [u64],
    /// Recovery times that the fault measured itself.
    pub recoveries: &'a [u64],
    /// What is gone by the nature of the fault.
    pub loss: &'a Loss,
}

impl Figures {
    /// Counts. `fault`, `seed` and the like are left as they are.
    pub fn take(&mut self, evidence: &Evidence<'_>) {
        let Evidence {
            accounts,
            snapshot,
            runs,
            loss,
            ..
        } = evidence;
        let accepted: BTreeSet<&str> = accounts.accepted.iter().map(|(id, _)| &**id).collect();
        let by_context = by_context(runs);
        let ends = ends(snapshot);
        let live: BTreeSet<String> = live(snapshot);
        self.submitted = size(accepted.len());
        for id in accepted.iter().filter(|id| !loss.contexts.contains(**id)) {
            let own = by_context.get(*id).map_or(&[][..], Vec::as_slice);
            let ended = ends.get(*id).map_or(&[][..], Vec::as_slice);
            let ran = own.iter().any(|run| run.outcome == "ok") || loss.ended.contains(*id);
            let succeeded = ended.iter().any(|end| end.state == EndState::Succeeded);
            let is_lost =
                live.contains(*id) || (ended.is_empty() && !ran) || (succeeded && own.is_empty());
            self.lost += u64::from(is_lost);
            self.completed += u64::from(!live.contains(*id) && (ran || !ended.is_empty()));
            self.ended_failed += u64::from(!ended.is_empty() && !succeeded);
        }
        for own in by_context.values() {
            let attempts: BTreeSet<u32> = own.iter().map(|run| run.attempt).collect();
            self.same_fence_twice += size(own.len() - attempts.len());
            self.reruns += size(own.len().saturating_sub(1));
        }
        self.stale_accepted = stale_accepted(&ends, &by_context, loss);
        self.stale_refused = snapshot.stat("stale");
        self.refused.clone_from(&accounts.refused);
        self.failed_calls.clone_from(&accounts.failed_calls);
        self.unknown = accounts.unknown;
        let late = lateness(&by_context, evidence.marks);
        (self.late_p99_ms, self.late_max_ms) = (percentile(&late, 99), percentile(&late, 100));
        let mut recoveries = repeated_after(&by_context);
        recoveries.extend(evidence.recoveries);
        if recoveries.is_empty() {
            recoveries = late;
        }
        recoveries.sort_unstable();
        self.recovery_p50_ms = percentile(&recoveries, 50);
        self.recovery_p99_ms = percentile(&recoveries, 99);
        self.recovery_max_ms = percentile(&recoveries, 100);
    }
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn by_context(runs: &[Run]) -> BTreeMap<&str, Vec<&Run>> {
    let mut by_context: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
    for run in runs {
        by_context.entry(&run.context).or_default().push(run);
    }
    by_context
}

/// An end counts once, and after it no later attempt may have been given out.
fn stale_accepted(
    ends: &BTreeMap<String, Vec<&Settled>>,
    runs: &BTreeMap<&str, Vec<&Run>>,
    loss: &Loss,
) -> u64 {
    let mut stale = 0;
    // Ends of contexts that nobody submitted were written by the fault itself.
    for (id, ended) in ends.iter().filter(|(id, _)| !loss.is_strange(id)) {
        stale += size(ended.len() - 1);
        let newest = runs
            .get(&**id)
            .and_then(|runs| runs.iter().map(|run| run.attempt).max());
        let older = |end: &&&Settled| newest.is_some_and(|newest| end.attempt.as_u32() < newest);
        stale += size(ended.iter().filter(older).count());
    }
    stale
}

/// How late the first run of each context was, of those that began after the first fault. A context that was due before a fault and began
/// after it counts from the fault.
fn lateness(runs: &BTreeMap<&str, Vec<&Run>>, marks: &[u64]) -> Vec<u64> {
    let Some(first_mark) = marks.first() else {
        return Vec::new();
    };
    let firsts = runs
        .values()
        .filter_map(|own| own.iter().min_by_key(|run| run.start_ms));
    let mut late: Vec<u64> = firsts
        .filter(|run| run.start_ms >= *first_mark)
        .map(|run| {
            let between = |mark: &&u64| **mark >= run.due_ms && **mark <= run.start_ms;
            let since = marks.iter().find(between).unwrap_or(&run.due_ms);
            run.start_ms.saturating_sub(*since)
        })
        .collect();
    late.sort_unstable();
    late
}

/// From the end of each run that died with its worker to the start of the next run of its context.
fn repeated_after(runs: &BTreeMap<&str, Vec<&Run>>) -> Vec<u64> {
    let mut after = Vec::new();
    for own in runs.values() {
        let mut own = own.clone();
        own.sort_by_key(|run| (run.start_ms, run.attempt));
        for (run, next) in own.iter().zip(own.iter().skip(1)) {
            if run.outcome == "killed" {
                let died = run.end_ms.unwrap_or(run.start_ms);
                after.push(next.start_ms.saturating_sub(died));
            }
        }
    }
    after
}

/// The smallest of `sorted` that at least `percent` of 100 do not exceed; 0 of nothing.
#[must_use]
pub fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
