//! How long to wait before the next connection: full jitter, so that workers of a lost tracker do not return in step.

use std::time::Duration;

use tonic::Status;

use super::end::{is_refusal, report_end};
use crate::bounds::{RECONNECT_DELAY_MAX, RECONNECT_DELAY_MIN};

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
        let ceiling = self.ceiling;
        self.ceiling = (ceiling * 2).min(RECONNECT_DELAY_MAX);
        ceiling.mul_f64(fastrand::f64())
    }

    /// The pause after a stream that was there.
    pub(super) fn after(&mut self, url: &str, status: Option<&Status>) -> Duration {
        report_end(url, status);
        if status.is_some_and(|status| is_refusal(status.code())) {
            self.ceiling = RECONNECT_DELAY_MAX;
        }
        self.next()
    }
}

#[cfg(test)]
mod tests {
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
        assert!(
            delay.after("http://t", Some(&Status::unauthenticated("no"))) <= RECONNECT_DELAY_MAX
        );
        assert_eq!(delay.ceiling, RECONNECT_DELAY_MAX);
    }
}
