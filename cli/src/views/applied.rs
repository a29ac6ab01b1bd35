//! What applying documents did, or would do, to each.

use tickwheel_api::answers::Applied;

use crate::instant;
use crate::output::Row;

impl Row for Applied {
    const HEADERS: &'static [&'static str] = &["kind", "name", "change", "revision", "next due"];

    fn cells(&self) -> Vec<String> {
        let revision = match self.revision {
            0 => String::new(),
            revision => revision.to_string(),
        };
        vec![
            self.kind.to_string(),
            self.name.clone(),
            self.change.to_owned(),
            revision,
            instant::text_opt(self.next_due_ms),
        ]
    }
}
