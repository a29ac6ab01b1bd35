//! Groups.

use tickwheel_api::answers::Group;

use crate::instant;
use crate::output::Row;

impl Row for Group {
    const HEADERS: &'static [&'static str] =
        &["group", "state", "workers", "running", "handlers", "note"];

    fn cells(&self) -> Vec<String> {
        let state = if self.paused {
            format!("paused since {}", instant::text(self.paused_since_ms))
        } else {
            "active".to_owned()
        };
        vec![
            self.group.clone(),
            state,
            self.workers.to_string(),
            format!("{}/{}", self.running, self.permits),
            self.handlers.join(", "),
            self.note.clone(),
        ]
    }
}
