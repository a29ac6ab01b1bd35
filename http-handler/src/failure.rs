//! How a call fails, in the words that whoever submitted it is shown: a rule or a status, never the answer, an address or a time that was
//! measured. With these, one could look around in a network by submitting calls.

use std::time::Duration;

use hyper::StatusCode;
use tickwheel_core::Violations;
use tickwheel_core::time::format_duration;
use tickwheel_worker::{CancelReason, HandlerError, fatal, retry_after};

use crate::guard::Refusal;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the call is wrong: {}", one_line(.0))]
    Wrong(#[from] Violations),
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    #[error("refused: redirect {0}: {1}")]
    Redirected(u64, Refusal),
    #[error("the host has no address, or its name server does not answer")]
    NoAddress,
    #[error("no connection could be made")]
    NoConnection,
    #[error("no TLS session could be made")]
    NoTls,
    #[error("the answer is not HTTP/1.1, has too many headers, or broke off")]
    Broken,
    #[error("took longer than {}", span(.0))]
    TimedOut(Duration),
    #[error("status {}", .status.as_u16())]
    Status {
        status: StatusCode,
        retry_after: Option<Duration>,
    },
    #[error("status {}: more than {most} redirects (follow_redirects)", .status.as_u16())]
    Redirects { status: StatusCode, most: u64 },
    #[error("status {} without a place to go to", .0.as_u16())]
    NoLocation(StatusCode),
    #[error("the answer has more than {0} bytes (max_response_bytes)")]
    TooLong(u64),
    #[error("the answer does not have the expected text (expect.text)")]
    NoText,
    #[error("cancelled: {0:?}")]
    Cancelled(CancelReason),
}

impl Failure {
    /// What it means for the run. A wrong call, a place that must not be called and an answer that says "never" are not tried again.
    pub(crate) fn into_error(self) -> HandlerError {
        let message = self.to_string();
        match self {
            Self::Wrong(_)
            | Self::Refused(_)
            | Self::Redirected(..)
            | Self::Redirects { .. }
            | Self::NoLocation(_)
            | Self::TooLong(_) => fatal(message),
            Self::Status {
                status,
                retry_after: delay,
            } => of_status(status, delay, message),
            Self::NoAddress
            | Self::NoConnection
            | Self::NoTls
            | Self::Broken
            | Self::TimedOut(_)
            | Self::NoText
            | Self::Cancelled(_) => message.into(),
        }
    }
}

/// A 2xx that was not expected may be another one next time ("not ready yet"); a 3xx or 4xx would be the same again, but for these.
fn of_status(status: StatusCode, delay: Option<Duration>, message: String) -> HandlerError {
    let again = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    if !(status.is_success() || status.is_server_error() || again.contains(&status)) {
        return fatal(message);
    }
    match delay {
        Some(delay) => retry_after(delay, message),
        None => message.into(),
    }
}

fn span(span: &Duration) -> String {
    format_duration(*span)
}

fn one_line(violations: &Violations) -> String {
    let all: Vec<String> = violations.iter().map(ToString::to_string).collect();
    all.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_that_pass_are_tried_again() {
        let of = |status: u16, delay| {
            Failure::Status {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after: delay,
            }
            .into_error()
        };
        for status in [200, 202, 408, 425, 429, 500, 502, 503, 504, 599] {
            let error = of(status, None);
            assert!(matches!(error, HandlerError::Failed(_)), "{status}");
            assert_eq!(error.message(), format!("status {status}"));
            let delay = Duration::from_secs(7);
            let error = of(status, Some(delay));
            assert!(matches!(error, HandlerError::RetryAfter(told, _) if told == delay));
        }
        for status in [301, 304, 307, 400, 401, 403, 404, 409, 410, 422, 451] {
            for delay in [None, Some(Duration::from_secs(7))] {
                let error = of(status, delay);
                assert!(matches!(error, HandlerError::Fatal(_)), "{status}");
            }
        }
    }
}
