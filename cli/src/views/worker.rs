//! The roster: live workers.

use serde::Serialize;
use tickwheel_proto::v1;

use crate::instant;
use crate::output::Row;

/// A worker as its last beat and report describe it.
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
    pub(crate) beat_age_ms: u64,
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
            beat_age_ms: w.beat_age_ms,
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
        "host",
        "last beat",
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
            self.host.clone(),
            format!("{} ago", instant::span(self.beat_age_ms)),
            self.handlers.join(", "),
        ]
    }
}
