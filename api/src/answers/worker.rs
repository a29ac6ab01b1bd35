//! The roster: live workers.

use serde::Serialize;
use tickwheel_proto::v1;

/// A worker as its last heartbeat and report describe it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Worker {
    /// Its id.
    pub id: String,
    /// Whose runs it takes.
    pub group: String,
    /// What it can run.
    pub handlers: Vec<String>,
    /// How many it runs at once.
    pub permits: u32,
    /// How many run.
    pub running: u32,
    /// Busy CPUs.
    pub cpu_load: f32,
    /// CPUs of its machine.
    pub cpus: u32,
    /// Memory in use.
    pub memory_used_bytes: u64,
    /// Memory of its machine.
    pub memory_total_bytes: u64,
    /// Its machine.
    pub host: String,
    /// The SDK it is made with.
    pub sdk_version: String,
    /// What conditions of jobs look at.
    pub tags: Vec<String>,
    /// How long ago its last heartbeat was.
    pub heartbeat_age_ms: u64,
    /// Runnable processes of its machine.
    pub load: f32,
    /// What runs may take of it.
    pub resources: Vec<Resource>,
    /// Since when it takes no more work, because somebody said so; 0: it takes some.
    pub drained_ms: u64,
}

/// A resource of a worker: bytes of `memory` and `disk`, thousandths of everything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// Measured, or reserved if that is more.
    pub used: u64,
    /// What there is.
    pub total: u64,
    /// What attempts that run have taken.
    pub reserved: u64,
}

impl From<v1::Worker> for Worker {
    fn from(worker: v1::Worker) -> Self {
        Self {
            id: worker.id,
            group: worker.group,
            handlers: worker.handlers,
            permits: worker.permits,
            running: worker.running,
            cpu_load: worker.cpu_load,
            cpus: worker.cpus,
            memory_used_bytes: worker.memory_used_bytes,
            memory_total_bytes: worker.memory_total_bytes,
            host: worker.host,
            sdk_version: worker.sdk_version,
            tags: worker.tags,
            heartbeat_age_ms: worker.heartbeat_age_ms,
            load: worker.load,
            resources: worker.resources.into_iter().map(Into::into).collect(),
            drained_ms: worker.drained_ms,
        }
    }
}

impl From<v1::Resource> for Resource {
    fn from(resource: v1::Resource) -> Self {
        Self {
            name: resource.name,
            used: resource.used,
            total: resource.total,
            reserved: resource.reserved,
        }
    }
}

/// Live workers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkerList {
    /// The workers.
    pub items: Vec<Worker>,
    /// Records that could not be read, and are not among these.
    pub unreadable: u64,
}

impl From<v1::ListWorkersResponse> for WorkerList {
    fn from(list: v1::ListWorkersResponse) -> Self {
        Self {
            items: list.workers.into_iter().map(Worker::from).collect(),
            unreadable: list.unreadable,
        }
    }
}
