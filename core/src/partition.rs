//! Which partition a key belongs to, and which tracker turns a partition on time.
//!
//! Both are written into Redis or agreed on by trackers of different versions, so the hashes are spelled out here
//! and held by test vectors; they never change for a cluster.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::bounds::{PARTITIONS_DEFAULT, PARTITIONS_MAX};
use crate::error::Violation;
use crate::id::TrackerId;

/// Number of a partition, from 0.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct PartitionId(u16);

impl PartitionId {
    /// The partition of this number.
    ///
    /// # Errors
    /// A violation at [`PARTITIONS_MAX`] or above.
    pub fn new(number: u16) -> Result<Self, Violation> {
        if number < PARTITIONS_MAX {
            return Ok(Self(number));
        }
        Err(Violation::new("partition", "is 0..=1023", number))
    }

    /// The number.
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        self.0
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for PartitionId {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let number = text
            .parse()
            .map_err(|_| Violation::new("partition", "is 0..=1023", text))?;
        Self::new(number)
    }
}

/// How many partitions a cluster has, 1..=1024; fixed when it is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct PartitionCount(u16);

impl PartitionCount {
    /// A checked count.
    ///
    /// # Errors
    /// A violation outside 1..=1024.
    pub fn new(count: u16) -> Result<Self, Violation> {
        if (1..=PARTITIONS_MAX).contains(&count) {
            return Ok(Self(count));
        }
        Err(Violation::new("partitions", "is 1..=1024", count))
    }

    /// The number of partitions.
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// Every partition, in order.
    pub fn partitions(self) -> impl ExactSizeIterator<Item = PartitionId> {
        (0..self.0).map(PartitionId)
    }
}

impl Default for PartitionCount {
    fn default() -> Self {
        Self(PARTITIONS_DEFAULT)
    }
}

impl TryFrom<u16> for PartitionCount {
    type Error = Violation;

    fn try_from(count: u16) -> Result<Self, Violation> {
        Self::new(count)
    }
}

impl From<PartitionCount> for u16 {
    fn from(count: PartitionCount) -> Self {
        count.0
    }
}

impl fmt::Display for PartitionCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for PartitionCount {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let count = text
            .parse()
            .map_err(|_| Violation::new("partitions", "is 1..=1024", text))?;
        Self::new(count)
    }
}

/// The partition of a key: the full name of a job, a dedup key, or the key of a lone context.
#[must_use]
pub fn partition_of(key: &str, count: PartitionCount) -> PartitionId {
    let number = fnv1a64(key.as_bytes()) % u64::from(count.0);
    // The remainder is below 1024, so the conversion always succeeds.
    PartitionId(u16::try_from(number).unwrap_or_default())
}

/// The trackers in the order in which they look after `partition` (rendezvous hashing): the first turns it on time,
/// the others look only for what is overdue. A tracker that joins or leaves moves only its own partitions.
#[must_use]
pub fn rank(partition: PartitionId, trackers: &[TrackerId]) -> Vec<&TrackerId> {
    let mut ranked: Vec<(u64, &TrackerId)> = trackers
        .iter()
        .map(|tracker| (weight(partition, tracker), tracker))
        .collect();
    // The id breaks a tie, so that the order is total and equal on every tracker.
    ranked.sort_unstable_by(|a, b| b.cmp(a));
    ranked.dedup_by_key(|(_, tracker)| *tracker);
    ranked.into_iter().map(|(_, tracker)| tracker).collect()
}

/// The tracker that turns `partition` on time; `None` when there is no tracker.
#[must_use]
pub fn owner(partition: PartitionId, trackers: &[TrackerId]) -> Option<&TrackerId> {
    trackers
        .iter()
        .max_by_key(|tracker| (weight(partition, tracker), *tracker))
}

fn weight(partition: PartitionId, tracker: &TrackerId) -> u64 {
    mix(fnv1a64(format!("{partition}:{tracker}").as_bytes()))
}

/// FNV-1a, 64 bit.
fn fnv1a64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A hash of a text whose bits are all as good as any other.
pub(crate) fn spread(text: &str) -> u64 {
    mix(fnv1a64(text.as_bytes()))
}

/// The finaliser of SplitMix64: FNV alone hardly spreads the last byte into the high bits that decide a rank.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trackers(numbers: impl IntoIterator<Item = u64>) -> Vec<TrackerId> {
        numbers.into_iter().map(TrackerId::of_incarnation).collect()
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // Published vectors.
        assert_eq!(fnv1a64(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a64(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a64(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn keys_stay_in_their_partitions_for_ever() {
        let of = |key, count| partition_of(key, PartitionCount::new(count).unwrap()).as_u16();
        let table = [
            ("default/x", 16, 1),
            ("billing/nightly", 16, 6),
            ("billing/nightly", 1_024, 678),
        ];
        for (key, count, partition) in table {
            assert_eq!(of(key, count), partition, "{key} of {count}");
        }
    }

    #[test]
    fn ranks_are_the_same_in_every_version() {
        let trackers = trackers(1..=4);
        let order = |partition| -> Vec<String> {
            let partition = PartitionId::new(partition).unwrap();
            rank(partition, &trackers)
                .into_iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(order(0), ["trk-1", "trk-2", "trk-3", "trk-4"]);
        assert_eq!(order(7), ["trk-1", "trk-4", "trk-3", "trk-2"]);
    }

    #[test]
    fn counts_and_numbers_out_of_range_are_refused() {
        assert!(PartitionCount::new(0).is_err());
        assert!(PartitionCount::new(1_025).is_err());
        assert!("16 ".parse::<PartitionCount>().is_err());
        assert!(PartitionId::new(1_024).is_err());
        assert_eq!(PartitionCount::new(3).unwrap().partitions().len(), 3);
    }

    #[test]
    fn partitions_are_shared_out_evenly() {
        let trackers = trackers(10..14);
        let count = PartitionCount::new(1_024).unwrap();
        for tracker in &trackers {
            let owned = count
                .partitions()
                .filter(|one| owner(*one, &trackers) == Some(tracker))
                .count();
            assert!(
                (200..312).contains(&owned),
                "{tracker} owns {owned} of 1024"
            );
        }
    }

    proptest! {
        #[test]
        fn a_tracker_that_leaves_moves_only_its_own_partitions(
            numbers in proptest::collection::btree_set(0_u64..1_000, 2..8), partition in 0_u16..1_024,
        ) {
            let all = trackers(numbers);
            let partition = PartitionId::new(partition).unwrap();
            let ranked = rank(partition, &all);
            prop_assert_eq!(Some(ranked[0]), owner(partition, &all));
            let rest: Vec<TrackerId> = ranked[1..].iter().map(|one| (*one).clone()).collect();
            prop_assert_eq!(rank(partition, &rest), &ranked[1..]);
            let without_last: Vec<TrackerId> = ranked[..ranked.len() - 1].iter().map(|one| (*one).clone()).collect();
            prop_assert_eq!(owner(partition, &without_last), owner(partition, &all));
        }

        #[test]
        fn numbers_round_trip(count in 1_u16..=1_024) {
            let count = PartitionCount::new(count).unwrap();
            prop_assert_eq!(count.to_string().parse(), Ok(count));
            let last = PartitionId::new(count.as_u16() - 1).unwrap();
            prop_assert_eq!(last.to_string().parse(), Ok(last));
        }
    }
}
