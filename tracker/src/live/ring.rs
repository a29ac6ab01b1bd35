//! The newest ends of runs, for everybody who watches them: each goes through them at his own pace, and who is too slow is told how many he
//! missed.

use std::collections::VecDeque;
use std::sync::Arc;

use tickwheel_core::time::TimestampMs;
use tickwheel_store::record::Settled;

use super::topic::RunsPoint;

/// Bytes of all records, about.
const BYTES_MAX: usize = 2 << 20;
/// Records.
const RECORDS_MAX: u64 = 8_192;
/// Between the end that a record says and the event it is in.
const SLACK_MS: u64 = 1_000;

/// What was found by one look.
#[derive(Debug)]
pub(crate) struct Batch {
    /// How many came before it.
    first: u64,
    /// All that ended before this is in it or before it.
    until: TimestampMs,
    pub(crate) ended: Vec<Settled>,
    /// More had ended than could be looked at.
    pub(crate) skipped: bool,
    bytes: usize,
}

/// Where somebody is in the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    ring: u32,
    /// The batch that comes next.
    batch: u64,
    point: RunsPoint,
    /// What ended before is known from another ring.
    known: TimestampMs,
}

/// What comes next for somebody.
#[derive(Debug)]
pub(crate) enum Next {
    /// Something is missing; so many, or 0 where that is not known.
    Missed(u64),
    /// These ended.
    Batch(Arc<Batch>),
}

/// The newest ends.
#[derive(Debug)]
pub(crate) struct Ring {
    id: u32,
    batches: VecDeque<Arc<Batch>>,
    /// The number of the first of `batches`.
    front: u64,
    /// Records that came in all.
    records: u64,
    bytes: usize,
    /// From here on the batches have all that ended.
    since: TimestampMs,
    until: TimestampMs,
}

impl Ring {
    /// One that will have what ended since then. No two have the same id.
    pub(crate) fn new(id: u32, since: TimestampMs) -> Self {
        Self {
            id,
            batches: VecDeque::new(),
            front: 0,
            records: 0,
            bytes: 0,
            since,
            until: since,
        }
    }

    /// Adds what a look found: all that ended before `until`, behind what was found earlier.
    pub(crate) fn push(&mut self, mut ended: Vec<Settled>, skipped: bool, until: TimestampMs) {
        self.until = self.until.max(until);
        if ended.is_empty() && !skipped {
            return;
        }
        ended.sort_by_key(|settled| settled.ended);
        let bytes = ended.iter().map(bytes_of).sum();
        let first = self.records;
        self.records += count(&ended);
        self.bytes += bytes;
        self.batches.push_back(Arc::new(Batch {
            first,
            until: self.until,
            ended,
            skipped,
            bytes,
        }));
        // The newest stays, whatever it has: a look is bounded.
        while self.batches.len() > 1
            && let Some(oldest) = self.batches.front()
            && (self.bytes > BYTES_MAX || self.records - oldest.first > RECORDS_MAX)
        {
            self.bytes -= oldest.bytes;
            self.since = oldest.until;
            self.front += 1;
            self.batches.pop_front();
        }
    }

    fn end(&self) -> u64 {
        self.front + u64::try_from(self.batches.len()).unwrap_or(u64::MAX)
    }

    /// Behind everything that is there.
    pub(crate) fn newest(&self) -> Place {
        Place {
            ring: self.id,
            batch: self.end(),
            point: self.point(self.until, self.records),
            known: TimestampMs::new(0),
        }
    }

    fn point(&self, time: TimestampMs, records: u64) -> RunsPoint {
        RunsPoint {
            time,
            ring: self.id,
            records,
        }
    }

    /// Where somebody goes on who knows so much; true when something between is missing, and nobody knows how much.
    pub(crate) fn find(&self, known: RunsPoint) -> (Place, bool) {
        if known.ring == self.id {
            let behind = |batch: &&Arc<Batch>| batch.first >= known.records;
            let missing = self.batches.iter().rev().take_while(behind).count();
            let place = Place {
                ring: self.id,
                batch: self.end() - u64::try_from(missing).unwrap_or_default(),
                point: known,
                known: TimestampMs::new(0),
            };
            return (place, false);
        }
        let older = |batch: &&Arc<Batch>| batch.until < known.time;
        let passed = self.batches.iter().take_while(older).count();
        let place = Place {
            ring: self.id,
            batch: self.front + u64::try_from(passed).unwrap_or_default(),
            point: RunsPoint {
                records: self
                    .batches
                    .get(passed)
                    .map_or(self.records, |one| one.first),
                ..self.point(known.time, 0)
            },
            known: TimestampMs::new(known.time.as_u64().saturating_sub(SLACK_MS)),
        };
        (place, known.time < self.since)
    }

    /// What comes next at `place`, which moves behind it; `None` when nothing does yet.
    pub(crate) fn next(&self, place: &mut Place) -> Option<Next> {
        if place.ring != self.id {
            // It began anew: nobody watched for a while.
            let (found, missed) = self.find(place.point);
            *place = found;
            if missed {
                return Some(Next::Missed(0));
            }
        }
        if place.batch < self.front {
            let first = self.batches.front().map_or(self.records, |one| one.first);
            let missed = first.saturating_sub(place.point.records);
            place.batch = self.front;
            place.point.records = first;
            return Some(Next::Missed(missed));
        }
        let at = usize::try_from(place.batch - self.front).ok()?;
        let batch = self.batches.get(at)?;
        place.batch += 1;
        place.point = self.point(batch.until, batch.first + count(&batch.ended));
        Some(Next::Batch(Arc::clone(batch)))
    }
}

impl Place {
    /// What a cursor says of it.
    pub(crate) fn point(&self) -> RunsPoint {
        self.point
    }

    /// Whether an end is known already.
    pub(crate) fn knows(&self, settled: &Settled) -> bool {
        settled.ended < self.known
    }
}

fn count(ended: &[Settled]) -> u64 {
    u64::try_from(ended.len()).unwrap_or(u64::MAX)
}

/// About what a record takes.
pub(super) fn bytes_of(settled: &Settled) -> usize {
    size_of::<Settled>() + settled.id.as_str().len() + settled.message.len() + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> TimestampMs {
        TimestampMs::new(ms)
    }

    fn ended(ms: u64, message: &str) -> Settled {
        let text = format!("3.900.e-{ms}\tfailed\t1\tw\t5\t{ms}\t{message}\tg\th\t1");
        Settled::parse(text.as_bytes()).unwrap()
    }

    fn all(ring: &Ring, place: &mut Place) -> Vec<Result<u64, u64>> {
        let mut told = Vec::new();
        while let Some(next) = ring.next(place) {
            match next {
                Next::Missed(count) => told.push(Err(count)),
                Next::Batch(batch) => {
                    let new = batch.ended.iter().filter(|one| !place.knows(one));
                    told.extend(new.map(|one| Ok(one.ended.as_u64())));
                }
            }
        }
        told
    }

    #[test]
    fn everybody_goes_on_where_he_was() {
        let mut ring = Ring::new(1, at(0));
        ring.push(vec![ended(5, ""), ended(3, "")], false, at(10));
        let mut late = ring.newest();
        assert_eq!(all(&ring, &mut late), []);
        ring.push(vec![ended(12, "")], false, at(20));
        ring.push(Vec::new(), false, at(30));
        ring.push(vec![ended(31, "")], false, at(40));
        let (mut early, missed) = ring.find(RunsPoint {
            time: at(0),
            ring: 1,
            records: 0,
        });
        assert!(!missed);
        assert_eq!(all(&ring, &mut early), [Ok(3), Ok(5), Ok(12), Ok(31)]);
        assert_eq!(all(&ring, &mut late), [Ok(12), Ok(31)]);
        // By its cursor, on the same tracker, nothing comes twice.
        let (mut again, missed) = ring.find(late.point());
        assert_eq!((all(&ring, &mut again), missed), (vec![], false));
    }

    #[test]
    fn another_tracker_goes_on_by_time_and_says_what_it_cannot_know() {
        let mut ring = Ring::new(1, at(10_000));
        ring.push(
            vec![ended(11_000, ""), ended(14_500, "")],
            false,
            at(15_000),
        );
        ring.push(vec![ended(16_000, "")], false, at(17_000));
        let known = |time| RunsPoint {
            time: at(time),
            ring: 9,
            records: 77,
        };
        let (mut place, missed) = ring.find(known(15_000));
        assert_eq!(
            (all(&ring, &mut place), missed),
            (vec![Ok(14_500), Ok(16_000)], false)
        );
        let (mut place, missed) = ring.find(known(15_001));
        assert_eq!((all(&ring, &mut place), missed), (vec![Ok(16_000)], false));
        assert!(ring.find(known(9_999)).1 && !ring.find(known(10_000)).1);
        // What comes later is compared with it too, and is new.
        ring.push(vec![ended(18_000, "")], false, at(19_000));
        assert_eq!(all(&ring, &mut place), [Ok(18_000)]);
    }

    #[test]
    fn who_is_too_slow_is_told_how_many_he_missed() {
        let mut ring = Ring::new(1, at(0));
        let mut slow = ring.newest();
        let long = "x".repeat(1_000);
        for ms in 1..=10_000 {
            ring.push(vec![ended(ms, &long)], false, at(ms));
        }
        assert!(ring.bytes <= BYTES_MAX && ring.batches.len() < 3_000);
        let told = all(&ring, &mut slow);
        let Some(Err(missed)) = told.first() else {
            panic!("{:?}", told.first());
        };
        assert_eq!(*missed, 10_000 - (told.len() as u64 - 1));
        assert_eq!(told.get(1), Some(&Ok(missed + 1)));
        assert_eq!(told.last(), Some(&Ok(10_000)));
        let mut small = Ring::new(2, at(0));
        for ms in 1..=20_000 {
            small.push(vec![ended(ms, "")], false, at(ms));
        }
        assert!(small.records - small.batches[0].first <= RECORDS_MAX);
    }

    #[test]
    fn a_ring_that_began_anew_is_entered_by_time() {
        let mut place = Ring::new(1, at(0)).newest();
        let mut ring = Ring::new(2, at(5_000));
        ring.push(vec![ended(6_000, "")], false, at(7_000));
        assert_eq!(all(&ring, &mut place), [Err(0), Ok(6_000)]);
    }
}
