//! The states of a context, why its attempts have to stop, and the levels of its log.

use tickwheel_core::cancel::CancelReason;
use tickwheel_core::error::Violation;
use tickwheel_core::log::LogLevel;
use tickwheel_core::run::ContextState;

use super::word;
use crate::v1 as wire;
use crate::v1;
use crate::v1::cancel_attempt::Reason;

/// The state of a message's number; `None` when it is unspecified.
///
/// # Errors
/// A violation of the field `state` when no state has the number.
pub fn state_from_wire(number: i32) -> Result<Option<ContextState>, Violation> {
    const KNOWN: &str = "scheduled, retrying, ready, queued, running, waiting_for_subtasks, succeeded, failed, timed_out, cancelled, expired";
    Ok(match word("state", number, KNOWN)? {
        v1::ContextState::Unspecified => None,
        v1::ContextState::Scheduled => Some(ContextState::Scheduled),
        v1::ContextState::Retrying => Some(ContextState::Retrying),
        v1::ContextState::Ready => Some(ContextState::Ready),
        v1::ContextState::Queued => Some(ContextState::Queued),
        v1::ContextState::Running => Some(ContextState::Running),
        v1::ContextState::WaitingForSubtasks => Some(ContextState::WaitingForSubtasks),
        v1::ContextState::Succeeded => Some(ContextState::Succeeded),
        v1::ContextState::Failed => Some(ContextState::Failed),
        v1::ContextState::TimedOut => Some(ContextState::TimedOut),
        v1::ContextState::Cancelled => Some(ContextState::Cancelled),
        v1::ContextState::Expired => Some(ContextState::Expired),
    })
}

/// Why an attempt has to stop, as a message carries it.
#[must_use]
pub fn cancel_reason_to_wire(reason: CancelReason) -> Reason {
    match reason {
        CancelReason::Requested => Reason::Requested,
        CancelReason::Replaced => Reason::Replaced,
        CancelReason::TimedOut => Reason::TimedOut,
        CancelReason::Fenced => Reason::Fenced,
    }
}

/// The level of a log line as a message carries it.
#[must_use]
pub fn level_to_wire(level: LogLevel) -> wire::LogLevel {
    match level {
        LogLevel::Trace => wire::LogLevel::Trace,
        LogLevel::Debug => wire::LogLevel::Debug,
        LogLevel::Info => wire::LogLevel::Info,
        LogLevel::Warn => wire::LogLevel::Warn,
        LogLevel::Error => wire::LogLevel::Error,
    }
}

/// The level that a message carries; one that is not known counts as info.
#[must_use]
pub fn level_from_wire(level: i32) -> LogLevel {
    match wire::LogLevel::try_from(level).unwrap_or_default() {
        wire::LogLevel::Trace => LogLevel::Trace,
        wire::LogLevel::Debug => LogLevel::Debug,
        wire::LogLevel::Unspecified | wire::LogLevel::Info => LogLevel::Info,
        wire::LogLevel::Warn => LogLevel::Warn,
        wire::LogLevel::Error => LogLevel::Error,
    }
}

/// The state as a message carries it.
#[must_use]
pub fn state_to_wire(state: ContextState) -> v1::ContextState {
    match state {
        ContextState::Scheduled => v1::ContextState::Scheduled,
        ContextState::Retrying => v1::ContextState::Retrying,
        ContextState::Ready => v1::ContextState::Ready,
        ContextState::Queued => v1::ContextState::Queued,
        ContextState::Running => v1::ContextState::Running,
        ContextState::WaitingForSubtasks => v1::ContextState::WaitingForSubtasks,
        ContextState::Succeeded => v1::ContextState::Succeeded,
        ContextState::Failed => v1::ContextState::Failed,
        ContextState::TimedOut => v1::ContextState::TimedOut,
        ContextState::Cancelled => v1::ContextState::Cancelled,
        ContextState::Expired => v1::ContextState::Expired,
    }
}
