//! Lines that may come from each item of a flood, written once in an interval.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::metrics::measure;

/// Between two lines about the same kind of trouble, of whatever partition.
pub(crate) const LINE_EVERY: Duration = Duration::from_secs(1);

/// Lets one through in each interval, and counts the others.
#[derive(Debug)]
pub(crate) struct Seldom {
    every: Duration,
    last: Mutex<(Option<Instant>, u64)>,
}

impl Seldom {
    pub(crate) const fn new(every: Duration) -> Self {
        Self {
            every,
            last: Mutex::new((None, 0)),
        }
    }

    /// How many were kept back since the last one, when this one may be written.
    pub(crate) fn next(&self, now: Instant) -> Option<u64> {
        let (last, kept_back) = &mut *self.last.lock();
        if last.is_some_and(|last| now.saturating_duration_since(last) < self.every) {
            *kept_back += 1;
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(kept_back))
    }
}

/// What to do when a batch was not written: it is counted, and few of many failures have a line.
#[derive(Debug)]
pub(crate) struct Unwritten(Seldom);

impl Default for Unwritten {
    fn default() -> Self {
        Self(Seldom::new(LINE_EVERY))
    }
}

impl Unwritten {
    /// Counts it, and lets `line` say so once in a second, with the number of those that were not said.
    pub(crate) fn count(&self, error: &tickwheel_store::Error, line: impl FnOnce(u64)) {
        measure::store_error(error);
        if let Some(unsaid) = self.0.next(Instant::now()) {
            line(unsaid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_each_interval_is_written_and_knows_of_the_others() {
        let (seldom, base) = (Seldom::new(Duration::from_secs(1)), Instant::now());
        assert_eq!(seldom.next(base), Some(0));
        for millis in 1..1_000 {
            assert_eq!(seldom.next(base + Duration::from_millis(millis)), None);
        }
        assert_eq!(seldom.next(base + Duration::from_secs(1)), Some(999));
    }
}
