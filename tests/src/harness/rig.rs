//! A cluster of processes around one Redis.

mod doomed;
mod options;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tickwheel_core::partition::PartitionCount;
use tickwheel_store::{Redis, Store};

use super::client::Client;
use super::process::Process;
use super::redis::{Launch, Layout, RedisServer};
use super::runs::RunBook;
use super::secrets::Secrets;
use super::snapshot::Snapshot;
use super::wait::until;
use crate::invariants::{self, Broken};

pub use doomed::died;
pub use options::{
    TrackerConfig, TrackerOptions, TrackerStarted, WorkerConfig, WorkerOptions, WorkerStarted,
};

/// Where the binaries of the rig are; see [`bins`](crate::bins).
#[derive(Debug, Clone, Copy)]
pub struct Bins {
    /// `rig-tracker`.
    pub tracker: &'static str,
    /// `rig-worker`.
    pub worker: &'static str,
}

/// The binaries that were built for the calling integration test.
#[macro_export]
macro_rules! bins {
    () => {
        $crate::harness::Bins {
            tracker: env!("CARGO_BIN_EXE_rig-tracker"),
            worker: env!("CARGO_BIN_EXE_rig-worker"),
        }
    };
}

/// What a rig is like.
#[derive(Debug, Clone, Copy)]
pub struct RigOptions {
    /// Redis keeps an append-only file, so that it can be restarted.
    pub durable: bool,
    /// What its servers form together; as the environment has it, unless a test is about one of them.
    pub layout: Layout,
    /// Trackers log in as the user of `deploy/redis/users.acl`, whatever the environment has.
    pub as_user: bool,
    /// Partitions of the cluster.
    pub partitions: u16,
    /// Until a claimed context must be accepted.
    pub dispatch_lease_ms: u64,
    /// Everybody speaks TLS, shows a certificate, and is asked for a token.
    pub secure: bool,
}

impl Default for RigOptions {
    fn default() -> Self {
        Self {
            durable: false,
            layout: Layout::default(),
            as_user: false,
            partitions: 8,
            dispatch_lease_ms: 2_000,
            secure: false,
        }
    }
}

/// A tracker process.
#[derive(Debug)]
pub struct TrackerProcess {
    /// The process.
    pub process: Process,
    /// Where it is reached.
    pub url: String,
    /// Where it answers for its health, when it does.
    pub http: Option<SocketAddr>,
}

/// A worker process.
#[derive(Debug)]
pub struct WorkerProcess {
    /// The process.
    pub process: Process,
    /// Its id in the cluster.
    pub id: String,
    /// Its group.
    pub group: String,
    book: RunBook,
}

impl WorkerProcess {
    /// `kill -9`; its runs end with it.
    ///
    /// # Errors
    /// When it had ended before.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.kill().await?;
        self.book.worker_gone(self.process.name());
        Ok(())
    }

    /// Freezes it until the signal `CONT`; its runs count as ended.
    ///
    /// # Errors
    /// When it had ended before.
    pub async fn freeze(&self) -> Result<()> {
        self.process.signal("STOP").await?;
        self.book.worker_gone(self.process.name());
        Ok(())
    }
}

/// One Redis, and what a test starts around it. Dropping it ends everything.
#[derive(Debug)]
pub struct Rig {
    /// Redis.
    pub redis: RedisServer,
    /// For reading records as the system reads them.
    pub store: Store,
    /// What handlers did.
    pub book: RunBook,
    /// What the rig is like.
    pub options: RigOptions,
    /// Certificates and tokens, where it is secure.
    pub secrets: Option<Secrets>,
    bins: Option<Bins>,
    started: AtomicU32,
    dir: TempDir,
}

impl Rig {
    /// Starts Redis. `None` where there is none, and the test shall be skipped. Without `bins` the rig has no processes.
    ///
    /// # Errors
    /// When Redis does not start.
    pub async fn start(bins: Option<Bins>, options: RigOptions) -> Result<Option<Self>> {
        Self::start_with(bins, options, Launch::default()).await
    }

    /// The same with a Redis that is started as `launch` says. Its data lie in the folder of the rig unless an argument says otherwise.
    ///
    /// # Errors
    /// When Redis does not start.
    pub async fn start_with(
        bins: Option<Bins>,
        options: RigOptions,
        launch: Launch,
    ) -> Result<Option<Self>> {
        let mut dir = tempfile::Builder::new()
            .prefix("tickwheel-rig-")
            .tempdir()?;
        dir.disable_cleanup(std::env::var_os("TICKWHEEL_RIG_KEEP").is_some());
        let launch = Launch {
            durable: options.durable || launch.durable,
            layout: options.layout,
            as_user: options.as_user || launch.as_user,
            ..launch
        };
        let Some(redis) = RedisServer::launch(dir.path(), launch).await? else {
            return Ok(None);
        };
        let partitions = PartitionCount::new(options.partitions)?;
        let (store, _) = Store::open(Redis::connect(&redis.url()).await?, "tw", partitions).await?;
        let book = RunBook::open(&dir.path().join("runs.jsonl"))?;
        let secrets = match options.secure {
            true => Some(Secrets::make(dir.path(), &store).await?),
            false => None,
        };
        Ok(Some(Self {
            redis,
            store,
            book,
            options,
            secrets,
            bins,
            started: AtomicU32::new(0),
            dir,
        }))
    }

    /// A URL of the cluster at this address.
    #[must_use]
    pub fn url(&self, address: SocketAddr) -> String {
        let scheme = if self.options.secure { "https" } else { "http" };
        format!("{scheme}://{address}")
    }

    /// Leaves logs and the run book where they are when the rig ends.
    pub fn keep_dir(&mut self) {
        self.dir.disable_cleanup(true);
    }

    /// Where logs and the run book are. Kept after the test when `TICKWHEEL_RIG_KEEP` is set.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn next_name(&self, kind: &str) -> String {
        format!("{kind}{}", self.started.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn bins(&self) -> Result<Bins> {
        self.bins
            .ok_or_else(|| anyhow::anyhow!("this rig was started without binaries"))
    }

    /// Starts a tracker process.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn tracker(&self) -> Result<TrackerProcess> {
        self.tracker_with(&TrackerOptions::default()).await
    }

    /// Starts another tracker where a killed one was reached: trackers keep their addresses over restarts.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart_tracker(&self, killed: &mut TrackerProcess) -> Result<()> {
        let (_, address) = killed.url.split_once("://").context("a URL")?;
        let address = address.parse()?;
        let options = TrackerOptions {
            listen: Some(address),
            ..TrackerOptions::default()
        };
        *killed = self.tracker_with(&options).await?;
        Ok(())
    }

    /// Starts a tracker process that differs from the usual.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn tracker_with(&self, options: &TrackerOptions) -> Result<TrackerProcess> {
        let name = self.next_name("t");
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = TrackerConfig {
            redis: options.redis.clone().unwrap_or_else(|| self.redis.url()),
            partitions: self.options.partitions,
            dispatch_lease_ms: self.options.dispatch_lease_ms,
            listen: options.listen.unwrap_or(anywhere),
            advertise: options.advertise.clone(),
            http: options.http,
            callbacks: options.callbacks,
            secrets: self.secrets.clone(),
        };
        let log = self.dir().join(format!("{name}.log"));
        let program = (self.bins()?.tracker, options.environment.as_slice());
        let (process, started): (_, TrackerStarted) =
            Process::start_in(&name, program, &config, &log).await?;
        Ok(TrackerProcess {
            process,
            url: started.url,
            http: started.http,
        })
    }

    /// Starts `count` tracker processes, more where `TICKWHEEL_RIG_TRACKERS` says so, and waits until they know each other.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn trackers(&self, count: usize) -> Result<Vec<TrackerProcess>> {
        let least = match std::env::var("TICKWHEEL_RIG_TRACKERS") {
            Ok(least) => least
                .parse()
                .context("TICKWHEEL_RIG_TRACKERS is no number")?,
            Err(_) => 0,
        };
        let count = count.max(least);
        let mut trackers = Vec::new();
        for _ in 0..count {
            trackers.push(self.tracker().await?);
        }
        until(
            "the trackers know each other",
            Duration::from_secs(10),
            async || {
                let live = self.store.list_trackers().await?.len();
                ensure!(live >= count, "{live} trackers of {count} are alive");
                Ok(())
            },
        )
        .await?;
        Ok(trackers)
    }

    /// Starts a worker process, and waits until the cluster knows it.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn worker(
        &self,
        trackers: &[TrackerProcess],
        options: WorkerOptions,
    ) -> Result<WorkerProcess> {
        let trackers = trackers.iter().map(|tracker| tracker.url.clone()).collect();
        let worker = self.worker_at(trackers, options).await?;
        self.wait_for_worker(&worker.id).await?;
        Ok(worker)
    }

    /// Starts a worker process that begins with these addresses of trackers, and does not wait until one answers.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn worker_at(
        &self,
        trackers: Vec<String>,
        options: WorkerOptions,
    ) -> Result<WorkerProcess> {
        let name = self.next_name("w");
        let (environment, group) = (options.environment.clone(), options.group.clone());
        let book = self.book.path().display().to_string();
        let config = WorkerConfig {
            name: name.clone(),
            trackers,
            book,
            options,
            secrets: self.secrets.clone(),
        };
        let log = self.dir().join(format!("{name}.log"));
        let (process, started): (_, WorkerStarted) =
            Process::start_in(&name, (self.bins()?.worker, &environment), &config, &log).await?;
        Ok(WorkerProcess {
            process,
            id: started.id,
            group,
            book: self.book.clone(),
        })
    }

    /// Waits until a worker is in the roster.
    ///
    /// # Errors
    /// When it is not there after ten seconds.
    pub async fn wait_for_worker(&self, id: &str) -> Result<()> {
        until(
            "the worker is in the roster",
            Duration::from_secs(10),
            async || {
                let workers = self.store.list_workers(None).await?;
                ensure!(
                    workers.iter().any(|worker| worker.id.as_str() == id),
                    "{} others are",
                    workers.len()
                );
                Ok(())
            },
        )
        .await
    }

    /// A client of a tracker.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn client(&self, tracker: &TrackerProcess) -> Result<Client> {
        Client::connect_as(&tracker.url, self.secrets.as_ref()).await
    }

    /// Everything in Redis, each partition at one instant.
    ///
    /// # Errors
    /// When Redis does not answer, or a record cannot be read.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        Snapshot::take(&mut self.redis.wire().await?, "tw", self.options.partitions).await
    }

    /// Waits until no context waits for a permit, runs, waits for a retry, or is on its way to a follower.
    ///
    /// # Errors
    /// Names what is left after `limit`.
    pub async fn drained(&self, limit: Duration) -> Result<Snapshot> {
        until("everything that is due has ended", limit, async || {
            let snapshot = self.snapshot().await?;
            let left = snapshot.under_way();
            ensure!(
                left.is_empty(),
                "{} are under way: {:?}",
                left.len(),
                left.iter().take(5).collect::<Vec<_>>()
            );
            Ok(snapshot)
        })
        .await
    }

    /// Every invariant that can be seen from outside, on what is in Redis and what the workers did. The cluster may be running.
    ///
    /// # Errors
    /// Every broken one, or that Redis does not answer.
    pub async fn check(&self) -> Result<()> {
        let snapshot = self.snapshot().await?;
        let runs = self.book.read()?;
        let broken: Vec<Broken> = invariants::all(&snapshot, &runs);
        invariants::require(&broken)
    }
}
