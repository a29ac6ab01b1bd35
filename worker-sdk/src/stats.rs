//! What a worker counts about itself.

/// Counters since the start, and a few figures of the present. A copy: it does not change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Assignments received, refused and repeated ones included.
    pub received: u64,
    /// Attempts whose handler succeeded.
    pub succeeded: u64,
    /// Attempts that failed, fatally or not.
    pub failed: u64,
    /// Attempts that were cancelled.
    pub cancelled: u64,
    /// Attempts that ran out of time.
    pub timed_out: u64,
    /// Assignments refused because no permit was free.
    pub busy: u64,
    /// Assignments refused because this worker has no such handler.
    pub unknown_handler: u64,
    /// Assignments refused because the worker drains.
    pub draining_refused: u64,
    /// Attempts given back when the drain time was used up.
    pub given_back: u64,
    /// Assignments that were received before: not run again.
    pub duplicates: u64,
    /// Outcomes a tracker has confirmed.
    pub confirmed: u64,
    /// Outcomes sent once more, as no confirmation came or the stream broke.
    pub resent: u64,
    /// Outcomes refused as those of an older attempt.
    pub stale: u64,
    /// Outcomes that broke a limit of the tracker.
    pub refused: u64,
    /// Attempts that lost their lease while they ran.
    pub fenced: u64,
    /// Log lines dropped on the way to a tracker, over what their attempts' budgets dropped.
    pub log_lines_dropped: u64,
    /// Now: handlers that were given up but hold on to their thread.
    pub leaked: u64,
    /// Now: attempts that run.
    pub running: u64,
    /// Now: what the worker would take.
    pub free: u64,
    /// Now: outcomes that wait for a confirmation.
    pub unconfirmed: u64,
    /// Now: trackers with a stream.
    pub trackers: u64,
}
