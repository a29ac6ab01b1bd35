//! The words of states and verdicts.

use tickwheel_proto::v1;

/// The state of a run as one word.
#[must_use]
pub const fn run_state_word(state: v1::ContextState) -> &'static str {
    match state {
        v1::ContextState::Unspecified => "unknown",
        v1::ContextState::Scheduled => "scheduled",
        v1::ContextState::Retrying => "retrying",
        v1::ContextState::Ready => "ready",
        v1::ContextState::Queued => "queued",
        v1::ContextState::Running => "running",
        v1::ContextState::WaitingForSubtasks => "waiting_for_subtasks",
        v1::ContextState::Succeeded => "succeeded",
        v1::ContextState::Failed => "failed",
        v1::ContextState::TimedOut => "timed_out",
        v1::ContextState::Cancelled => "cancelled",
        v1::ContextState::Expired => "expired",
    }
}

/// The state of a job as one word.
#[must_use]
pub const fn job_state_word(state: v1::JobState) -> &'static str {
    match state {
        v1::JobState::Unspecified => "unknown",
        v1::JobState::Active => "active",
        v1::JobState::Paused => "paused",
        v1::JobState::Finished => "finished",
    }
}

/// The verdict as one word.
#[must_use]
pub const fn verdict_word(verdict: v1::ledger_record::Verdict) -> &'static str {
    use v1::ledger_record::Verdict;
    match verdict {
        // A mark of a new revision or of a resumption stands between the due times.
        Verdict::Unspecified => "redefined",
        Verdict::Fired => "fired",
        Verdict::Skipped => "skipped",
        Verdict::Missed => "missed",
        Verdict::Cancelled => "cancelled",
    }
}
