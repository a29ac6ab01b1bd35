//! W6, of limits: what counts under a limit runs, and is counted once.

use std::collections::BTreeMap;

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
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (id, limits) in &partition.counted {
        found.check(partition.held.contains_key(id), || {
            format!("{id} counts under {limits:?} and does not run")
        });
        for limit in limits {
            *counts.entry(limit).or_default() += 1;
        }
    }
    let names = counts.keys().copied();
    let names: Vec<&str> = names
        .chain(partition.using.keys().map(String::as_str))
        .collect();
    for name in names {
        let counted = counts.get(name).copied().unwrap_or_default();
        let using = partition.using.get(name).copied().unwrap_or_default();
        found.check(counted == using, || {
            format!("{counted} contexts count under limit `{name}`, {using} are said to")
        });
    }
    found.broken
}
