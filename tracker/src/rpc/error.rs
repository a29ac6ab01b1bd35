//! The one table from errors to what a caller sees: the stable code word, the gRPC status code and the HTTP status.
//!
//! A status carries an [`v1::ErrorDetail`] in its details, so that a client shows every violation and not only a line of text.

use std::sync::LazyLock;

use axum::http::StatusCode;
use prost::Message as _;
use tickwheel_core::error::Violations;
use tickwheel_proto::v1;
use tickwheel_store::{Error as StoreError, Seldom};
use tonic::{Code, Status};

use crate::error::Error;

/// A store that is refused or away fails every request: each reason is said once in a while.
static FAILED: LazyLock<Seldom> = LazyLock::new(Seldom::default);

/// What a caller can do about an error. The words are part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// Change the request.
    Invalid,
    /// Name something that exists.
    NotFound,
    /// Wait until the state allows it, or do something else.
    Conflict,
    /// Try again.
    Unavailable,
    /// Try again when there is room.
    Exhausted,
    /// It is written; ask again with the same `dedup_key` until it is confirmed.
    Unconfirmed,
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
        Error::Busy(_) => ErrorCode::Exhausted,
        Error::Config(_) | Error::Listen { .. } => ErrorCode::Unusable,
    }
}

fn code_of_store(error: &StoreError) -> ErrorCode {
    match error {
        StoreError::Partly { cause, .. } => code_of_store(cause),
        StoreError::Invalid(_) => ErrorCode::Invalid,
        StoreError::NotFound { .. } => ErrorCode::NotFound,
        StoreError::Conflict(_) => ErrorCode::Conflict,
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
        Error::Store(StoreError::Invalid(violations)) | Error::Config(violations) => {
            Some(violations)
        }
        Error::Store(
            StoreError::NotFound { .. }
            | StoreError::Conflict(_)
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
        | Error::Busy(_) => {}
    }
    detail
}

/// Bytes of a status message. It travels percent-encoded in a header.
const MESSAGE_BYTES_MAX: usize = 1_000;
/// Bytes of a status' details. They travel in base64 in a header too, and a client's default for all headers together is 16 KiB.
const DETAIL_BYTES_MAX: usize = 7_000;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let code = code_of(&error);
        match code {
            ErrorCode::Contract | ErrorCode::Damaged | ErrorCode::Unusable => {
                if let Some(kept_back) = FAILED.say(&error.to_string()) {
                    tracing::error!(kept_back, %error, "a request failed");
                }
            }
            // Told to each of those that are too many.
            ErrorCode::Exhausted if matches!(error, Error::Busy(_)) => {
                tracing::debug!(%error, "a request was refused");
            }
            ErrorCode::Unavailable | ErrorCode::Exhausted | ErrorCode::Unconfirmed => {
                if let Some(kept_back) = FAILED.say(&error.to_string()) {
                    tracing::warn!(%error, kept_back, "a request failed");
                }
            }
            ErrorCode::Invalid | ErrorCode::NotFound | ErrorCode::Conflict => {
                tracing::debug!(%error, "a request was refused");
            }
        }
        let detail = fitting(detail_of(&error));
        Self::with_details(
            code.grpc(),
            message_of(&error),
            detail.encode_to_vec().into(),
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
fn message_of(error: &Error) -> String {
    let mut text = match code_of(error) {
        ErrorCode::Damaged => {
            "the store is damaged: see the log of the tracker and `tickwheel store check`"
                .to_owned()
        }
        ErrorCode::Contract => "a defect of this program: see the log of the tracker".to_owned(),
        ErrorCode::Invalid
        | ErrorCode::NotFound
        | ErrorCode::Conflict
        | ErrorCode::Unavailable
        | ErrorCode::Exhausted
        | ErrorCode::Unconfirmed
        | ErrorCode::Unusable => error.to_string(),
    };
    if text.len() > MESSAGE_BYTES_MAX {
        text.truncate(text.floor_char_boundary(MESSAGE_BYTES_MAX));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use tickwheel_core::error::Violation;

    use super::*;

    type Row = (Error, &'static str, Code, u16);

    /// One of each variant, and what a caller must see of it.
    fn every() -> Vec<Row> {
        let mut every = about_the_request();
        every.extend(about_redis());
        every.extend(about_the_setup());
        every
    }

    fn about_the_request() -> Vec<Row> {
        let violations = || Violations::from(Violation::new("name", "is not empty", ""));
        let store = Error::Store;
        vec![
            (
                store(StoreError::Invalid(violations())),
                "INVALID",
                Code::InvalidArgument,
                400,
            ),
            (
                Error::not_found("job", "default/none"),
                "NOT_FOUND",
                Code::NotFound,
                404,
            ),
            (
                Error::conflict("the job is paused"),
                "CONFLICT",
                Code::FailedPrecondition,
                409,
            ),
            (Error::Draining, "UNAVAILABLE", Code::Unavailable, 503),
            (
                Error::Busy("1,000 callers wait".to_owned()),
                "EXHAUSTED",
                Code::ResourceExhausted,
                429,
            ),
        ]
    }

    fn about_redis() -> Vec<Row> {
        let store = Error::Store;
        vec![
            (
                store(StoreError::Unavailable {
                    reason: "timeout".to_owned(),
                    source: None,
                }),
                "UNAVAILABLE",
                Code::Unavailable,
                503,
            ),
            (
                store(StoreError::Exhausted {
                    reason: "OOM".to_owned(),
                }),
                "EXHAUSTED",
                Code::ResourceExhausted,
                429,
            ),
            (
                store(StoreError::Full("a partition keeps 1,000 lanes".to_owned())),
                "EXHAUSTED",
                Code::ResourceExhausted,
                429,
            ),
            (
                store(StoreError::Unconfirmed {
                    durability: tickwheel_core::Durability::Fsynced,
                    missing: "the disk".to_owned(),
                    contexts: Vec::new(),
                }),
                "UNCONFIRMED",
                Code::Aborted,
                504,
            ),
            (
                store(StoreError::Contract {
                    script: "wheel/turn",
                    reply: "nil".to_owned(),
                }),
                "CONTRACT",
                Code::Internal,
                500,
            ),
            (
                store(StoreError::Damaged {
                    script: "wheel/turn",
                    found: "WRONGTYPE, script: 9533c9, on @lua/lib/contexts/ending.lua:7"
                        .to_owned(),
                }),
                "DAMAGED",
                Code::Internal,
                500,
            ),
        ]
    }

    fn about_the_setup() -> Vec<Row> {
        let violations = Violations::from(Violation::new("name", "is not empty", ""));
        vec![
            (
                Error::Store(StoreError::Unusable("redis 6 is too old".to_owned())),
                "UNUSABLE",
                Code::FailedPrecondition,
                500,
            ),
            (
                Error::Config(violations),
                "UNUSABLE",
                Code::FailedPrecondition,
                500,
            ),
            (
                Error::Listen {
                    address: ([127, 0, 0, 1], 80).into(),
                    source: std::io::Error::other("taken"),
                },
                "UNUSABLE",
                Code::FailedPrecondition,
                500,
            ),
        ]
    }

    #[test]
    fn every_variant_has_its_code_and_carries_the_detail() {
        for (error, word, grpc, http) in every() {
            let code = code_of(&error);
            assert_eq!(
                (code.as_str(), code.grpc(), code.http().as_u16()),
                (word, grpc, http),
                "{error}"
            );
            let violations = violations_of(&error).map_or(0, Violations::len);
            let status = Status::from(error);
            assert_eq!(status.code(), grpc);
            assert!(!status.message().is_empty());
            let detail = ["wheel/turn", "script:", "lua/", "nil"];
            assert!(
                detail.iter().all(|word| !status.message().contains(word)),
                "{} is for the log",
                status.message()
            );
            let detail = v1::ErrorDetail::decode(status.details()).unwrap();
            assert_eq!(
                (detail.code.as_str(), detail.violations.len()),
                (word, violations)
            );
        }
    }

    #[test]
    fn what_may_be_tried_again_is_unavailable_exhausted_or_unconfirmed() {
        for (error, ..) in every() {
            let again = matches!(
                code_of(&error),
                ErrorCode::Unavailable | ErrorCode::Exhausted | ErrorCode::Unconfirmed
            );
            assert_eq!(error.is_retryable(), again, "{error}");
        }
    }

    #[test]
    fn all_places_of_what_was_taken_fit_a_header_and_as_many_ids_as_may() {
        let taken = (0..999).map(|at| (at, format!("0.1767225600000.abc-{at}").parse().unwrap()));
        let error = StoreError::Full("a partition keeps 1,000 lanes".to_owned()).partly(taken);
        let status = Status::from(Error::from(error));
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(3 * status.message().len() + status.details().len() * 4 / 3 < 14_000);
        let detail = v1::ErrorDetail::decode(status.details()).unwrap();
        assert_eq!(detail.taken, (0..999).collect::<Vec<u32>>());
        assert!((100..999).contains(&detail.context_ids.len()));
        assert_eq!(detail.code, "EXHAUSTED");
    }

    #[test]
    fn a_thousand_violations_fit_a_header() {
        let many = (0..1_000)
            .map(|index| Violation::new(format!("contexts[{index}].handler"), "is not empty", ""));
        let status = Status::from(Error::from(many.collect::<Violations>()));
        assert!(3 * status.message().len() + status.details().len() * 4 / 3 < 14_000);
        let detail = v1::ErrorDetail::decode(status.details()).unwrap();
        let shown = detail.violations.len() - 1;
        assert!(shown > 100);
        assert_eq!(
            detail.violations[shown].rule,
            format!("{} more mistakes are not shown", 1_000 - shown)
        );
    }
}
