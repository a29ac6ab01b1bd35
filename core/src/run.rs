//! The words of the states that a context can be in; docs/lifecycle.md has the arrows between them.

use crate::word::word_enum;

word_enum! {
    /// The word of a state, as scripts, records and APIs carry it.
    ContextState {
        /// In the wheel, not due yet.
        Scheduled = "scheduled",
        /// Due, waiting for an earlier context of its job.
        Queued = "queued",
        /// Due, waiting for a permit.
        Ready = "ready",
        /// A worker has the lease.
        Running = "running",
        /// Split: its own attempt is over, its subtasks are not.
        WaitingForSubtasks = "waiting_for_subtasks",
        /// In the wheel, waiting for its next attempt.
        Retrying = "retrying",
        /// Ended well.
        Succeeded = "succeeded",
        /// Attempts are used up, or its lease was lost and it must run at most once.
        Failed = "failed",
        /// The last attempt took longer than its timeout.
        TimedOut = "timed_out",
        /// Ended on request.
        Cancelled = "cancelled",
        /// Not started by its start deadline.
        Expired = "expired",
    }
}

impl ContextState {
    /// Whether the context has ended.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        match self {
            Self::Scheduled
            | Self::Queued
            | Self::Ready
            | Self::Running
            | Self::WaitingForSubtasks
            | Self::Retrying => false,
            Self::Succeeded | Self::Failed | Self::TimedOut | Self::Cancelled | Self::Expired => {
                true
            }
        }
    }
}
