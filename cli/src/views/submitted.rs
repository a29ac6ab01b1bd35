//! The answer to a submission.

use serde::Serialize;
use tickwheel_proto::v1;

use super::context_state_word;
use crate::output::Detail;

/// The context that came of a submission, or why there is none.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SubmittedView {
    pub(crate) id: String,
    pub(crate) duplicate: bool,
    /// Of a duplicate; `unknown` when it has ended and is forgotten.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) state: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) replaced_id: String,
    pub(crate) skipped_reason: String,
}

impl From<v1::Submitted> for SubmittedView {
    fn from(s: v1::Submitted) -> Self {
        let state = if s.duplicate {
            context_state_word(s.state())
        } else {
            ""
        };
        Self {
            id: s.id,
            duplicate: s.duplicate,
            state,
            replaced_id: s.replaced_id,
            skipped_reason: s.skipped_reason,
        }
    }
}

impl Detail for SubmittedView {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let duplicate = if self.duplicate {
            "this dedup key was used before: the earlier context is shown"
        } else {
            ""
        };
        vec![
            ("id", self.id.clone()),
            ("note", duplicate.to_owned()),
            ("state", self.state.to_owned()),
            ("in place of", self.replaced_id.clone()),
            ("not run", self.skipped_reason.clone()),
        ]
    }
}
