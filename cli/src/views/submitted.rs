//! The answer to a submission.

use serde::Serialize;
use tickwheel_proto::v1;

use crate::output::Detail;

/// The context that came of a submission, or why there is none.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SubmittedView {
    pub(crate) id: String,
    pub(crate) duplicate: bool,
    pub(crate) skipped_reason: String,
}

impl From<v1::Submitted> for SubmittedView {
    fn from(s: v1::Submitted) -> Self {
        Self {
            id: s.id,
            duplicate: s.duplicate,
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
            ("not run", self.skipped_reason.clone()),
        ]
    }
}
