//! How soon one kind of call on a partition may follow the last one, so that calls get fatter as the load grows.
//!
//! A call has a fixed cost of about ten items. Where calls are few and fast, each is made at once. Two things make a partition rest, and
//! what gathers meanwhile goes into one call: calls of a tracker that follow each other without pause for a while, on whatever partitions,
//! and calls that take long, which says that Redis or this process is busy. The wait that comes of it is bounded by [`REST_MAX`].

use std::time::Duration;

use tokio::time::Instant;

/// Calls of a tracker may go on for ever at this distance: 4,000 each second, a quarter to a third of Redis' core when they are lean. A
/// single busy partition may make them all, as when the subtasks of one context run on few permits.
const EVERY: Duration = Duration::from_micros(250);
/// Calls in a row that need no distance, after a pause of as many times [`EVERY`].
const BURST: u32 = 128;
/// A call of this length is not slowed by others.
const CALM: Duration = Duration::from_micros(400);
/// Calls that are slower rest for longer than they took, up to this many times.
const FACTOR_MAX: u32 = 8;
/// The longest rest. What is due on the partition meanwhile is late by that much.
const REST_MAX: Duration = Duration::from_millis(8);

/// The pace of one kind of call, over all partitions.
#[derive(Debug)]
pub(crate) struct Pace {
    /// When the calls so far would have ended at a distance of [`EVERY`].
    paid: Instant,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self { paid: now }
    }

    /// A call that took `took` ended at `now`: the earliest instant of the next one on its partition.
    pub(crate) fn next(&mut self, now: Instant, took: Duration) -> Instant {
        self.paid = self.paid.max(now) + EVERY;
        let ahead = self.paid.duration_since(now);
        let rest = rest_after(took).max(ahead.saturating_sub(EVERY * BURST));
        now + rest.min(REST_MAX)
    }
}

/// As short as a calm call, and growing faster than a slow one.
fn rest_after(took: Duration) -> Duration {
    let factor = u32::try_from(took.as_micros() / CALM.as_micros()).unwrap_or(FACTOR_MAX);
    (took * factor.clamp(1, FACTOR_MAX)).min(REST_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_as_short_as_a_calm_call_and_grows_faster_than_a_slow_one() {
        let rest = |micros| rest_after(Duration::from_micros(micros)).as_micros();
        assert_eq!(rest(0), 0);
        assert_eq!(rest(150), 150);
        assert_eq!(rest(799), 799);
        assert_eq!(rest(800), 1_600);
        assert_eq!(rest(1_200), 3_600);
        assert_eq!(rest(60_000_000), REST_MAX.as_micros());
    }

    #[test]
    fn calls_without_pause_are_spaced_after_a_burst_and_a_pause_gives_it_back() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut now = start;
        for call in 1..=BURST {
            assert_eq!(pace.next(now, Duration::ZERO), now, "call {call}");
        }
        for _ in 0..3 {
            let next = pace.next(now, Duration::ZERO);
            assert_eq!(next - now, EVERY);
            now = next;
        }
        now += EVERY * BURST;
        for call in 1..=BURST {
            assert_eq!(
                pace.next(now, Duration::ZERO),
                now,
                "call {call} after a pause"
            );
        }
        assert!(pace.next(now, Duration::ZERO) > now);
    }
}
