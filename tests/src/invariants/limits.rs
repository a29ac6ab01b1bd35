//! W6, of limits: what runs is counted under its limits, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_core::invariant::Invariant;

use super::{Broken, Findings};
use crate::harness::Snapshot;
use crate::harness::snapshot::Partition;

/// What a partition counts under limits is what runs in it.
#[must_use]
pub fn w6_limits_count_what_runs(snapshot: &Snapshot) -> Vec<Broken> {
    snapshot.partitions.iter().flat_map(counts_of).collect()
}

/// In one partition.
pub(super) fn counts_of(partition: &Partition) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W6);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for held in partition.held.values() {
        for limit in held.counts_under() {
            *counts.entry(limit.to_string()).or_default() += 1;
        }
    }
    let names: BTreeSet<&String> = counts.keys().chain(partition.using.keys()).collect();
    for name in names {
        let counted = counts.get(name).copied().unwrap_or_default();
        let using = partition.using.get(name).copied().unwrap_or_default();
        let left = partition.left.get(name).copied().unwrap_or_default();
        found.check(counted + left == using, || {
            format!(
                "{counted} contexts count under limit `{name}`, {using} are said to, {left} left it"
            )
        });
    }
    found.broken
}
