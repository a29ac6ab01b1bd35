//! A message that is refused before it is decoded, as its sender sees it.

use prost::Message as _;
use tickwheel_core::error::Violation;
use tonic::{Code, Status};

use crate::v1;

/// The status of a message that its sender has to change. It carries the violation in its details, as every refusal of a tracker does.
#[must_use]
pub fn invalid(violation: &Violation) -> Status {
    let detail = v1::ErrorDetail {
        code: "INVALID".to_owned(),
        violations: vec![violation.into()],
        ..v1::ErrorDetail::default()
    };
    Status::with_details(
        Code::InvalidArgument,
        violation.to_string(),
        detail.encode_to_vec().into(),
    )
}
