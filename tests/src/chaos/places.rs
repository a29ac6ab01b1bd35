//! Where contexts are: among the living, or among the ended.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_store::record::Settled;

use crate::harness::Snapshot;

/// Every end that Redis remembers. Ends of jobs' contexts stand in two places with the same text, as do those of the dead; of a long run
/// the events have forgotten most.
pub(super) fn ends(snapshot: &Snapshot) -> BTreeMap<String, Vec<&Settled>> {
    let mut ends: BTreeMap<String, Vec<&Settled>> = BTreeMap::new();
    for settled in snapshot.partitions.iter().flat_map(|part| &part.settled) {
        ends.entry(settled.id.to_string())
            .or_default()
            .push(settled);
    }
    for (_, dead) in snapshot.partitions.iter().flat_map(|part| &part.dead) {
        let own = ends.entry(dead.settled.id.to_string()).or_default();
        if !own.contains(&&dead.settled) {
            own.push(&dead.settled);
        }
    }
    ends
}

/// What lies anywhere but among the ended.
#[must_use]
pub fn live(snapshot: &Snapshot) -> BTreeSet<String> {
    let mut live = BTreeSet::new();
    for partition in &snapshot.partitions {
        let ready = partition.ready.values().flatten();
        let queued = partition.jobs.values().flat_map(|job| &job.queue);
        let waiting = partition.planned.iter().chain(ready).chain(queued);
        live.extend(waiting.map(|(_, member)| member.id.to_string()));
        live.extend(partition.held.keys().map(ToString::to_string));
    }
    live
}

/// What has ended, as far as Redis remembers.
#[must_use]
pub fn ended(snapshot: &Snapshot) -> BTreeSet<String> {
    ends(snapshot).into_keys().collect()
}
