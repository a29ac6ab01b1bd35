//! How much is due when, in buckets of time, for whoever asks: one look for all of them, and none when nobody does.
//!
//! A look of a ring is one script for each partition and the question what time it is. However many ask, there is one in five seconds at most for
//! each width; where there are many partitions, it is made the less often, so that no more than [`LOOKS_A_SECOND`] of them are looked at in a second.

use std::time::Duration;

use futures::future::join_all;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_store::wheel::{Bucket, Histogram, RING_BUCKETS, Ring};
use tickwheel_store::{Error, Store};

use super::look::Look;

/// A look is good for so long at least.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// Partitions of one ring that are looked at in a second at most.
const LOOKS_A_SECOND: u32 = 32;
/// Partitions that are looked at at once.
const WAVE: usize = 64;
/// Entries of one look that are read, in all partitions, to tell what they are: a few milliseconds of Redis.
const READ: u32 = 1_600;

/// Looks for all who ask.
#[derive(Debug)]
pub(crate) struct Rings {
    store: Store,
    looks: [(Ring, Look<Seen>); Ring::ALL.len()],
}

/// What one look saw.
#[derive(Debug, Default)]
struct Seen {
    time: TimestampMs,
    wheel: Histogram,
    unreadable: u64,
}

impl Rings {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            looks: Ring::ALL.map(|ring| (ring, Look::default())),
        }
    }

    /// How long a look is good.
    fn every(&self) -> Duration {
        let partitions = u32::from(self.store.partitions().as_u16());
        (Duration::from_secs(1) * partitions / LOOKS_A_SECOND).max(GOOD_FOR)
    }

    /// The first `buckets` of a ring, as they are or were when they were looked at last.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub(crate) async fn now(&self, ring: Ring, buckets: usize) -> Result<v1::Wheel, Error> {
        let look = self.looks.iter().find(|(one, _)| *one == ring);
        let seen = match look {
            Some((_, look)) => look.within(self.every(), self.look(ring)).await?,
            // Each ring has one.
            None => return Ok(v1::Wheel::default()),
        };
        Ok(shown(&seen, ring, buckets))
    }

    async fn look(&self, ring: Ring) -> Result<Seen, Error> {
        let mut seen = Seen {
            time: self.store.time().await?,
            ..Seen::default()
        };
        let count = u32::from(self.store.partitions().as_u16());
        let (now, read) = (seen.time, (READ / count.max(1)).max(1));
        let partitions: Vec<PartitionId> = self.store.partitions().partitions().collect();
        for wave in partitions.chunks(WAVE) {
            let calls = wave.iter();
            let calls = calls.map(|partition| self.store.histogram(*partition, now, ring, read));
            for counted in join_all(calls).await {
                match counted {
                    Ok(counted) => seen.wheel.add(&counted),
                    Err(error @ (Error::Contract { .. } | Error::Damaged { .. })) => {
                        tracing::debug!(%error, "a wheel cannot be counted");
                        seen.unreadable += 1;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(seen)
    }
}

fn shown(seen: &Seen, ring: Ring, buckets: usize) -> v1::Wheel {
    let begins = ring.begins(seen.time);
    let shown = |(place, bucket): (u64, &Bucket)| v1::WheelBucket {
        from_ms: begins + place * ring.width_ms(),
        entries: bucket.entries,
        kinds: bucket.kinds.map(|kinds| v1::WheelKinds {
            runs: kinds.runs,
            retries: kinds.retries,
            jobs: kinds.jobs,
            deadlines: kinds.deadlines,
            upkeep: kinds.upkeep,
        }),
    };
    let wheel = &seen.wheel;
    let beyond = wheel.buckets.iter().skip(buckets.min(RING_BUCKETS));
    let beyond: u64 = beyond.map(|bucket| bucket.entries).sum();
    let counts = v1::WheelCounts {
        entries: wheel.entries,
        overdue: wheel.overdue,
        lag_ms: u64::try_from(wheel.oldest.as_millis()).unwrap_or(u64::MAX),
        buckets: (0..)
            .zip(wheel.buckets.iter().take(buckets))
            .map(shown)
            .collect(),
        later: wheel.later() + beyond,
    };
    v1::Wheel {
        time_ms: seen.time.as_u64(),
        width_ms: ring.width_ms(),
        counts: Some(counts),
        unreadable: seen.unreadable,
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_store::wheel::Kinds;

    use super::*;

    fn counted(entries: u64, kinds: Option<Kinds>) -> Histogram {
        let mut wheel = Histogram {
            entries: entries + 3,
            overdue: 1,
            oldest: Duration::from_millis(entries),
            ..Histogram::default()
        };
        wheel.buckets[7] = Bucket { entries, kinds };
        wheel
    }

    #[test]
    fn partitions_are_added_up_and_what_one_cannot_tell_is_not_told() {
        let kinds = |runs| {
            Some(Kinds {
                runs,
                ..Kinds::default()
            })
        };
        let mut wheel = counted(4, kinds(4));
        wheel.add(&counted(2, kinds(2)));
        assert_eq!(wheel.buckets[7].kinds.unwrap().runs, 6);
        wheel.add(&counted(9, None));
        let time = TimestampMs::new(61_500);
        let seen = Seen {
            time,
            wheel,
            unreadable: 2,
        };
        let whole = shown(&seen, Ring::Second, 60);
        let counts = whole.counts.unwrap();
        assert_eq!((counts.entries, counts.overdue, counts.lag_ms), (24, 3, 9));
        assert_eq!((counts.later, counts.buckets.len()), (6, 60));
        assert_eq!(
            (counts.buckets[0].from_ms, counts.buckets[7].from_ms),
            (61_000, 68_000)
        );
        assert_eq!(
            (counts.buckets[7].entries, counts.buckets[7].kinds),
            (15, None)
        );
        assert_eq!(counts.buckets[8].kinds, Some(v1::WheelKinds::default()));
        // What is not asked for is later.
        let part = shown(&seen, Ring::Second, 3).counts.unwrap();
        assert_eq!((part.buckets.len(), part.later), (3, 21));
    }
}
