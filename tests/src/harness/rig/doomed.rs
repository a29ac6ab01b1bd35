//! Processes that die at a named point; see the crate `tickwheel-crash-points`.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_crash_points::VARIABLE;

use super::{Rig, TrackerOptions, TrackerProcess, WorkerOptions, WorkerProcess};
use crate::harness::Process;

/// What `abort` ends a process with.
const SIGABRT: i32 = 6;

fn doom(point: &str) -> Vec<(String, String)> {
    vec![(VARIABLE.to_owned(), point.to_owned())]
}

impl Rig {
    /// Starts a tracker that dies at `point`, or at its n-th passage of `point:n`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn doomed_tracker(&self, point: &str) -> Result<TrackerProcess> {
        let options = TrackerOptions {
            environment: doom(point),
            ..TrackerOptions::default()
        };
        self.tracker_with(&options).await
    }

    /// Starts a worker that dies at `point`, or at its n-th passage of `point:n`. Does not wait until the cluster knows it.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn doomed_worker(
        &self,
        point: &str,
        trackers: &[TrackerProcess],
        options: WorkerOptions,
    ) -> Result<WorkerProcess> {
        let urls = trackers.iter().map(|tracker| tracker.url.clone()).collect();
        let options = WorkerOptions {
            environment: doom(point),
            ..options
        };
        self.worker_at(urls, options).await
    }
}

/// Waits until a process has died at its point.
///
/// # Errors
/// When it runs on, or ended in another way.
pub async fn died(process: &mut Process, point: &str, limit: Duration) -> Result<()> {
    let status = process
        .ended(limit)
        .await
        .with_context(|| format!("nobody came by at `{point}`"))?;
    ensure!(
        status.signal() == Some(SIGABRT),
        "`{point}`: it ended with {status}"
    );
    Ok(())
}
