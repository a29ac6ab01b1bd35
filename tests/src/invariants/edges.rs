//! W4: a job that follows another one is told by it, or waits for its registration.

use tickwheel_core::id::JobName;
use tickwheel_core::invariant::Invariant;

use super::broken::{Broken, Findings};
use crate::harness::Snapshot;

/// Each follower stands with its upstream, or with those that wait for one of that name. The other way round an edge may be left over: a
/// tracker died between the two, and it fires nothing.
#[must_use]
pub fn w4_followers_are_told(snapshot: &Snapshot) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W4);
    let told = |upstream: &JobName, edge: &str| {
        let registered = snapshot
            .jobs()
            .find(|(name, job)| *name == upstream && !job.fields.is_empty());
        let mut partitions = snapshot.partitions.iter();
        let names = match registered {
            Some((_, job)) => job.fields.get("followers"),
            None => partitions.find_map(|partition| partition.awaited.get(upstream)),
        };
        names.is_some_and(|names| names.split_whitespace().any(|one| one == edge))
    };
    for (name, job) in snapshot.jobs() {
        let after = job
            .fields
            .get("after")
            .and_then(|after| after.split_once(' '));
        let Some((upstream, on)) = after else {
            continue;
        };
        let edge = format!("{name}:{on}");
        let known = JobName::new(upstream).is_ok_and(|upstream| told(&upstream, &edge));
        found.check(known, || format!("{upstream} is not to tell {edge}"));
    }
    found.broken
}
