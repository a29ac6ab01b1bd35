//! What the headers of a request of the API say.

use axum::http::{HeaderMap, header};
use tickwheel_api::requests::{IDEMPOTENCY_KEY, LAST_EVENT_ID};
use tickwheel_api::routes::{Operation, Row};
use tickwheel_core::Durability;
use tickwheel_core::error::{Violation, Violations};

use super::problem::Told;
use crate::http::programs::{asked_durability, once};
use crate::http::safety;

/// Refuses what a page of another site makes a browser send, and what would be overlooked.
pub(super) fn meant(row: &Row, headers: &HeaderMap) -> Result<(), Told> {
    if row.method.is_safe() {
        return Ok(());
    }
    if let Some(why) = safety::forged(headers) {
        return Err(Told::forged(why));
    }
    if headers.contains_key(header::IF_MATCH) {
        // Whoever sends it relies on it.
        let rule = "is left out: changes are not compared with a revision";
        return Err(Told::invalid(Violation::new("If-Match", rule, "").into()));
    }
    Ok(())
}

/// What is asked by headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// How far a write shall have come.
    pub(super) durability: Option<Durability>,
    /// Under which key the request may be sent again.
    pub(super) idempotency_key: Option<String>,
    /// Behind which event a stream goes on.
    pub(super) last_event: Option<String>,
}

impl Given {
    /// What the headers of a request ask, as far as the operation knows it.
    pub(super) fn of(operation: Operation, headers: &HeaderMap) -> Result<Self, Violations> {
        let mut found = Violations::new();
        let durability = found.keep(asked_durability(headers)).flatten();
        let key = found.keep(once(headers, IDEMPOTENCY_KEY)).flatten();
        if let Some(key) = key.filter(|_| !operation.may_be_repeated_by_key()) {
            let rule = "belongs to submissions and runs of jobs";
            found.push(Violation::new(IDEMPOTENCY_KEY, rule, key));
        }
        // Browsers send it empty as well.
        let last = found.keep(once(headers, LAST_EVENT_ID)).flatten();
        let last = last.filter(|last| !last.is_empty());
        found.into_result()?;
        Ok(Self {
            durability,
            idempotency_key: key.map(str::to_owned),
            last_event: last.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = given.iter().map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (HeaderName::from_static(name), value)
        });
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn what_is_asked_by_headers_is_read_once() {
        let given = [
            ("tickwheel-durability", "replicated(1)"),
            ("idempotency-key", "order ä"),
        ];
        let read = Given::of(Operation::Submit, &headers(&given)).unwrap();
        assert_eq!(read.durability, Durability::replicated(1).ok());
        assert_eq!(read.idempotency_key.as_deref(), Some("order ä"));
        let wrong = Given::of(Operation::PauseJob, &headers(&given)).unwrap_err();
        assert_eq!(wrong.len(), 1, "{wrong}");
        let twice = [
            ("idempotency-key", "a"),
            ("idempotency-key", "a"),
            ("tickwheel-durability", "safe"),
        ];
        let wrong = Given::of(Operation::RunJob, &headers(&twice)).unwrap_err();
        assert_eq!(wrong.len(), 2, "{wrong}");
    }
}
