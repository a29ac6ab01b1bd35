//! How a worker is told that an attempt of its is over.

use tickwheel_core::cancel::CancelReason;
use tickwheel_proto::convert::cancel_reason_to_wire;
use tickwheel_proto::v1::{CancelAttempt, TrackerMessage};
use tickwheel_store::lease::AttemptRef;

/// The frame that tells it.
pub(crate) fn cancel(attempt: AttemptRef, reason: CancelReason) -> TrackerMessage {
    TrackerMessage {
        cancel: vec![CancelAttempt {
            context_id: attempt.context.into(),
            attempt: attempt.attempt.as_u32(),
            reason: cancel_reason_to_wire(reason).into(),
        }],
        ..TrackerMessage::default()
    }
}
