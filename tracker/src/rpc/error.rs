//! The one table from errors to what a caller sees: the stable code word, the gRPC status code and the HTTP status.
//!
//! A status carries an [`v1::ErrorDetail`] in its details, so that a client shows every violation and not only a line of text.

use std::sync::LazyLock;
use std::time::Duration;

use axum::http::StatusCode;
use prost::Message as _;
use tickwheel_core::error::Violations;
use tickwheel_proto::v1;
use tickwheel_store::{Error as StoreError, Seldom};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::error::Error;

/// A store that is refused or away fails every request: each reason is said once in a while.
static FAILED: LazyLock<Seldom> = LazyLock::new(Seldom::default);

/// By this a client that tries again by itself is told when: gRPC's own word for it.
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// What a caller can do about an error. The words are part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// Change the request.
    Invalid,
    /// Name something that exists.
    NotFound,
    /// Wait until the state allows it, or do something else.
    Conflict,
    /// Read again what was to be changed.
    Changed,
    /// Try again.
    Unavailable,
    /// Try again when there is room.
    Exhausted,
    /// It is written; ask again with the same `dedup_key` until it is confirmed.
    Unconfirmed,
    /// Show who you are.
    Unauthenticated,
    /// Ask somebody who may.
    Denied,
    /// Report a defect of this program.
    Contract,
    /// Have a person repair what lies in Redis.
    Damaged,
    /// Have a person repair the installation.
    Unusable,
}

impl ErrorCode {
    /// The code word, the gRPC status code and the HTTP status.
    const fn row(self) -> (&'static str, Code, StatusCode) {
        match self {
            Self::Invalid => ("INVALID", Code::InvalidArgument, StatusCode::BAD_REQUEST),
            Self::NotFound => ("NOT_FOUND", Code::NotFound, StatusCode::NOT_FOUND),
            Self::Conflict => ("CONFLICT", Code::FailedPrecondition, StatusCode::CONFLICT),
            Self::Changed => (
                "CHANGED",
                Code::FailedPrecondition,
                StatusCode::PRECONDITION_FAILED,
            ),
            Self::Unavailable => (
                "UNAVAILABLE",
                Code::Unavailable,
                StatusCode::SERVICE_UNAVAILABLE,
            ),
            Self::Exhausted => (
                "EXHAUSTED",
                Code::ResourceExhausted,
                StatusCode::TOO_MANY_REQUESTS,
            ),
            Self::Unconfirmed => ("UNCONFIRMED", Code::Aborted, StatusCode::GATEWAY_TIMEOUT),
            Self::Unauthenticated => (
                "UNAUTHENTICATED",
                Code::Unauthenticated,
                StatusCode::UNAUTHORIZED,
            ),
            Self::Denied => (
                "PERMISSION_DENIED",
                Code::PermissionDenied,
                StatusCode::FORBIDDEN,
            ),
            Self::Contract => (
                "CONTRACT",
                Code::Internal,
                StatusCode::INTERNAL_SERVER_ERROR,
            ),
            Self::Damaged => ("DAMAGED", Code::Internal, StatusCode::INTERNAL_SERVER_ERROR),
            Self::Unusable => (
                "UNUSABLE",
                Code::FailedPrecondition,
                StatusCode::INTERNAL_SERVER_ERROR,
            ),
        }
    }

    /// The stable word of [`v1::ErrorDetail::code`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The status code of gRPC.
    #[must_use]
    pub const fn grpc(self) -> Code {
        self.row().1
    }

    /// The status of HTTP.
    #[must_use]
    pub const fn http(self) -> StatusCode {
        self.row().2
    }
}

/// The code of an error.
#[must_use]
pub fn code_of(error: &Error) -> ErrorCode {
    match error {
        Error::Store(error) => code_of_store(error),
        Error::Draining => ErrorCode::Unavailable,
        Error::Busy(_) | Error::NoRoom(_) | Error::Throttled { .. } => ErrorCode::Exhausted,
        Error::Unauthenticated(_) => ErrorCode::Unauthenticated,
        Error::Denied(_) => ErrorCode::Denied,
        Error::Config(_) | Error::Listen { .. } => ErrorCode::Unusable,
    }
}

fn code_of_store(error: &StoreError) -> ErrorCode {
    match error {
        StoreError::Partly { cause, .. } => code_of_store(cause),
        StoreError::Invalid(_) => ErrorCode::Invalid,
        StoreError::NotFound { .. } => ErrorCode::NotFound,
        StoreError::Conflict(_) => ErrorCode::Conflict,
        StoreError::Changed { .. } => ErrorCode::Changed,
        StoreError::Unavailable { .. } => ErrorCode::Unavailable,
        StoreError::Exhausted { .. } | StoreError::Full(_) => ErrorCode::Exhausted,
        StoreError::Unconfirmed { .. } => ErrorCode::Unconfirmed,
        StoreError::Contract { .. } => ErrorCode::Contract,
        StoreError::Damaged { .. } => ErrorCode::Damaged,
        StoreError::Unusable(_) => ErrorCode::Unusable,
    }
}

/// The broken rules of an error, when it is about the caller's input.
#[must_use]
pub fn violations_of(error: &Error) -> Option<&Violations> {
    match error {
        Error::Store(StoreError::Invalid(violations))
        | Error::Config(violations)
        | Error::NoRoom(violations)
        | Error::Throttled {
            wrong: violations, ..
        }
        | Error::Denied(violations) => Some(violations),
        Error::Store(
            StoreError::NotFound { .. }
            | StoreError::Conflict(_)
            | StoreError::Changed { .. }
            | StoreError::Unavailable { .. }
            | StoreError::Exhausted { .. }
            | StoreError::Full(_)
            | StoreError::Partly { .. }
            | StoreError::Unconfirmed { .. }
            | StoreError::Contract { .. }
            | StoreError::Damaged { .. }
            | StoreError::Unusable(_),
        )
        | Error::Listen { .. }
        | Error::Busy(_)
        | Error::Unauthenticated(_)
        | Error::Draining => None,
    }
}

/// The detail that travels with a status.
#[must_use]
pub fn detail_of(error: &Error) -> v1::ErrorDetail {
    let violations = violations_of(error).into_iter().flatten();
    let mut detail = v1::ErrorDetail {
        code: code_of(error).as_str().to_owned(),
        violations: violations.map(v1::Violation::from).collect(),
        retry_after_ms: error.retry_after().map_or(0, millis),
        ..v1::ErrorDetail::default()
    };
    match error {
        Error::Store(StoreError::Unconfirmed { contexts, .. }) => {
            detail.context_ids = contexts.iter().map(ToString::to_string).collect();
        }
        Error::Store(StoreError::Partly { taken, .. }) => {
            let at = taken.iter().map(|(at, _)| u32::try_from(*at));
            detail.taken = at.map(|at| at.unwrap_or(u32::MAX)).collect();
            detail.context_ids = taken.iter().map(|(_, id)| id.to_string()).collect();
        }
        Error::Store(_)
        | Error::Config(_)
        | Error::Listen { .. }
        | Error::Draining
        | Error::Unauthenticated(_)
        | Error::Denied(_)
        | Error::NoRoom(_)
        | Error::Throttled { .. }
        | Error::Busy(_) => {}
    }
    detail
}

/// In whole milliseconds, rounded up: whoever waits so long has waited long enough.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Bytes of a status message. It travels percent-encoded in a header.
const MESSAGE_BYTES_MAX: usize = 1_000;
/// Bytes of a status' details. They travel in base64 in a header too, and a client's default for all headers together is 16 KiB.
const DETAIL_BYTES_MAX: usize = 7_000;

/// Says in the log what its callers are not told.
pub(crate) fn note(error: &Error) {
    match code_of(error) {
        ErrorCode::Contract | ErrorCode::Damaged | ErrorCode::Unusable => {
            if let Some(kept_back) = FAILED.say(&error.to_string()) {
                tracing::error!(kept_back, %error, "a request failed");
            }
        }
        // Told to each of those that are too many.
        ErrorCode::Exhausted
            if matches!(
                error,
                Error::Busy(_) | Error::NoRoom(_) | Error::Throttled { .. }
            ) =>
        {
            tracing::debug!(%error, "a request was refused");
        }
        ErrorCode::Unavailable | ErrorCode::Exhausted | ErrorCode::Unconfirmed => {
            if let Some(kept_back) = FAILED.say(&error.to_string()) {
                tracing::warn!(%error, kept_back, "a request failed");
            }
        }
        ErrorCode::Invalid
        | ErrorCode::NotFound
        | ErrorCode::Conflict
        | ErrorCode::Changed
        | ErrorCode::Unauthenticated
        | ErrorCode::Denied => {
            tracing::debug!(%error, "a request was refused");
        }
    }
}

/// The status of HTTP for an error. A store that is full, or a namespace, is told from too many callers: the one has to be made room in, the other passes.
#[must_use]
pub fn http_of(error: &Error) -> StatusCode {
    match (code_of(error), error) {
        (ErrorCode::Exhausted, Error::Store(_) | Error::NoRoom(_)) => {
            StatusCode::INSUFFICIENT_STORAGE
        }
        (code, _) => code.http(),
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        note(&error);
        let code = code_of(&error);
        let detail = fitting(detail_of(&error));
        let mut metadata = MetadataMap::new();
        if let Error::Throttled { retry_after, .. } = &error {
            metadata.insert(PUSHBACK, millis(*retry_after).into());
        }
        Self::with_details_and_metadata(
            code.grpc(),
            message_of(&error),
            detail.encode_to_vec().into(),
            metadata,
        )
    }
}

/// The detail with as many violations as fit, and a line for the others; and with as many ids as fit.
fn fitting(mut detail: v1::ErrorDetail) -> v1::ErrorDetail {
    // Two bytes each, and all of them.
    let mut bytes = 2 * detail.taken.len();
    let ids = detail.context_ids.iter().take_while(|id| {
        bytes += id.len() + 2;
        bytes <= DETAIL_BYTES_MAX
    });
    let ids = ids.count();
    detail.context_ids.truncate(ids);
    let all = detail.violations.len();
    let mut bytes = 0;
    let fit = detail.violations.iter().take_while(|violation| {
        bytes += violation.encoded_len() + 3;
        bytes <= DETAIL_BYTES_MAX
    });
    let kept = fit.count();
    detail.violations.truncate(kept);
    if kept < all {
        let rule = format!("{} more mistakes are not shown", all - kept);
        detail.violations.push(v1::Violation {
            rule,
            ..v1::Violation::default()
        });
    }
    detail
}

/// What a caller is told. Scripts, files and records of the store are for the log.
pub(crate) fn message_of(error: &Error) -> String {
    let mut text = match code_of(error) {
        ErrorCode::Damaged => {
            "the store is damaged: see the log of the tracker and `tickwheel store check`"
                .to_owned()
        }
        ErrorCode::Contract => "a defect of this program: see the log of the tracker".to_owned(),
        ErrorCode::Invalid
        | ErrorCode::NotFound
        | ErrorCode::Conflict
        | ErrorCode::Changed
        | ErrorCode::Unavailable
        | ErrorCode::Exhausted
        | ErrorCode::Unconfirmed
        | ErrorCode::Unauthenticated
        | ErrorCode::Denied
        | ErrorCode::Unusable => error.to_string(),
    };
    if text.len() > MESSAGE_BYTES_MAX {
        text.truncate(text.floor_char_boundary(MESSAGE_BYTES_MAX));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests;
