//! How much of something was asked for lately, in one number: the generic cell rate algorithm, with debt.
//!
//! The number is the instant at which all that was asked for is paid by the rate. While it lies less than [`BURST`] ahead, more is let in, and
//! moves it ahead by what that costs, however much: so a batch that is larger than what is left passes, the next one waits until it is paid, and over any
//! time nobody gets more than the rate and one burst, and what it asked for last.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What may be asked for at once is what the rate brings within this.
pub(super) const BURST: Duration = Duration::from_secs(2);

const BURST_NANOS: u64 = 2_000_000_000;
const SECOND_NANOS: u128 = 1_000_000_000;

/// So many of something in a second, of which a tracker has an equal share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) per_second: NonZeroU32,
    pub(super) trackers: NonZeroU32,
}

impl Rate {
    /// In how many nanoseconds the rate pays for `amount`, rounded up.
    fn nanos_of(self, amount: u64) -> u64 {
        let per_second = u128::from(self.per_second.get());
        let nanos = u128::from(amount) * SECOND_NANOS * u128::from(self.trackers.get());
        u64::try_from(nanos.div_ceil(per_second)).unwrap_or(u64::MAX)
    }

    /// How many a second this tracker lets in, rounded up.
    pub(super) fn here(self) -> u32 {
        self.per_second.get().div_ceil(self.trackers.get())
    }
}

/// See the module. Instants are nanoseconds since one that does not change.
#[derive(Debug, Default)]
pub(super) struct Cell {
    paid_at: AtomicU64,
}

impl Cell {
    /// Lets `amount` in, or says how long to wait; then nothing is counted. One atomic exchange.
    pub(super) fn take(&self, now: u64, rate: Rate, amount: u64) -> Result<(), Duration> {
        let cost = rate.nanos_of(amount);
        let let_in = |paid_at: u64| {
            let from = paid_at.max(now);
            (from - now < BURST_NANOS).then(|| from.saturating_add(cost))
        };
        let exchanged = self
            .paid_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, let_in);
        match exchanged {
            Ok(_) => Ok(()),
            Err(paid_at) => Err(wait(paid_at, now)),
        }
    }

    /// Whether anything would be let in, without counting it.
    pub(super) fn look(&self, now: u64) -> Result<(), Duration> {
        let paid_at = self.paid_at.load(Ordering::Relaxed);
        if paid_at.saturating_sub(now) < BURST_NANOS {
            Ok(())
        } else {
            Err(wait(paid_at, now))
        }
    }

    /// Whether nothing is unpaid: it is as good as a new one.
    pub(super) fn is_paid(&self, now: u64) -> bool {
        self.paid_at.load(Ordering::Relaxed) <= now
    }

    /// Counts what came in, however much there was before.
    pub(super) fn count(&self, now: u64, rate: Rate, amount: u64) {
        let cost = rate.nanos_of(amount);
        let more = |paid_at: u64| Some(paid_at.max(now).saturating_add(cost));
        // It never declines.
        self.paid_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok();
    }
}

/// Until less than a burst is unpaid.
fn wait(paid_at: u64, now: u64) -> Duration {
    let unpaid = paid_at.saturating_sub(now);
    Duration::from_nanos(unpaid.saturating_sub(BURST_NANOS).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn rate(per_second: u32, trackers: u32) -> Rate {
        Rate {
            per_second: NonZeroU32::new(per_second).unwrap(),
            trackers: NonZeroU32::new(trackers).unwrap(),
        }
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let (cell, rate) = (Cell::default(), rate(10, 1));
        let passed = |now: u64| {
            (0..1_000)
                .take_while(|_| cell.take(now, rate, 1).is_ok())
                .count()
        };
        assert_eq!(passed(0), 20, "two seconds' worth at once");
        assert_eq!(passed(SECOND), 10, "and ten in a second");
        assert_eq!(
            passed(100 * SECOND),
            20,
            "no more, however long nothing came"
        );
        let wait = cell.take(100 * SECOND, rate, 1).unwrap_err();
        assert_eq!(wait.as_millis(), 0, "the burst is spent to the nanosecond");
        assert!(cell.take(100 * SECOND + 1, rate, 1).is_ok());
        let wait = cell.take(100 * SECOND + 1, rate, 1).unwrap_err();
        assert_eq!(wait.as_millis(), 100);
    }

    #[test]
    fn trackers_share_a_rate_and_each_lets_some_in() {
        let passed = |rate: Rate| {
            let cell = Cell::default();
            (0..1_000)
                .take_while(|_| cell.take(0, rate, 1).is_ok())
                .count()
        };
        assert_eq!((passed(rate(30, 1)), passed(rate(30, 3))), (60, 20));
        assert_eq!(passed(rate(1, 1_000)), 1, "the least rate lets one in");
        assert_eq!((rate(30, 4).here(), rate(1, 5).here()), (8, 1));
    }

    #[test]
    fn what_is_larger_than_a_burst_passes_and_is_paid_for() {
        let (cell, rate) = (Cell::default(), rate(100, 1));
        assert!(cell.take(0, rate, 1_000).is_ok());
        let wait = cell.take(0, rate, 1).unwrap_err();
        assert_eq!(wait, Duration::from_nanos(8 * SECOND + 1));
        assert_eq!(cell.look(8 * SECOND), Err(Duration::from_nanos(1)));
        assert_eq!(cell.look(8 * SECOND + 1), Ok(()));
        let huge = Cell::default();
        huge.count(5, self::rate(1, 1), u64::MAX);
        assert!(huge.look(u64::MAX / 2).is_err(), "nothing overflows");
    }

    proptest! {
        #[test]
        fn over_any_time_nobody_gets_more_than_rate_burst_and_the_last(
            per_second in 1_u32..1_000, trackers in 1_u32..5,
            asked in proptest::collection::vec((0_u64..300_000_000, 1_u64..50), 1..200),
        ) {
            let (cell, rate) = (Cell::default(), rate(per_second, trackers));
            let (mut now, mut got, mut most) = (0_u64, 0_u64, 0_u64);
            for (pause, amount) in asked {
                now += pause;
                if cell.take(now, rate, amount).is_ok() {
                    got += amount;
                    most = most.max(amount);
                } else {
                    let wait = u64::try_from(cell.look(now).unwrap_err().as_nanos()).unwrap();
                    prop_assert!(cell.look(now + wait).is_ok(), "the wait that is told is enough");
                    prop_assert!(cell.look(now + wait - 1).is_err(), "and no longer than it has to be");
                }
            }
            let brought = u128::from(now + BURST_NANOS) * u128::from(per_second);
            let brought = brought / u128::from(trackers) / u128::from(SECOND);
            prop_assert!(u128::from(got) <= brought + u128::from(most) + 1);
        }
    }
}
