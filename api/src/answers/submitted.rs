//! The answer to a submission.

use serde::Serialize;
use tickwheel_proto::v1;

use super::words::run_state_word;

/// The run that came of a submission, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Submitted {
    /// Its id; empty when there is none.
    pub id: String,
    /// It was there before, under the same dedup key.
    pub duplicate: bool,
    /// It is a duplicate, and was to be rejected then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rejected: bool,
    /// Of a duplicate; `unknown` when it has ended and is forgotten.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub state: &'static str,
    /// The run that had the key before.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub replaced_id: String,
    /// Why a job was not run: its overlap policy.
    pub skipped_reason: String,
}

impl From<v1::Submitted> for Submitted {
    fn from(submitted: v1::Submitted) -> Self {
        let state = if submitted.duplicate {
            run_state_word(submitted.state())
        } else {
            ""
        };
        Self {
            id: submitted.id,
            duplicate: submitted.duplicate,
            rejected: submitted.rejected,
            state,
            replaced_id: submitted.replaced_id,
            skipped_reason: submitted.skipped_reason,
        }
    }
}

/// What came of each submission, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubmittedList {
    /// One for each submission.
    pub items: Vec<Submitted>,
}

impl From<v1::SubmitResponse> for SubmittedList {
    fn from(answer: v1::SubmitResponse) -> Self {
        Self {
            items: answer.contexts.into_iter().map(Submitted::from).collect(),
        }
    }
}
