//! W3: a firing (job, due) creates at most one context.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_core::invariant::Invariant;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict};

use super::{Broken, Findings};
use crate::harness::Snapshot;

/// No due time stands twice in a ledger as fired by the trigger, no context was fired twice by hand or by another job, and no context
/// ended twice with the same attempt.
#[must_use]
pub fn w3_a_firing_is_one_context(snapshot: &Snapshot) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W3);
    for (name, job) in snapshot.jobs() {
        let mut firings = BTreeSet::new();
        for record in job
            .ledger
            .iter()
            .filter(|record| record.verdict == LedgerVerdict::Fired)
        {
            found.check(firings.insert(firing(record)), || {
                format!("{name} fired twice: {record}")
            });
        }
    }
    for partition in &snapshot.partitions {
        let mut ends = BTreeMap::new();
        for record in &partition.settled {
            let before = ends.insert((&record.id, record.attempt), record.state.as_str());
            found.check(before.is_none(), || {
                format!(
                    "{} ended twice with attempt {}: {} and {}",
                    record.id,
                    record.attempt,
                    before.unwrap_or(""),
                    record.state.as_str()
                )
            });
        }
    }
    found.broken
}

/// What must not occur twice: the due time of a scheduled firing, or the context of another.
fn firing(record: &LedgerRecord) -> String {
    record
        .context_id
        .as_ref()
        .map_or_else(|| record.from.as_u64().to_string(), ToString::to_string)
}
