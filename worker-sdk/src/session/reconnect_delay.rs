//! How long to wait before the next connection: full jitter, so that workers of a lost tracker do not return in step.

use std::time::Duration;

use tonic::Status;

use super::end::{is_lasting, is_refusal, report_end};
use crate::bounds::{RECONNECT_DELAY_MAX, RECONNECT_DELAY_MIN, REFUSED_DELAY_MAX};

#[derive(Debug)]
pub(super) struct ReconnectDelay {
    ceiling: Duration,
}

impl Default for ReconnectDelay {
    fn default() -> Self {
        Self {
            ceiling: RECONNECT_DELAY_MIN,
        }
    }
}

impl ReconnectDelay {
    /// Anything up to a ceiling that doubles.
    pub(super) fn next(&mut self) -> Duration {
        self.next_up_to(RECONNECT_DELAY_MAX)
    }

    fn next_up_to(&mut self, most: Duration) -> Duration {
        let ceiling = self.ceiling.min(most);
        self.ceiling = (ceiling * 2).min(most);
        ceiling.mul_f64(fastrand::f64())
    }

    /// The pause after a stream that was there.
    pub(super) fn after(&mut self, url: &str, status: Option<&Status>) -> Duration {
        report_end(url, status);
        if status.is_some_and(is_lasting) {
            self.ceiling = self.ceiling.max(RECONNECT_DELAY_MAX);
            return self.next_up_to(REFUSED_DELAY_MAX);
        }
        if status.is_some_and(|status| is_refusal(status.code())) {
            self.ceiling = RECONNECT_DELAY_MAX;
        }
        self.next()
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_core::error::Violation;
    use tickwheel_proto::wire::refusal::upgrade_required;

    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_its_bound() {
        let mut delay = ReconnectDelay::default();
        for ceiling in [50, 100, 200, 400, 800, 1_600, 2_000, 2_000] {
            assert_eq!(delay.ceiling, Duration::from_millis(ceiling));
            assert!(delay.next() <= Duration::from_millis(ceiling));
        }
    }

    #[test]
    fn a_refusal_waits_up_to_the_bound() {
        let mut delay = ReconnectDelay::default();
        let refused = Status::invalid_argument("no");
        assert!(delay.after("http://t", Some(&refused)) <= RECONNECT_DELAY_MAX);
        assert_eq!(delay.ceiling, RECONNECT_DELAY_MAX);
    }

    #[test]
    fn what_only_a_person_changes_is_tried_twice_a_minute_in_the_end() {
        let violation = Violation::new("hello.protocol", "is 1", 2);
        for refused in [
            Status::unauthenticated("no"),
            Status::permission_denied("no"),
            upgrade_required(&violation),
        ] {
            let mut delay = ReconnectDelay::default();
            for ceiling in [4, 8, 16, 30, 30] {
                delay.after("http://t", Some(&refused));
                assert_eq!(delay.ceiling, Duration::from_secs(ceiling), "{refused:?}");
            }
            // It is let in, and the stream breaks.
            assert!(delay.after("http://t", None) <= RECONNECT_DELAY_MAX);
        }
    }
}
