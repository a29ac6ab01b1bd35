//! W3: a firing (job, due) creates at most one context.

use std::collections::BTreeMap;

use tickwheel_core::invariant::Invariant;
use tickwheel_store::check::rules;
use tickwheel_store::record::EndState;

use super::broken::{Broken, Findings};
use super::facts;
use crate::harness::Snapshot;
use crate::harness::snapshot::Partition;

/// No due time stands twice in a ledger as fired by the trigger, no context was fired twice by hand or by another job, and no context
/// ended twice with the same attempt.
#[must_use]
pub fn w3_a_firing_is_one_context(snapshot: &Snapshot) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W3);
    found
        .broken
        .extend(facts::found(&facts::jobs(snapshot), rules::w3_fired_once));
    for partition in &snapshot.partitions {
        found.broken.extend(ends_of(partition));
    }
    found.broken
}

/// No context of a partition ended twice with the same attempt.
pub(super) fn ends_of(partition: &Partition) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W3);
    let mut ends = BTreeMap::new();
    for record in &partition.settled {
        // One that ended, was asked to run again, and expired as it waited, has ended twice without another attempt: at another time.
        let expired = record.state == EndState::Expired;
        let at = expired.then_some(record.ended);
        let attempt = (&record.id, record.attempt, record.claimed, at);
        let before = ends.insert(attempt, record.state.as_str());
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
    found.broken
}
