//! Limits of groups.

use serde::Serialize;
use tickwheel_core::group_limits::{GroupLimits, Limit};
use tickwheel_proto::v1;

use crate::output::Row;

/// The limits of a group, and how much of them is used.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LimitsView {
    pub(crate) group: String,
    pub(crate) limits: GroupLimits,
    pub(crate) running: u64,
    pub(crate) waiting: u64,
}

impl From<v1::GroupLimits> for LimitsView {
    fn from(wire: v1::GroupLimits) -> Self {
        let (group, running, waiting) = (wire.group.clone(), wire.running, wire.waiting);
        Self {
            group,
            running,
            waiting,
            limits: GroupLimits::try_from(wire).unwrap_or_default(),
        }
    }
}

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

impl Row for LimitsView {
    const HEADERS: &'static [&'static str] =
        &["group", "all", "each key", "own keys", "running", "waiting"];

    fn cells(&self) -> Vec<String> {
        let own = self.limits.keys.iter();
        let own: Vec<String> = own
            .map(|(key, limit)| format!("{key}: {}", text(limit)))
            .collect();
        vec![
            self.group.clone(),
            text(&self.limits.all),
            text(&self.limits.per_key),
            own.join("; "),
            self.running.to_string(),
            self.waiting.to_string(),
        ]
    }
}
