//! W2: attempt numbers only grow.

use std::collections::BTreeMap;

use tickwheel_core::invariant::Invariant;

use super::broken::{Broken, Findings};
use crate::harness::Run;

/// No attempt number of a context was started twice, on whatever worker.
#[must_use]
pub fn w2_no_attempt_twice(runs: &[Run]) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W2);
    let mut seen: BTreeMap<(&str, u32), &str> = BTreeMap::new();
    for run in runs {
        if let Some(before) = seen.insert((&run.context, run.attempt), &run.worker) {
            found.check(false, || {
                format!(
                    "attempt {} of {} was started on {before} and on {}",
                    run.attempt, run.context, run.worker
                )
            });
        }
    }
    found.broken
}

/// No attempt number of a context was started twice, and each start had a greater one than those before it.
///
/// An attempt whose worker was frozen after the dispatch may start late; it does so under its own, smaller number, and only the order
/// by worker can be told then.
#[must_use]
pub fn w2_attempts_grow(runs: &[Run]) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W2);
    found.broken = w2_no_attempt_twice(runs);
    let mut seen: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
    for run in runs {
        let before = seen.entry(&run.context).or_default();
        for earlier in before.iter() {
            let smaller = earlier.attempt <= run.attempt || earlier.worker != run.worker;
            found.check(smaller, || {
                format!(
                    "{} started attempt {} of {} after attempt {}",
                    run.worker, run.attempt, run.context, earlier.attempt
                )
            });
        }
        before.push(run);
    }
    found.broken
}
