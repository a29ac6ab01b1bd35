//! How late handlers begin: due time to handler start, measured in the worker. Fair only where worker and Redis share a
//! machine, and so a clock, as they do in `dev`.

use std::sync::Arc;

use hdrhistogram::Histogram;
use parking_lot::Mutex;

use crate::instant::now_ms;

/// Lateness above an hour is counted as an hour.
const HIGHEST_MS: u64 = 3_600_000;

/// A shared histogram of the contexts that were due since some instant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lateness(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    since_ms: u64,
    histogram: Option<Histogram<u64>>,
}

impl Lateness {
    /// Notes the start of a first attempt; a retry is late on purpose.
    pub(super) fn note(&self, due_ms: u64, attempt: u32) {
        let late = now_ms().saturating_sub(due_ms).min(HIGHEST_MS);
        let mut noted = self.0.lock();
        if attempt > 1 || due_ms < noted.since_ms {
            return;
        }
        if noted.histogram.is_none() {
            noted.histogram = Histogram::new_with_max(HIGHEST_MS, 3).ok();
        }
        if let Some(histogram) = noted.histogram.as_mut() {
            histogram.saturating_record(late);
        }
    }

    /// Begins anew: what was due before `since_ms` does not count.
    pub(crate) fn restart(&self, since_ms: u64) {
        let mut noted = self.0.lock();
        *noted = Noted {
            since_ms,
            histogram: None,
        };
    }

    /// The lateness that 99 of 100 do not exceed, ms; 0 when nothing was noted.
    pub(crate) fn p99_ms(&self) -> u64 {
        let noted = self.0.lock();
        noted
            .histogram
            .as_ref()
            .map_or(0, |h| h.value_at_quantile(0.99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_first_attempts_of_what_is_due_since_the_start_count() {
        let lateness = Lateness::default();
        assert_eq!(lateness.p99_ms(), 0);
        lateness.note(0, 2);
        assert_eq!(lateness.p99_ms(), 0);
        lateness.note(now_ms(), 1);
        assert!(lateness.p99_ms() < 1_000);
        lateness.note(0, 1);
        assert!(lateness.p99_ms() >= HIGHEST_MS);
        lateness.restart(1);
        lateness.note(0, 1);
        assert_eq!(lateness.p99_ms(), 0);
    }
}
