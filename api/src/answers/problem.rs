//! What is answered in place of what was asked for.

use serde::Serialize;

/// Why a request was refused, or failed (RFC 9457).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Names the kind of problem: `urn:tickwheel:error:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The status of HTTP.
    pub status: u16,
    /// What is the matter, and what to do.
    pub detail: String,
    /// A stable word, like `INVALID` or `NOT_FOUND`.
    pub code: String,
    /// Every rule that is broken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// Of a submission of which only a part is confirmed: the runs that are written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub run_ids: Vec<String>,
    /// Where they stand in the request, from 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<u32>,
    /// Names the request in the log of the tracker.
    pub request_id: String,
    /// When the same request may succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// A rule that is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Violation {
    /// The path of the field, or the name of the parameter or header; empty: the whole.
    pub field: String,
    /// The rule in words.
    pub rule: String,
    /// What was given, shortened; empty: nothing.
    pub given: String,
}

impl From<tickwheel_core::Violation> for Violation {
    fn from(violation: tickwheel_core::Violation) -> Self {
        Self {
            field: violation.field,
            rule: violation.rule,
            given: violation.given,
        }
    }
}
