//! What a follower learns of the end that fired it.

use tickwheel_proto::v1;
use tickwheel_proto::v1::ContextState;

/// The end of a context that fired this one, by a job whose trigger is `after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upstream<'a> {
    wire: &'a v1::Upstream,
}

impl<'a> Upstream<'a> {
    pub(crate) fn of_wire(wire: &'a v1::Upstream) -> Self {
        Self { wire }
    }

    /// The context that ended.
    #[must_use]
    pub fn context_id(&self) -> &'a str {
        &self.wire.context_id
    }

    /// Namespace and name of its job.
    #[must_use]
    pub fn job(&self) -> &'a str {
        &self.wire.job
    }

    /// How it ended: `succeeded`, `failed`, `timed_out`, `cancelled` or `expired`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self.wire.state() {
            ContextState::Succeeded => "succeeded",
            ContextState::TimedOut => "timed_out",
            ContextState::Cancelled => "cancelled",
            ContextState::Expired => "expired",
            ContextState::Unspecified
            | ContextState::Scheduled
            | ContextState::Queued
            | ContextState::Ready
            | ContextState::Running
            | ContextState::WaitingForSubtasks
            | ContextState::Retrying
            | ContextState::Failed => "failed",
        }
    }

    /// Why it ended without success: the first 200 bytes; empty otherwise.
    #[must_use]
    pub fn error(&self) -> &'a str {
        &self.wire.error
    }
}
