//! What is gone with a store that was emptied, damaged or replaced: the verdict tells it from what was lost besides.

use std::collections::BTreeSet;

use super::places::{ended, live};
use crate::harness::{Run, Snapshot};

/// What a fault takes by its nature, known to the context. Everything else is judged as ever.
#[derive(Debug, Default, Clone)]
pub struct Loss {
    /// Contexts that are gone with the store. None of them may come back.
    pub contexts: BTreeSet<String>,
    /// Contexts that had ended before, where the store has forgotten it.
    pub ended: BTreeSet<String>,
    /// Runs that the store does not know of, by context, attempt and start: its next attempts have their numbers.
    pub runs: BTreeSet<(String, u32, u64)>,
    /// How the ids of contexts end that nobody submitted, but somebody wrote into Redis. Those may be there twice, and run twice.
    pub strangers: Vec<String>,
}

impl Loss {
    /// All that was in a store when it was emptied.
    #[must_use]
    pub fn of_emptied(before: &Snapshot) -> Self {
        Self {
            contexts: live(before),
            ended: ended(before),
            ..Self::default()
        }
    }

    /// What came to pass after `backup` was made, when a store goes on with it: what was accepted, and what ran.
    #[must_use]
    pub fn since(backup: &Snapshot, accepted: &[(String, u64)], runs: &[Run]) -> Self {
        let (live, ended) = (live(backup), ended(backup));
        let known = |id: &String| live.contains(id) || ended.contains(id);
        let gone = accepted.iter().map(|(id, _)| id).filter(|id| !known(id));
        let of_later = |run: &&Run| match given_out(backup, &run.context) {
            Some(attempt) => run.attempt > attempt,
            None => !ended.contains(&run.context),
        };
        Self {
            contexts: gone.cloned().collect(),
            runs: runs.iter().filter(of_later).map(key).collect(),
            ..Self::default()
        }
    }

    /// True for a context that nobody submitted.
    #[must_use]
    pub fn is_strange(&self, id: &str) -> bool {
        self.strangers.iter().any(|end| {
            id.rsplit_once(&**end)
                .is_some_and(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()))
        })
    }

    /// The runs that the store can answer for: one that it does not know of counts only when its attempt was not started again.
    #[must_use]
    pub fn known(&self, runs: Vec<Run>) -> Vec<Run> {
        let again: BTreeSet<(String, u32)> = runs
            .iter()
            .filter(|run| !self.runs.contains(&key(run)))
            .map(|run| (run.context.clone(), run.attempt))
            .collect();
        let is_known = |run: &Run| {
            let forgotten = self.runs.contains(&key(run))
                && (self.contexts.contains(&run.context)
                    || again.contains(&(run.context.clone(), run.attempt)));
            !forgotten && !self.is_strange(&run.context)
        };
        runs.into_iter().filter(is_known).collect()
    }
}

fn key(run: &Run) -> (String, u32, u64) {
    (run.context.clone(), run.attempt, run.start_ms)
}

/// The newest attempt of a context that has not ended, as the store says.
fn given_out(snapshot: &Snapshot, id: &str) -> Option<u32> {
    for partition in &snapshot.partitions {
        let held = partition.held.iter().find(|(held, _)| held.as_str() == id);
        if let Some((_, held)) = held {
            return Some(held.attempt.as_u32());
        }
        let ready = partition.ready.values().flatten();
        let queued = partition.jobs.values().flat_map(|job| &job.queue);
        let mut waiting = partition.planned.iter().chain(ready).chain(queued);
        if let Some((_, member)) = waiting.find(|(_, member)| member.id.as_str() == id) {
            return Some(member.attempt.as_u32());
        }
    }
    None
}
