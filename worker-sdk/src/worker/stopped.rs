//! What a worker left when it ended.

use std::process::{ExitCode, Termination};

use crate::stats::Stats;

/// What a worker left when it ended. A `main` may return it: the process then ends with exit code 1 if outcomes were left unconfirmed, and
/// with 0 otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Its counters at the end.
    pub stats: Stats,
    /// Attempts that did not end in the drain's time and were given back: other workers repeat them, without a failure.
    pub given_back: u64,
    /// Outcomes no tracker confirmed in time. Their contexts are repeated when their leases have run out.
    pub unconfirmed: u64,
}

impl Termination for Stopped {
    fn report(self) -> ExitCode {
        if self.unconfirmed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
