//! The states of a context, why its attempts have to stop, and the levels of its log.

use tickwheel_core::cancel::CancelReason;
use tickwheel_core::error::Violation;
use tickwheel_core::log::LogLevel;
use tickwheel_core::run::StateWord;

use super::word;
use crate::v1 as wire;
use crate::v1::ContextState;
use crate::v1::cancel_attempt::Reason;

/// The state of a message's number; `None` when it is unspecified.
///
/// # Errors
/// A violation of the field `state` when no state has the number.
pub fn state_from_wire(number: i32) -> Result<Option<StateWord>, Violation> {
    const KNOWN: &str = "scheduled, retrying, ready, queued, running, fanned, succeeded, failed, timed_out, cancelled, expired";
    Ok(match word("state", number, KNOWN)? {
        ContextState::Unspecified => None,
        ContextState::Scheduled => Some(StateWord::Scheduled),
        ContextState::Retrying => Some(StateWord::Retrying),
        ContextState::Ready => Some(StateWord::Ready),
        ContextState::Queued => Some(StateWord::Queued),
        ContextState::Running => Some(StateWord::Running),
        ContextState::Fanned => Some(StateWord::Fanned),
        ContextState::Succeeded => Some(StateWord::Succeeded),
        ContextState::Failed => Some(StateWord::Failed),
        ContextState::TimedOut => Some(StateWord::TimedOut),
        ContextState::Cancelled => Some(StateWord::Cancelled),
        ContextState::Expired => Some(StateWord::Expired),
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
pub fn state_to_wire(state: StateWord) -> ContextState {
    match state {
        StateWord::Scheduled => ContextState::Scheduled,
        StateWord::Retrying => ContextState::Retrying,
        StateWord::Ready => ContextState::Ready,
        StateWord::Queued => ContextState::Queued,
        StateWord::Running => ContextState::Running,
        StateWord::Fanned => ContextState::Fanned,
        StateWord::Succeeded => ContextState::Succeeded,
        StateWord::Failed => ContextState::Failed,
        StateWord::TimedOut => ContextState::TimedOut,
        StateWord::Cancelled => ContextState::Cancelled,
        StateWord::Expired => ContextState::Expired,
    }
}
