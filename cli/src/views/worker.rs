//! The roster: live workers.

use serde::Serialize;
use tickwheel_core::routing::amount_text;
use tickwheel_proto::v1;

use crate::instant;
use crate::output::Row;

/// Resources that every worker has; shown when some of them is reserved.
const MEASURED: [&str; 3] = ["cpu", "memory", "disk"];

/// A worker as its last heartbeat and report describe it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WorkerView {
    pub(crate) id: String,
    pub(crate) group: String,
    pub(crate) handlers: Vec<String>,
    pub(crate) permits: u32,
    pub(crate) running: u32,
    pub(crate) cpu_load: f32,
    pub(crate) cpus: u32,
    pub(crate) memory_used_bytes: u64,
    pub(crate) memory_total_bytes: u64,
    pub(crate) host: String,
    pub(crate) sdk_version: String,
    pub(crate) tags: Vec<String>,
    pub(crate) heartbeat_age_ms: u64,
    pub(crate) load: f32,
    pub(crate) resources: Vec<ResourceView>,
}

/// One of its resources, in the amounts of the protocol.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ResourceView {
    pub(crate) name: String,
    pub(crate) used: u64,
    pub(crate) total: u64,
    pub(crate) reserved: u64,
}

impl ResourceView {
    /// What attempts have reserved of it, and how much there is.
    fn text(&self) -> String {
        let amount = |amount| amount_text(&self.name, amount);
        let (reserved, total) = (amount(self.reserved), amount(self.total));
        format!("{} {reserved}/{total}", self.name)
    }
}

impl From<v1::Worker> for WorkerView {
    fn from(w: v1::Worker) -> Self {
        Self {
            id: w.id,
            group: w.group,
            handlers: w.handlers,
            permits: w.permits,
            running: w.running,
            cpu_load: w.cpu_load,
            cpus: w.cpus,
            memory_used_bytes: w.memory_used_bytes,
            memory_total_bytes: w.memory_total_bytes,
            host: w.host,
            sdk_version: w.sdk_version,
            tags: w.tags,
            heartbeat_age_ms: w.heartbeat_age_ms,
            load: w.load,
            resources: w
                .resources
                .into_iter()
                .map(|one| ResourceView {
                    name: one.name,
                    used: one.used,
                    total: one.total,
                    reserved: one.reserved,
                })
                .collect(),
        }
    }
}

impl Row for WorkerView {
    const HEADERS: &'static [&'static str] = &[
        "id",
        "group",
        "running",
        "cpu",
        "memory",
        "reserved",
        "host",
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
                .map(ResourceView::text)
                .collect::<Vec<_>>()
                .join(", "),
            self.host.clone(),
            format!("{} ago", instant::span(self.heartbeat_age_ms)),
            self.handlers.join(", "),
        ]
    }
}
