//! What comes next.

use tickwheel_api::answers::Upcoming;

use crate::instant;
use crate::output::Row;

impl Row for Upcoming {
    const HEADERS: &'static [&'static str] =
        &["at", "kind", "job", "run", "due", "group", "handler"];

    fn cells(&self) -> Vec<String> {
        vec![
            instant::text(self.at_ms),
            self.kind.clone(),
            self.job.clone(),
            self.run_id.clone(),
            instant::text(self.due_ms),
            self.group.clone(),
            self.handler.clone(),
        ]
    }
}
