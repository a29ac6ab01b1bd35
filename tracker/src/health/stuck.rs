//! Partitions that this tracker cannot turn: their visits fail, again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_core::partition::PartitionId;
use tokio::time::Instant;

/// A partition counts as stuck when its visits have failed for this long: longer than a failover.
const AFTER: Duration = Duration::from_secs(10);
/// Numbers that a reason names.
const NAMED_MAX: usize = 8;

/// Since when the visits of a partition fail.
#[derive(Debug, Default)]
pub(crate) struct Stuck(Mutex<BTreeMap<PartitionId, Instant>>);

impl Stuck {
    /// A visit failed.
    pub(crate) fn failed(&self, partition: PartitionId, now: Instant) {
        self.0.lock().entry(partition).or_insert(now);
    }

    /// A visit did not fail.
    pub(crate) fn recovered(&self, partition: PartitionId) {
        self.0.lock().remove(&partition);
    }

    /// How many are stuck at `now`, and why that keeps a tracker from being ready; `None` without any.
    pub(crate) fn told(&self, now: Instant) -> (usize, Option<String>) {
        let stuck = self.at(now);
        (stuck.len(), reason(&stuck))
    }

    fn at(&self, now: Instant) -> Vec<PartitionId> {
        let failing = self.0.lock();
        let stuck = failing.iter().filter(|(_, since)| now - **since >= AFTER);
        stuck.map(|(partition, _)| *partition).collect()
    }
}

/// Why a tracker with these stuck partitions is not ready; `None` without any.
fn reason(stuck: &[PartitionId]) -> Option<String> {
    let first = stuck.first()?;
    if stuck.len() == 1 {
        return Some(format!("partition {first} cannot be turned"));
    }
    let named: Vec<String> = stuck
        .iter()
        .take(NAMED_MAX)
        .map(ToString::to_string)
        .collect();
    let more = if stuck.len() > NAMED_MAX { ", …" } else { "" };
    Some(format!(
        "{} partitions cannot be turned: {}{more}",
        stuck.len(),
        named.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_for_long_is_stuck_until_it_does_not() {
        let (stuck, base) = (Stuck::default(), Instant::now());
        let id = |number| PartitionId::new(number).unwrap();
        stuck.failed(id(3), base);
        stuck.failed(id(3), base + AFTER / 2);
        assert_eq!(stuck.at(base + AFTER / 2), []);
        assert_eq!(stuck.at(base + AFTER), [id(3)]);
        assert_eq!(
            reason(&stuck.at(base + AFTER)).as_deref(),
            Some("partition 3 cannot be turned")
        );
        (10..20).for_each(|number| stuck.failed(id(number), base));
        assert_eq!(
            reason(&stuck.at(base + AFTER)).as_deref(),
            Some("11 partitions cannot be turned: 3, 10, 11, 12, 13, 14, 15, 16, …")
        );
        stuck.recovered(id(3));
        assert!(!stuck.at(base + AFTER * 2).contains(&id(3)));
        assert_eq!(reason(&[]), None);
    }
}
