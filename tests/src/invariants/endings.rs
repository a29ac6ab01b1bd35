//! W7: what waits will end: whoever has to look at it has an entry in the wheel.

use tickwheel_store::check::{At, rules};

use super::broken::Broken;
use super::facts;
use crate::harness::Snapshot;
use crate::harness::snapshot::Partition;

/// Running contexts have a lease scan before the end of their leases, those with a timeout have a deadline, waiting ones with a start
/// deadline have an entry for it, queued ones wait for an active one, and deliveries are near.
#[must_use]
pub fn w7_what_waits_will_end(snapshot: &Snapshot) -> Vec<Broken> {
    let mut broken = facts::found(&facts::contexts(snapshot), rules::w7_context_will_end);
    broken.extend(facts::found(&facts::jobs(snapshot), rules::w7_queue_moves));
    broken.extend(snapshot.partitions.iter().flat_map(deliveries_of));
    broken
}

/// Deliveries of a partition are near.
pub(super) fn deliveries_of(partition: &Partition) -> Vec<Broken> {
    let mut broken = Vec::new();
    for (at, entry) in &partition.entries {
        if entry.starts_with('&') {
            let (at, now) = (At::Ms(*at), partition.now_ms);
            let near = rules::w7_delivery_is_near(facts::id(partition), entry, &at, now);
            broken.extend(near.into_iter().map(Broken::from));
        }
    }
    broken
}
