//! How a worker is told that an attempt of its is over.

use tickwheel_proto::v1::cancel_attempt::Reason;
use tickwheel_proto::v1::{CancelAttempt, TrackerMessage};
use tickwheel_store::lease::AttemptRef;

/// The frame that tells it.
pub(crate) fn cancel(attempt: AttemptRef, reason: &str) -> TrackerMessage {
    TrackerMessage {
        cancel: vec![CancelAttempt {
            context_id: attempt.context.into(),
            attempt: attempt.attempt.as_u32(),
            reason: reason_of(reason).into(),
        }],
        ..TrackerMessage::default()
    }
}

/// The wire's word for a reason of the scripts.
fn reason_of(word: &str) -> Reason {
    match word {
        "REQUESTED" => Reason::Requested,
        "TIMED_OUT" => Reason::TimedOut,
        "REPLACED" => Reason::Replaced,
        _ => Reason::Fenced,
    }
}
