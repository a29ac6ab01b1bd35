//! How long to wait before the next connection: full jitter, so that workers of a lost tracker do not return in step.

use std::time::Duration;

use tonic::Status;

use super::end::{is_refusal, report_end};
use crate::limits::{BACKOFF_MAX, BACKOFF_MIN};

#[derive(Debug)]
pub(super) struct Backoff {
    ceiling: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            ceiling: BACKOFF_MIN,
        }
    }
}

impl Backoff {
    /// Anything up to a ceiling that doubles.
    pub(super) fn next(&mut self) -> Duration {
        let ceiling = self.ceiling;
        self.ceiling = (ceiling * 2).min(BACKOFF_MAX);
        ceiling.mul_f64(fastrand::f64())
    }

    /// The pause after a stream that was there.
    pub(super) fn after(&mut self, url: &str, status: Option<&Status>) -> Duration {
        report_end(url, status);
        if status.is_some_and(|status| is_refusal(status.code())) {
            self.ceiling = BACKOFF_MAX;
        }
        self.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_its_bound() {
        let mut backoff = Backoff::default();
        for ceiling in [50, 100, 200, 400, 800, 1_600, 2_000, 2_000] {
            assert_eq!(backoff.ceiling, Duration::from_millis(ceiling));
            assert!(backoff.next() <= Duration::from_millis(ceiling));
        }
    }

    #[test]
    fn a_refusal_waits_up_to_the_bound() {
        let mut backoff = Backoff::default();
        assert!(backoff.after("http://t", Some(&Status::unauthenticated("no"))) <= BACKOFF_MAX);
        assert_eq!(backoff.ceiling, BACKOFF_MAX);
    }
}
