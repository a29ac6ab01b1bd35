//! Limits of groups.

use tickwheel_api::answers::Limits;
use tickwheel_core::limits::Limit;

use crate::output::Row;

fn text(limit: &Limit) -> String {
    let parts = [
        limit.concurrency.map(|most| format!("{most} at once")),
        limit.rate.map(|rate| rate.to_string()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "-".to_owned()
    } else {
        parts.join(", ")
    }
}

impl Row for Limits {
    const HEADERS: &'static [&'static str] =
        &["group", "all", "each key", "own keys", "running", "waiting"];

    fn cells(&self) -> Vec<String> {
        let own = self.counted.keys.iter();
        let own: Vec<String> = own
            .map(|(key, limit)| format!("{key}: {}", text(limit)))
            .collect();
        vec![
            self.group.clone(),
            text(&self.counted.all),
            text(&self.counted.per_key),
            own.join("; "),
            self.running.to_string(),
            self.waiting.to_string(),
        ]
    }
}
