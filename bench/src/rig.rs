//! A cluster for one run: Redis, trackers and workers as processes, and what they use.

mod crew;
mod process;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::args::Options;
use crate::caller::Trackers;
use crate::redis::{Redis, Usage};
use crate::report::{self, Start};
pub(crate) use crew::Crew;
pub(crate) use process::output;

/// Permits of a worker where the call names none.
const PERMITS: u32 = 1_000;

/// The processes of a run. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) redis: Redis,
    pub(crate) trackers: Trackers,
    pub(crate) crew: Crew,
    processes: Vec<Child>,
    dir: Dir,
    options: Options,
}

/// CPU seconds and commands at one instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) at: Instant,
    pub(crate) redis: Usage,
    pub(crate) tracker_cpu: f64,
    pub(crate) worker_cpu: f64,
}

impl Rig {
    /// Starts Redis and the trackers.
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        ensure!(
            options.body >= 8,
            "--body is at least 8 (given: {})",
            options.body
        );
        let dir = Dir::new()?;
        let redis = Redis::start(dir.path(), options).await?;
        let mut rig = Self {
            redis,
            trackers: Trackers::default(),
            crew: Crew::default(),
            processes: vec![],
            dir,
            options: options.clone(),
        };
        if options.tokens {
            rig.trackers.token = Some(rig.dir.path().join("admin.token"));
        }
        for _ in 0..options.trackers {
            let mut command = rig.process("tracker");
            if let Some(token) = &rig.trackers.token {
                command.arg("--token").arg(token);
            }
            let mut child = command.arg("--redis").arg(rig.redis.url()).spawn()?;
            let mut lines = output(&mut child)?;
            let line = lines.next_line().await?;
            let line = line.context("a tracker did not start")?;
            let (url, http) = line.split_once(' ').context("two addresses")?;
            rig.trackers.urls.push(url.to_owned());
            rig.trackers.http.push(http.parse()?);
            rig.processes.push(child);
        }
        Ok(rig)
    }

    fn process(&self, role: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap_or_default());
        command.arg(role).arg("--partitions");
        command.arg(self.options.partitions.to_string());
        command.stdout(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Starts the workers and waits until each has a stream to every tracker.
    pub(crate) async fn start_workers(&mut self) -> Result<()> {
        let token = match &self.trackers.token {
            None => None,
            Some(_) => {
                let file = self.dir.path().join("worker.token");
                std::fs::write(&file, self.trackers.worker_token().await?)?;
                Some(file)
            }
        };
        for number in 0..self.options.workers {
            let records = self.dir.path().join(format!("worker-{number}"));
            let mut command = self.process("worker");
            command.arg("--trackers").arg(self.trackers.urls.join(","));
            if let Some(token) = &token {
                command.arg("--token").arg(token);
            }
            let permits = self.options.permits.unwrap_or(PERMITS);
            command.arg("--permits").arg(permits.to_string());
            command.arg("--records").arg(&records);
            self.crew.hire(command, records)?;
        }
        self.crew.connected(self.trackers.urls.len() as u64).await
    }

    pub(crate) async fn read(&self) -> Result<Reading> {
        Ok(Reading {
            at: Instant::now(),
            redis: self.redis.usage().await?,
            tracker_cpu: self.processes.iter().map(process::cpu_seconds).sum(),
            worker_cpu: self.crew.cpu_seconds(),
        })
    }

    /// Peak resident memory in MiB of Redis, trackers and workers together.
    pub(crate) fn peak_rss_mib(&self) -> f64 {
        let trackers = self.processes.iter().filter_map(Child::id);
        let pids = trackers.chain(self.crew.pids()).chain(self.redis.pids());
        pids.map(process::peak_mib).sum()
    }

    /// What trackers and workers have in memory.
    pub(crate) fn memory(&self) -> Memory {
        let all = |pids: &mut dyn Iterator<Item = u32>| {
            pids.map(process::Resident::of)
                .fold(process::Resident::default(), process::Resident::and)
        };
        Memory {
            trackers: all(&mut self.processes.iter().filter_map(Child::id)),
            workers: all(&mut self.crew.pids()),
        }
    }

    /// The fields every scenario has: CPU and commands for each job between two readings, memory, and the longest script.
    pub(crate) async fn costs(
        &self,
        before: &Reading,
        after: &Reading,
        jobs: f64,
    ) -> Result<Map<String, Value>> {
        let mut fields = costs(before, after, jobs);
        let mut put = |field: &str, value: Value| fields.insert(field.to_owned(), value);
        put("longest_script_us", json!(self.redis.longest_us().await?));
        put("peak_rss_mib", json!(report::round(self.peak_rss_mib())));
        Ok(fields)
    }

    /// Ends the workers gracefully and reads what they recorded.
    pub(crate) async fn finish(&mut self) -> Result<Vec<Start>> {
        self.crew.finish().await
    }

    pub(crate) fn say(&self, text: &str) {
        if !self.options.json {
            eprintln!("{text}");
        }
    }
}

/// Resident memory of the processes of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    trackers: process::Resident,
    workers: process::Resident,
}

/// By how many MiB the memory grew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth {
    pub(crate) trackers: f64,
    pub(crate) workers: f64,
}

impl Memory {
    /// From what was resident then to the highest since.
    pub(crate) fn grown_since(&self, then: &Self) -> Growth {
        let grown = |now: process::Resident, then: process::Resident| {
            (now.peak_mib - then.now_mib).max(0.0)
        };
        Growth {
            trackers: grown(self.trackers, then.trackers),
            workers: grown(self.workers, then.workers),
        }
    }
}

/// What each job cost between two readings.
fn costs(before: &Reading, after: &Reading, jobs: f64) -> Map<String, Value> {
    let us = |from: f64, to: f64| json!(report::round((to - from) * 1e6 / jobs));
    Map::from_iter([
        (
            "redis_cpu_us_per_job".to_owned(),
            us(before.redis.cpu, after.redis.cpu),
        ),
        (
            "redis_commands_per_job".to_owned(),
            json!(report::round4(
                before.redis.commands_until(&after.redis) / jobs
            )),
        ),
        (
            "tracker_cpu_us_per_job".to_owned(),
            us(before.tracker_cpu, after.tracker_cpu),
        ),
        (
            "worker_cpu_us_per_job".to_owned(),
            us(before.worker_cpu, after.worker_cpu),
        ),
    ])
}

/// A folder of temporary files, removed with this value.
#[derive(Debug)]
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Result<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tickwheel-bench-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        // What is left in the folder of temporary files is small, and the run is over.
        std::fs::remove_dir_all(&self.0).ok();
    }
}
