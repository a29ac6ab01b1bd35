//! When, on this machine's monotonic clock, Redis' clock will show an instant.
//!
//! Redis decides what is due; this only says how long to sleep before asking. Each reply that carries Redis' time bounds the difference of
//! the two clocks from below (the reply was on its way for a while), so the greatest bound of the last minute is the best one.

use std::time::Duration;

use tickwheel_core::time::TimestampMs;
use tokio::time::Instant;

/// Bounds older than one to two of these are forgotten, so that a clock that was set back is followed.
const WINDOW: Duration = Duration::from_secs(30);

/// The difference between Redis' clock and ours.
#[derive(Debug)]
pub(crate) struct Clock {
    base: Instant,
    window_start: Instant,
    /// Redis' microseconds minus ours since `base`: the greatest bound of this window and of the one before.
    current: Option<i64>,
    previous: Option<i64>,
}

impl Clock {
    pub(crate) fn new(base: Instant) -> Self {
        Self {
            base,
            window_start: base,
            current: None,
            previous: None,
        }
    }

    fn ours(&self, at: Instant) -> i64 {
        i64::try_from(at.duration_since(self.base).as_micros()).unwrap_or(i64::MAX)
    }

    /// A reply received at `at` said that Redis' clock shows `now`.
    pub(crate) fn observe(&mut self, now: TimestampMs, at: Instant) {
        if at.duration_since(self.window_start) > WINDOW {
            self.previous = self.current.take();
            self.window_start = at;
        }
        let bound = micros(now).saturating_sub(self.ours(at));
        self.current = Some(self.current.map_or(bound, |known| known.max(bound)));
    }

    /// When Redis' clock will show `due`, from earlier replies; `None` before the first.
    pub(crate) fn known_instant(&self, due: TimestampMs) -> Option<Instant> {
        let offset = self.current.max(self.previous)?;
        let ours = u64::try_from(micros(due).saturating_sub(offset)).unwrap_or(0);
        Some(self.base + Duration::from_micros(ours))
    }

    /// When to ask for what is due at `due`, given a reply received at `received` in which Redis' clock showed `now`.
    pub(crate) fn instant_of(
        &self,
        due: TimestampMs,
        now: TimestampMs,
        received: Instant,
    ) -> Instant {
        let wait = Duration::from_millis(due.as_u64().saturating_sub(now.as_u64()));
        let latest = received + wait;
        let Some(best) = self.known_instant(due) else {
            return latest;
        };
        // A bound from before Redis' clock was set back would wake us early again and again.
        let stale = best <= received && wait > Duration::from_millis(2);
        if stale { latest } else { best.min(latest) }
    }
}

fn micros(at: TimestampMs) -> i64 {
    i64::try_from(at.as_u64())
        .unwrap_or(i64::MAX)
        .saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_fastest_reply_sets_the_clock() {
        let base = Instant::now();
        let mut clock = Clock::new(base);
        // Redis is 1,000,000 ms ahead; the first reply took 5 ms, the second none.
        clock.observe(TimestampMs::from(1_000_000), base + ms(5));
        clock.observe(TimestampMs::from(1_000_010), base + ms(10));
        let at = clock.instant_of(
            TimestampMs::from(1_000_100),
            TimestampMs::from(1_000_010),
            base + ms(14),
        );
        assert_eq!(at, base + ms(100));
    }

    #[test]
    fn a_clock_set_back_does_not_spin() {
        let base = Instant::now();
        let mut clock = Clock::new(base);
        clock.observe(TimestampMs::from(5_000_000), base);
        let at = clock.instant_of(
            TimestampMs::from(1_000_100),
            TimestampMs::from(1_000_000),
            base + ms(10),
        );
        assert_eq!(at, base + ms(110));
    }
}
