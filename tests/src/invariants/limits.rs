//! W6, of limits: what runs is counted under its limits, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_store::check::{LimitFacts, rules};

use super::broken::Broken;
use super::facts;
use crate::harness::Snapshot;
use crate::harness::snapshot::Partition;

/// What a partition counts under limits is what runs in it.
#[must_use]
pub fn w6_limits_count_what_runs(snapshot: &Snapshot) -> Vec<Broken> {
    snapshot.partitions.iter().flat_map(counts_of).collect()
}

/// In one partition.
pub(super) fn counts_of(partition: &Partition) -> Vec<Broken> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for held in partition.held.values() {
        for limit in held.counts_under() {
            *counts.entry(limit.to_string()).or_default() += 1;
        }
    }
    let names: BTreeSet<&String> = counts.keys().chain(partition.using.keys()).collect();
    let of = |counts: &BTreeMap<String, u64>, name: &String| {
        let count = counts.get(name);
        count.copied().unwrap_or_default()
    };
    let facts: Vec<LimitFacts> = names
        .into_iter()
        .map(|name| LimitFacts {
            limit: name.clone(),
            partition: facts::id(partition),
            using: of(&partition.using, name),
            left: of(&partition.left, name),
            running: of(&counts, name),
        })
        .collect();
    facts::found(&facts, rules::w6_limit_counts)
}
