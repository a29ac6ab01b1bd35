//! What is answered in place of what was asked for: problems, made from the one table of errors and from what only HTTP refuses.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use tickwheel_api::answers::{Problem, Violation as ShownViolation};
use tickwheel_api::requests::place_in;
use tickwheel_api::routes::Method;
use tickwheel_core::error::{Violation, Violations};

use super::answer::allowed;
use crate::error::Error;
use crate::http::programs::{Unanswered, Unread, respond};
use crate::rpc::error::{ErrorCode, code_of, detail_of, http_of, message_of, millis, note};

/// Violations of one answer; nobody reads more at a time.
const VIOLATIONS_MAX: usize = 1_000;

/// Why an operation gave no answer.
#[derive(Debug)]
pub(super) enum Refusal {
    /// These are wrong with the request, by its own words.
    Mistakes(Violations),
    /// The call failed, or was refused by its words.
    Failed(Error),
}

impl From<Violations> for Refusal {
    fn from(wrong: Violations) -> Self {
        Self::Mistakes(wrong)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What is told in place of an answer.
#[derive(Debug)]
pub(super) struct Told {
    problem: Box<Problem>,
    status: StatusCode,
    allow: Option<String>,
    /// Whether it asks for a token.
    asks: bool,
}

impl Told {
    fn new(status: StatusCode, code: &str, title: &str, detail: impl Into<String>) -> Self {
        let problem = Problem {
            kind: format!("urn:tickwheel:error:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            ..Problem::default()
        };
        Self {
            problem: Box::new(problem),
            status,
            allow: None,
            asks: false,
        }
    }

    /// The error of a call; the paths of its violations become those of the request with this body.
    pub(super) fn of(error: &Error, body: &[u8]) -> Self {
        note(error);
        let (code, detail) = (code_of(error), detail_of(error));
        let mut told = Self::new(
            http_of(error),
            code.as_str(),
            title(code),
            message_of(error),
        );
        let violations = detail.violations.into_iter().map(|wrong| ShownViolation {
            field: place_in(body, &wrong.field),
            rule: wrong.rule,
            given: wrong.given,
        });
        told.with_violations(violations.collect());
        told.asks = code == ErrorCode::Unauthenticated;
        if code == ErrorCode::Denied || matches!(error, Error::NoRoom(_) | Error::Throttled { .. })
        {
            // What is sent may be right, for somebody else, or later.
            told.problem.detail = message_of(error);
        }
        told.problem.run_ids = detail.context_ids;
        told.problem.taken = detail.taken;
        told.problem.retry_after_ms = error.retry_after().map(millis);
        told
    }

    fn with_violations(&mut self, mut violations: Vec<ShownViolation>) {
        let all = violations.len();
        if all > 0 {
            let words = if all == 1 { "mistake" } else { "mistakes" };
            self.problem.detail = format!("{all} {words} in what was sent; nothing was changed");
        }
        if all > VIOLATIONS_MAX {
            violations.truncate(VIOLATIONS_MAX);
            violations.push(ShownViolation {
                field: String::new(),
                rule: format!("{} more mistakes are not shown", all - VIOLATIONS_MAX),
                given: String::new(),
            });
        }
        self.problem.violations = violations;
    }

    /// The request breaks these rules.
    pub(super) fn invalid(wrong: Violations) -> Self {
        let code = ErrorCode::Invalid;
        let mut told = Self::new(code.http(), code.as_str(), title(code), "");
        told.with_violations(wrong.into_iter().map(ShownViolation::from).collect());
        told
    }

    /// There is no such path.
    pub(super) fn no_path() -> Self {
        let code = ErrorCode::NotFound;
        let detail = "there is no such path; GET /api/v1/openapi.json lists them, and a slash in a name is written as a colon";
        Self::new(code.http(), code.as_str(), title(code), detail)
    }

    /// The path has other methods.
    pub(super) fn no_method(methods: &[Method]) -> Self {
        let allowed = allowed(methods);
        let detail = format!("this path has {allowed}");
        let title = "The path has other methods";
        Self {
            allow: Some(allowed),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                title,
                detail,
            )
        }
    }

    /// It is asked under a name that is not this surface's.
    pub(super) fn misdirected(status: StatusCode, why: &str) -> Self {
        if status == StatusCode::BAD_REQUEST {
            let wrong = Violation::new("Host", "is given once", "");
            return Self::invalid(wrong.into());
        }
        Self::new(status, "MISDIRECTED", "It is meant for another server", why)
    }

    /// A page of another site made a browser send it.
    pub(super) fn forged(why: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "CSRF",
            "A page of another site sent it",
            why,
        )
    }

    /// The body is something else than JSON.
    pub(super) fn no_json() -> Self {
        let detail = "a body has the header Content-Type: application/json";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self::new(
            status,
            "UNSUPPORTED_MEDIA_TYPE",
            "The body is not JSON",
            detail,
        )
    }

    /// There is no body to read.
    pub(super) fn unread(why: &Unread) -> Self {
        match why {
            Unread::Unasked => Self::invalid(Violation::new("", "has no body", "").into()),
            Unread::TooLarge(most) => Self::too_large(*most),
            Unread::Late(within) => Self::late(*within),
            Unread::Cut => Self::invalid(Violation::new("", "has its whole body", "").into()),
            Unread::NoRoom(error) => Self::of(error, &[]),
        }
    }

    /// There is no answer.
    pub(super) fn unanswered(why: Unanswered) -> Self {
        match why {
            Unanswered::Draining => Self::of(&Error::Draining, &[]),
            Unanswered::TooSlow => Self::too_slow(),
            Unanswered::Broken => Self::broken(),
        }
    }

    /// The body is too long.
    fn too_large(most: usize) -> Self {
        let detail = format!("the body has at most {most} bytes");
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "TOO_LARGE",
            "The body is too long",
            detail,
        )
    }

    /// The body did not come in time.
    fn late(within: Duration) -> Self {
        let detail = format!("the body was not there within {} s", within.as_secs());
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "TIMEOUT",
            "The request took too long",
            detail,
        )
    }

    /// There was no answer in time.
    fn too_slow() -> Self {
        let code = ErrorCode::Unavailable;
        let detail = "there was no answer in time; what was asked for may have been done";
        Self::new(code.http(), code.as_str(), title(code), detail)
    }

    /// A defect.
    fn broken() -> Self {
        let code = ErrorCode::Contract;
        let detail = "a defect of this program: see the log of the tracker";
        Self::new(code.http(), code.as_str(), title(code), detail)
    }

    /// The answer.
    pub(super) fn into_response(mut self, id: &str, is_last: bool) -> Response<Body> {
        id.clone_into(&mut self.problem.request_id);
        let text = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = respond((self.status, "application/problem+json"), text, id, is_last);
        let headers = response.headers_mut();
        if let Some(allow) = self
            .allow
            .and_then(|allow| HeaderValue::try_from(allow).ok())
        {
            headers.insert(header::ALLOW, allow);
        }
        if self.asks {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"tickwheel\""),
            );
        }
        if let Some(ms) = self.problem.retry_after_ms {
            // It has whole seconds.
            headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
        }
        response
    }
}

const fn title(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Invalid => "The request breaks rules",
        ErrorCode::NotFound => "There is no such thing",
        ErrorCode::Conflict => "Its state does not allow it",
        ErrorCode::Changed => "It is not what it was when it was read",
        ErrorCode::Unauthenticated => "It is not known who asks",
        ErrorCode::Denied => "Whoever asks may not",
        ErrorCode::Unavailable => "It cannot be done now",
        ErrorCode::Exhausted => "There is no room for it",
        ErrorCode::Unconfirmed => "It is written, and not confirmed",
        ErrorCode::Contract => "A defect of the tracker",
        ErrorCode::Damaged => "The store is damaged",
        ErrorCode::Unusable => "The installation is not usable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_have_the_words_of_the_table_and_the_paths_of_the_request() {
        let wrong = Violation::new("contexts[1].options.lease_ms", "is 1000..=3600000", 5);
        let told = Told::of(&Error::from(wrong), b"[{}, {}]");
        assert_eq!(
            (told.status.as_u16(), told.problem.code.as_str()),
            (400, "INVALID")
        );
        assert_eq!(told.problem.kind, "urn:tickwheel:error:INVALID");
        assert_eq!(told.problem.violations[0].field, "[1].lease");
        assert_eq!(
            told.problem.detail,
            "1 mistake in what was sent; nothing was changed"
        );
        let told = Told::of(&Error::Busy("1,000 callers wait".to_owned()), &[]);
        assert_eq!(
            (told.status.as_u16(), told.problem.retry_after_ms),
            (429, Some(1_000))
        );
        let damaged = tickwheel_store::Error::Damaged {
            script: "wheel/turn",
            found: "WRONGTYPE on @lua/lib/a.lua:7".to_owned(),
        };
        let told = Told::of(&Error::Store(damaged), &[]);
        assert_eq!(told.status.as_u16(), 500);
        assert!(
            !told.problem.detail.contains("lua"),
            "{}",
            told.problem.detail
        );
    }

    #[test]
    fn a_thousand_violations_are_enough() {
        let many = (0..1_500).map(|at| Violation::new(format!("[{at}].handler"), "is missing", ""));
        let told = Told::invalid(many.collect());
        assert_eq!(told.problem.violations.len(), VIOLATIONS_MAX + 1);
        let last = told
            .problem
            .violations
            .last()
            .map(|last| last.rule.as_str());
        assert_eq!(last, Some("500 more mistakes are not shown"));
    }
}
