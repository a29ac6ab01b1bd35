//! How much waits for limits in the partitions that this tracker turns, by what their turns told last: for a gauge.

use std::collections::{HashMap, HashSet};

use tickwheel_core::id::GroupName;
use tickwheel_core::limits::LimitName;
use tickwheel_core::partition::PartitionId;
use tickwheel_store::limit::LimitReport;

use crate::metrics::measure;

/// Limits of a partition that are remembered; what waits for further ones is not shown.
const KNOWN_MAX: usize = 1_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    by_partition: HashMap<PartitionId, HashMap<LimitName, u64>>,
    sums: HashMap<GroupName, u64>,
}

impl Waiting {
    /// A turn told these; what it did not tell of is as before.
    pub(super) fn note(&mut self, partition: PartitionId, reports: &[LimitReport]) {
        if reports.is_empty() {
            return;
        }
        let known = self.by_partition.entry(partition).or_default();
        for report in reports {
            let room = known.len() < KNOWN_MAX || known.contains_key(&report.limit);
            let before = if report.waiting > 0 && room {
                known.insert(report.limit.clone(), report.waiting)
            } else {
                known.remove(&report.limit)
            };
            let now = known.get(&report.limit).copied().unwrap_or(0);
            let sum = self.sums.entry(report.limit.group.clone()).or_default();
            *sum = (*sum + now).saturating_sub(before.unwrap_or(0));
        }
        self.tell(reports.iter().map(|report| report.limit.group.clone()));
    }

    /// Nothing waits in the partition any more, or another tracker turns it.
    pub(super) fn forget(&mut self, partition: PartitionId) {
        let Some(gone) = self.by_partition.remove(&partition) else {
            return;
        };
        for (limit, count) in &gone {
            if let Some(sum) = self.sums.get_mut(&limit.group) {
                *sum = sum.saturating_sub(*count);
            }
        }
        self.tell(gone.into_keys().map(|limit| limit.group));
    }

    fn tell(&self, groups: impl Iterator<Item = GroupName>) {
        for group in groups.collect::<HashSet<_>>() {
            let sum = self.sums.get(&group).copied().unwrap_or(0);
            measure::waiting_for_limits(&group, sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(limit: &str, waiting: u64) -> LimitReport {
        LimitReport {
            limit: limit.parse().unwrap(),
            report: 1,
            holds: 0,
            unspent: 0,
            wanted: 0,
            waiting,
        }
    }

    #[test]
    fn sums_follow_what_each_partition_told_last() {
        let mut waiting = Waiting::default();
        let (one, two) = (PartitionId::default(), PartitionId::new(1).unwrap());
        let sum = |waiting: &Waiting, group: &str| {
            let group: GroupName = group.parse().unwrap();
            waiting.sums.get(&group).copied().unwrap_or(0)
        };
        waiting.note(one, &[report("g k=a", 500), report("g k=b", 3)]);
        waiting.note(two, &[report("g", 7), report("h", 1)]);
        assert_eq!((sum(&waiting, "g"), sum(&waiting, "h")), (510, 1));
        // Another key of the group gives something back: the first one waits on.
        waiting.note(one, &[report("g k=b", 0)]);
        waiting.note(one, &[report("g k=a", 400)]);
        assert_eq!(sum(&waiting, "g"), 407);
        waiting.forget(one);
        waiting.forget(one);
        assert_eq!((sum(&waiting, "g"), sum(&waiting, "h")), (7, 1));
    }
}
