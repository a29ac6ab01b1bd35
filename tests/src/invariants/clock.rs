//! W10: only Redis' clock decides what is due, so nothing starts before its due time.

use tickwheel_core::invariant::Invariant;
use tickwheel_store::check::rules;

use super::broken::{Broken, Findings};
use super::facts;
use crate::harness::{Run, Snapshot};

/// No attempt was claimed, no due time decided, and no handler started before the due time.
#[must_use]
pub fn w10_nothing_is_early(snapshot: &Snapshot, runs: &[Run]) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W10);
    for partition in &snapshot.partitions {
        for record in &partition.settled {
            let (claimed, due) = (record.claimed, record.id.due());
            found.check(claimed.is_none_or(|claimed| claimed >= due), || {
                format!("{} was claimed at {claimed:?}", record.id)
            });
        }
    }
    found.broken.extend(facts::found(
        &facts::contexts(snapshot),
        rules::w10_context_is_not_early,
    ));
    found.broken.extend(facts::found(
        &facts::jobs(snapshot),
        rules::w10_job_is_not_early,
    ));
    for run in runs {
        found.check(run.start_ms >= run.due_ms, || {
            format!(
                "{} started {} ms early",
                run.context,
                run.due_ms - run.start_ms
            )
        });
    }
    found.broken
}
