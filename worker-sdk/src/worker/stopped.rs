//! What a worker left when it ended.

use crate::stats::Stats;

/// What a worker left when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Its counters at the end.
    pub stats: Stats,
    /// Attempts that did not end in the drain's time and were given back: other workers repeat them, without a failure.
    pub given_back: u64,
    /// Outcomes no tracker confirmed in time. Their contexts are repeated when their leases have run out.
    pub unconfirmed: u64,
}
