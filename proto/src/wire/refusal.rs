//! A message that is refused before it is decoded, as its sender sees it.

use prost::Message as _;
use tickwheel_core::error::Violation;
use tonic::{Code, Status};

use crate::protocol::UPGRADE_REQUIRED;
use crate::v1;

/// The status of a frame that is longer than its stream allows; the violation names the limit.
#[must_use]
pub fn too_long(violation: &Violation) -> Status {
    refused(Code::ResourceExhausted, "EXHAUSTED", violation)
}

/// The status of a worker that speaks no number of the protocol which the tracker speaks; the violation names both ranges.
#[must_use]
pub fn upgrade_required(violation: &Violation) -> Status {
    refused(Code::FailedPrecondition, UPGRADE_REQUIRED, violation)
}

/// Whether a status says that the two speak no number of the protocol in common.
#[must_use]
pub fn is_upgrade_required(status: &Status) -> bool {
    status.code() == Code::FailedPrecondition
        && v1::ErrorDetail::decode(status.details())
            .is_ok_and(|detail| detail.code == UPGRADE_REQUIRED)
}

/// The status of a message that its sender has to change. It carries the violation in its details, as every refusal of a tracker does.
#[must_use]
pub fn invalid(violation: &Violation) -> Status {
    refused(Code::InvalidArgument, "INVALID", violation)
}

fn refused(code: Code, word: &str, violation: &Violation) -> Status {
    let detail = v1::ErrorDetail {
        code: word.to_owned(),
        violations: vec![violation.into()],
        ..v1::ErrorDetail::default()
    };
    Status::with_details(code, violation.to_string(), detail.encode_to_vec().into())
}
