//! What the headers of a request of the API say.

use axum::http::HeaderMap;
use tickwheel_api::requests::{IDEMPOTENCY_KEY, LAST_EVENT_ID};
use tickwheel_api::routes::{Operation, Row};
use tickwheel_core::Durability;
use tickwheel_core::error::{Violation, Violations};

use super::problem::Told;
use crate::http::programs::{asked_durability, once};
use crate::http::safety;

const IF_MATCH: &str = "If-Match";
const IF_NONE_MATCH: &str = "If-None-Match";

/// Refuses what a page of another site makes a browser send.
pub(super) fn meant(row: &Row, headers: &HeaderMap) -> Result<(), Told> {
    if row.method.is_safe() {
        return Ok(());
    }
    if let Some(why) = safety::forged(headers) {
        return Err(Told::forged(why));
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
    /// Which revision of a job shall be changed; 0: none yet.
    pub(super) revision: Option<u64>,
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
        let revision = found.keep(asked_revision(operation, headers)).flatten();
        // Browsers send it empty as well.
        let last = found.keep(once(headers, LAST_EVENT_ID)).flatten();
        let last = last.filter(|last| !last.is_empty());
        found.into_result()?;
        Ok(Self {
            durability,
            idempotency_key: key.map(str::to_owned),
            revision,
            last_event: last.map(str::to_owned),
        })
    }
}

/// The revision of a job that `If-Match` names, or that there is none yet. Whoever sends one relies on it: where it changes nothing it is refused.
fn asked_revision(operation: Operation, headers: &HeaderMap) -> Result<Option<u64>, Violations> {
    let mut found = Violations::new();
    let tag = found.keep(once(headers, IF_MATCH)).flatten();
    let new = found.keep(once(headers, IF_NONE_MATCH)).flatten();
    // What reads may have it for its cache.
    let new = new.filter(|_| !operation.row().method.is_safe());
    let is_put = operation == Operation::PutJob;
    if let Some(tag) = tag.filter(|_| !operation.may_name_a_revision()) {
        let rule = "belongs to a change or the deletion of one job: PUT or DELETE /jobs/{job}";
        found.push(Violation::new(IF_MATCH, rule, tag));
    }
    if let Some(new) = new.filter(|new| !is_put || *new != "*") {
        let rule = "is *, of PUT /jobs/{job}: only where there is no such job";
        found.push(Violation::new(IF_NONE_MATCH, rule, new));
    }
    if tag.is_some() && new.is_some() {
        found.push(Violation::new(
            IF_NONE_MATCH,
            "does not stand beside If-Match",
            "",
        ));
    }
    let revision = tag.map(|tag| {
        let number = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        let digits = number.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let read = digits.and_then(|text| text.parse().ok());
        let rule = "is one ETag of the job, like \"3\"";
        read.filter(|revision| *revision > 0)
            .ok_or_else(|| Violation::new(IF_MATCH, rule, tag))
    });
    let revision = revision.and_then(|read| found.keep(read));
    found.into_result()?;
    Ok(revision.or(new.map(|_| 0)))
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
    fn a_revision_is_asked_for_where_one_job_is_changed() {
        let read = |operation, given: &[(&'static str, &str)]| {
            Given::of(operation, &headers(given)).map(|given| given.revision)
        };
        let put = Operation::PutJob;
        assert_eq!(read(put, &[]).unwrap(), None);
        assert_eq!(read(put, &[("if-match", "\"7\"")]).unwrap(), Some(7));
        assert_eq!(read(put, &[("if-none-match", "*")]).unwrap(), Some(0));
        let delete = Operation::DeleteJob;
        assert_eq!(read(delete, &[("if-match", "\"1\"")]).unwrap(), Some(1));
        for wrong in [
            "7",
            "*",
            "W/\"7\"",
            "\"0\"",
            "\"-1\"",
            "\"+1\"",
            "\"1\", \"2\"",
            "\"18446744073709551616\"",
            "",
        ] {
            let refused = read(put, &[("if-match", wrong)]).unwrap_err();
            assert_eq!(refused.len(), 1, "{wrong}: {refused}");
        }
        for (operation, given) in [
            (Operation::PauseJob, ("if-match", "\"7\"")),
            (Operation::GetJob, ("if-match", "\"7\"")),
            (Operation::ApplyJobs, ("if-none-match", "*")),
            (delete, ("if-none-match", "*")),
            (put, ("if-none-match", "\"7\"")),
        ] {
            assert!(read(operation, &[given]).is_err(), "{given:?}");
        }
        let both = [("if-match", "\"7\""), ("if-none-match", "*")];
        assert!(read(put, &both).is_err());
        let cached = [("if-none-match", "\"7\"")];
        assert_eq!(read(Operation::GetJob, &cached).unwrap(), None);
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
