//! W10: only Redis' clock decides what is due, so nothing starts before its due time.

use tickwheel_core::invariant::Invariant;
use tickwheel_core::ledger::LedgerVerdict;

use super::{Broken, Findings};
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
        for (id, held) in &partition.held {
            found.check(held.claimed >= id.due(), || {
                format!("{id} was claimed at {}", held.claimed)
            });
        }
    }
    for (name, job) in snapshot.jobs() {
        for record in job
            .ledger
            .iter()
            .filter(|record| record.verdict != LedgerVerdict::Cancelled)
        {
            found.check(
                record.decided_ms.is_none_or(|decided| decided >= record.to),
                || format!("{name} decided early: {record}"),
            );
        }
    }
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
