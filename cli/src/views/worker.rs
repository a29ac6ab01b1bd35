//! The roster: live workers.

use tickwheel_api::answers::{Resource, Worker};
use tickwheel_core::routing::amount_text;

use crate::instant;
use crate::output::Row;

/// Resources that every worker has; shown when some of them is reserved.
const MEASURED: [&str; 3] = ["cpu", "memory", "disk"];

/// What attempts have reserved of it, and how much there is.
fn resource_text(resource: &Resource) -> String {
    let amount = |amount| amount_text(&resource.name, amount);
    let (reserved, total) = (amount(resource.reserved), amount(resource.total));
    format!("{} {reserved}/{total}", resource.name)
}

impl Row for Worker {
    const HEADERS: &'static [&'static str] = &[
        "id",
        "group",
        "running",
        "cpu",
        "memory",
        "reserved",
        "host",
        "drained",
        "last heartbeat",
        "handlers",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.group.clone(),
            format!("{}/{}", self.running, self.permits),
            format!("{:.2}/{}", self.cpu_load, self.cpus),
            format!(
                "{}/{} MiB",
                self.memory_used_bytes >> 20,
                self.memory_total_bytes >> 20
            ),
            self.resources
                .iter()
                .filter(|one| one.reserved > 0 || !MEASURED.contains(&one.name.as_str()))
                .map(resource_text)
                .collect::<Vec<_>>()
                .join(", "),
            self.host.clone(),
            match self.drained_ms {
                0 => String::new(),
                since => format!("since {}", instant::text(since)),
            },
            format!("{} ago", instant::span(self.heartbeat_age_ms)),
            self.handlers.join(", "),
        ]
    }
}
