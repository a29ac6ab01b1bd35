//! The workers of a run, ours or a peer's: each prints how far it is, and leaves its records when it is told to end.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::Instant;

use super::process;
use crate::report::{self, Start};

/// A worker has its connections after this, or something is wrong.
const CONNECTED_WITHIN: Duration = Duration::from_secs(30);
/// A run in which nothing was settled for this long is given up.
const MOVES_WITHIN: Duration = Duration::from_secs(20);
/// A worker that was told to end has left its records after this.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// Worker processes.
#[derive(Debug, Default)]
pub(crate) struct Crew {
    workers: Vec<WorkerProcess>,
}

#[derive(Debug)]
struct WorkerProcess {
    child: Child,
    records: PathBuf,
    /// Servers connected, contexts received, outcomes confirmed: the numbers of the newest line it printed.
    progress: watch::Receiver<(u64, u64, u64)>,
}

impl Crew {
    /// Starts a worker that will leave its records in the file `records`.
    pub(crate) fn hire(&mut self, mut command: Command, records: PathBuf) -> Result<()> {
        let mut child = command
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("a worker does not start")?;
        let mut lines = process::output(&mut child)?;
        let (say, progress) = watch::channel((0, 0, 0));
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut numbers = line.split(' ').map(|word| word.parse().unwrap_or(0));
                let mut next = || numbers.next().unwrap_or(0);
                say.send((next(), next(), next())).ok();
            }
        });
        self.workers.push(WorkerProcess {
            child,
            records,
            progress,
        });
        Ok(())
    }

    /// Waits until each worker is connected to `servers`.
    pub(crate) async fn connected(&mut self, servers: u64) -> Result<()> {
        for worker in &mut self.workers {
            let connected = worker
                .progress
                .wait_for(|(connected, _, _)| *connected >= servers);
            let connected = tokio::time::timeout(CONNECTED_WITHIN, connected).await;
            connected.context("a worker did not connect")??;
        }
        Ok(())
    }

    /// Outcomes confirmed, over all workers.
    pub(crate) fn confirmed(&self) -> u64 {
        let confirmed = |worker: &WorkerProcess| worker.progress.borrow().2;
        self.workers.iter().map(confirmed).sum()
    }

    /// Waits until the workers have `count` confirmations, and answers when that was in microseconds of the machine's clock; an error when
    /// nothing moves for long.
    pub(crate) async fn settle(&self, count: u64) -> Result<u64> {
        let (mut last, mut moved) = (0, Instant::now());
        loop {
            let confirmed = self.confirmed();
            if confirmed >= count {
                return Ok(report::now_us());
            }
            if confirmed != last {
                (last, moved) = (confirmed, Instant::now());
            }
            ensure!(
                moved.elapsed() < MOVES_WITHIN,
                "only {confirmed} of {count} are settled, and nothing moves"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// CPU seconds of all workers so far.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let children = self.workers.iter().map(|worker| &worker.child);
        children.map(process::cpu_seconds).sum()
    }

    pub(crate) fn pids(&self) -> impl Iterator<Item = u32> {
        self.workers.iter().filter_map(|worker| worker.child.id())
    }

    /// Ends the workers gracefully and reads what they recorded.
    pub(crate) async fn finish(&mut self) -> Result<Vec<Start>> {
        let mut starts = Vec::new();
        let mut workers = std::mem::take(&mut self.workers);
        for worker in &workers {
            terminate(&worker.child).await?;
        }
        for worker in &mut workers {
            let status = tokio::time::timeout(ENDS_WITHIN, worker.child.wait()).await;
            let status = status.context("a worker does not end")??;
            ensure!(status.success(), "a worker ended with {status}");
            starts.extend(report::read(&worker.records)?);
        }
        Ok(starts)
    }
}

async fn terminate(child: &Child) -> Result<()> {
    let pid = child.id().context("a worker ended early")?;
    let status = Command::new("kill")
        .args(["-TERM", &pid.to_string()])
        .status()
        .await?;
    ensure!(status.success(), "kill {pid}: {status}");
    Ok(())
}
