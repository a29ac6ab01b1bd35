//! Whether Redis was away for this tracker, and may have missed renewals because of it.
//!
//! When Redis does not answer for a while, or its clock leaps, leases are over that nobody could prolong. Their workers are alive, and
//! prolong them as soon as they can: for a grace no lease is taken back by this tracker. It knows from the instants at which Redis
//! answered, by its own monotonic clock; a tracker that was cut off alone delays only itself. A worker that died meanwhile costs the grace.

use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_core::time::TimestampMs;
use tokio::time::Instant;

use crate::metrics::measure;

/// Redis was away when it has not answered for this long. A tracker gives a heartbeat every second, and a call waits three.
const AWAY: Duration = Duration::from_secs(3);
/// Redis' clock leapt when it went this much further, or less far, than ours.
const LEAP: Duration = Duration::from_secs(2);
/// Workers ask for a lease in each third of it, and every two seconds where they get no answer.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// The newest answer: Redis' clock, and ours.
    last: Option<(TimestampMs, Instant)>,
    grace_until: Option<Instant>,
}

/// What the answers of Redis say about outages.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    state: Mutex<State>,
}

impl Outage {
    /// Redis answered at `at`, and its clock showed `now`.
    pub(crate) fn answered(&self, now: TimestampMs, at: Instant) {
        let mut state = self.state.lock();
        let Some((last_now, last_at)) = state.last else {
            state.last = Some((now, at));
            return;
        };
        if at < last_at {
            return;
        }
        let ours = at.duration_since(last_at);
        let theirs = Duration::from_millis(now.as_u64().saturating_sub(last_now.as_u64()));
        let back = Duration::from_millis(last_now.as_u64().saturating_sub(now.as_u64()));
        state.last = Some((now, at));
        if ours >= AWAY || theirs > ours + LEAP {
            state.grace_until = Some(at + GRACE);
            tracing::warn!(
                silent_ms = ours.as_millis(),
                clock_ms = theirs.as_millis(),
                "redis was away, or its clock leapt: no lease is taken back for {} s",
                GRACE.as_secs()
            );
        }
        if back > LEAP {
            measure::clock_regressed();
            tracing::error!(
                back_ms = back.as_millis(),
                "redis' clock was set back: what is due after it waits until it is that time again"
            );
        }
    }

    /// Until when no lease is taken back, when that is after `now`.
    pub(crate) fn grace(&self, now: Instant) -> Option<Instant> {
        self.state.lock().grace_until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Answers as (Redis' clock, ours), both in ms.
    fn after(answers: &[(u64, u64)]) -> (Outage, Instant) {
        let (outage, base) = (Outage::default(), Instant::now());
        for (now, at) in answers {
            outage.answered(TimestampMs::new(*now), base + ms(*at));
        }
        (outage, base)
    }

    #[test]
    fn an_answer_each_second_is_no_outage() {
        let (outage, base) = after(&[(50_000, 0), (51_000, 1_000), (52_500, 2_400)]);
        assert_eq!(outage.grace(base), None);
    }

    #[test]
    fn after_a_silence_there_is_a_grace() {
        let (outage, base) = after(&[(50_000, 0), (53_000, 3_000)]);
        assert_eq!(outage.grace(base + ms(3_000)), Some(base + ms(8_000)));
        assert_eq!(outage.grace(base + ms(8_000)), None);
    }

    #[test]
    fn a_clock_that_leaps_ahead_gives_a_grace_and_one_that_falls_back_does_not() {
        let (outage, base) = after(&[(50_000, 0), (3_650_000, 100)]);
        assert_eq!(outage.grace(base + ms(100)), Some(base + ms(5_100)));
        let (outage, base) = after(&[(3_650_000, 0), (50_000, 100)]);
        assert_eq!(outage.grace(base), None);
    }

    #[test]
    fn a_new_tracker_knows_of_no_outage() {
        let (outage, base) = after(&[(50_000, 9_000)]);
        assert_eq!(outage.grace(base), None);
    }
}
