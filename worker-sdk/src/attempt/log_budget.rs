//! How much one attempt may log: a burst, then a rate, and a total.
//!
//! What is over the budget is dropped and counted; when the attempt ends, one line tells the count and the last line.

use tokio::time::Instant;

use crate::bounds::{LOG_BURST, LOG_LINE_BYTES_MAX, LOG_LINES_MAX, LOG_LINES_PER_S, clip};

#[derive(Debug)]
pub(crate) struct LogBudget {
    allowance: u32,
    refilled: Instant,
    written: u32,
    dropped: u64,
    last_dropped: String,
}

impl LogBudget {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            allowance: LOG_BURST,
            refilled: now,
            written: 0,
            dropped: 0,
            last_dropped: String::new(),
        }
    }

    pub(crate) fn admit(&mut self, line: &str, now: Instant) -> bool {
        self.refill(now);
        if self.allowance > 0 && self.written < LOG_LINES_MAX {
            self.allowance -= 1;
            self.written += 1;
            return true;
        }
        self.dropped += 1;
        self.last_dropped.clear();
        self.last_dropped
            .push_str(clip(line, LOG_LINE_BYTES_MAX / 2));
        false
    }

    /// A line that was admitted found no room on its way.
    pub(crate) fn refused(&mut self) {
        self.written = self.written.saturating_sub(1);
        self.dropped += 1;
        self.last_dropped.clear();
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.refilled);
        let lines = u64::from(LOG_LINES_PER_S)
            * u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
            / 1_000;
        if lines > 0 {
            self.refilled = now;
            let lines = u32::try_from(lines).unwrap_or(LOG_BURST);
            self.allowance = self.allowance.saturating_add(lines).min(LOG_BURST);
        }
    }

    /// Once: what to say about the dropped lines.
    pub(crate) fn farewell(&mut self) -> Option<String> {
        let dropped = std::mem::take(&mut self.dropped);
        (dropped > 0).then(|| match self.last_dropped.as_str() {
            "" => format!("[{dropped} log lines dropped]"),
            last => format!("[{dropped} log lines dropped; the last was: {last}]"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_flood_is_cut_to_the_burst_and_counted() {
        let start = Instant::now();
        let mut budget = LogBudget::new(start);
        let admitted = (0..LOG_BURST + 7)
            .filter(|n| budget.admit(&n.to_string(), start))
            .count();
        assert_eq!(u32::try_from(admitted).unwrap(), LOG_BURST);
        assert!(budget.admit("later", start + Duration::from_millis(20)));
        assert_eq!(
            budget.farewell().unwrap(),
            "[7 log lines dropped; the last was: 506]"
        );
        assert_eq!(budget.farewell(), None);
        budget.refused();
        assert_eq!(budget.farewell().unwrap(), "[1 log lines dropped]");
    }

    #[test]
    fn the_total_of_an_attempt_is_bounded() {
        let start = Instant::now();
        let mut budget = LogBudget::new(start);
        let admitted = (0..30_000u32)
            .filter(|n| budget.admit("", start + Duration::from_secs(u64::from(*n))))
            .count();
        assert_eq!(u32::try_from(admitted).unwrap(), LOG_LINES_MAX);
    }
}
