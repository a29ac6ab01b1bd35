//! What the processes hold: a fault that leaves a connection or a heap behind is not repaired.

use anyhow::{Context as _, Result};

use crate::harness::Rig;

/// Memory that a tracker may have more than before: allocators do not give everything back.
const KIB_MORE_MAX: u64 = 64 * 1024;
/// Open files that a tracker may have more than before, besides one for each worker that came.
const FILES_MORE_MAX: usize = 8;
/// Connections that Redis may have more than before.
const CLIENTS_MORE_MAX: u64 = 4;

/// What trackers and Redis hold at one time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Resident memory of the largest tracker, in KiB.
    pub tracker_kib: u64,
    /// Open files of the tracker that has most.
    pub tracker_files: usize,
    /// Workers that are connected.
    pub workers: usize,
    /// Trackers that run.
    pub trackers: usize,
    /// Clients of Redis.
    pub redis_clients: u64,
}

impl Usage {
    /// Reads it off the system, where these are the trackers, and off Redis.
    ///
    /// # Errors
    /// When a process is gone, or Redis does not answer.
    pub async fn of(rig: &Rig, trackers: &[u32]) -> Result<Self> {
        let mut usage = Self {
            workers: rig.store.list_workers(None).await?.len(),
            ..Self::default()
        };
        for pid in trackers {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
            let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kib = resident.and_then(|text| text.split_whitespace().next());
            usage.tracker_kib = usage.tracker_kib.max(kib.context("VmRSS")?.parse()?);
            let files = std::fs::read_dir(format!("/proc/{pid}/fd"))?.count();
            usage.tracker_files = usage.tracker_files.max(files);
            usage.trackers += 1;
        }
        let mut wire = rig.redis.wire().await?;
        let info = wire.command(&["INFO", "clients"]).await?.text();
        let clients = info
            .lines()
            .find_map(|line| line.strip_prefix("connected_clients:"));
        usage.redis_clients = clients.context("connected_clients")?.trim().parse()?;
        Ok(usage)
    }

    /// What `after` has more than it may.
    #[must_use]
    pub fn exceeded_by(&self, after: &Self) -> Option<String> {
        let Self {
            tracker_kib,
            tracker_files,
            workers,
            trackers,
            redis_clients,
        } = *self;
        let came = after.workers.saturating_sub(workers);
        let files_max = tracker_files + FILES_MORE_MAX + came;
        // Each tracker has the same number of connections.
        let of_one = redis_clients.div_ceil(trackers.max(1) as u64);
        let more = after.trackers.saturating_sub(trackers) as u64;
        let clients_max = redis_clients + CLIENTS_MORE_MAX + more * of_one;
        if after.tracker_kib > tracker_kib + KIB_MORE_MAX {
            return Some(format!(
                "a tracker has {} MiB, before the fault {} MiB",
                after.tracker_kib / 1024,
                tracker_kib / 1024
            ));
        }
        if after.tracker_files > files_max {
            return Some(format!(
                "a tracker has {} open files, before the fault {tracker_files}",
                after.tracker_files
            ));
        }
        (after.redis_clients > clients_max).then(|| {
            format!(
                "Redis has {} clients, before the fault {redis_clients}",
                after.redis_clients
            )
        })
    }
}
