//! The answer to a submission.

use tickwheel_api::answers::Submitted;

use crate::output::Detail;

impl Detail for Submitted {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let duplicate = if self.duplicate {
            "this dedup key was used before: the earlier run is shown"
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
