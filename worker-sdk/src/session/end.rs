//! How streams end, as far as somebody should know.

use tonic::{Code, Status};
use tracing::{info, warn};

/// A tracker that refuses this worker for good is a matter for a person; everything else passes.
pub(super) fn report_end(url: &str, status: Option<&Status>) {
    match status {
        None => info!(url, "the tracker ended the stream"),
        Some(status) if is_refusal(status.code()) => {
            warn!(url, code = ?status.code(), message = status.message(), "the tracker refuses this worker; trying again");
        }
        Some(status) => {
            info!(url, code = ?status.code(), message = status.message(), "the stream broke");
        }
    }
}

pub(super) fn is_refusal(code: Code) -> bool {
    [
        Code::InvalidArgument,
        Code::PermissionDenied,
        Code::Unauthenticated,
        Code::FailedPrecondition,
        Code::Unimplemented,
    ]
    .contains(&code)
}
