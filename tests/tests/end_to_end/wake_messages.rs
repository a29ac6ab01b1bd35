//! Whatever ends a subscription, an idle cluster hears again: what is submitted afterwards on partitions that nobody visited is on time.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::harness::jobs::{delayed, submission};
use tickwheel_tests::harness::wire::Wire;
use tickwheel_tests::harness::{
    Client, Launch, Layout, RedisServer, RunBook, Sentinel, handlers, readiness, until,
};
use tickwheel_tracker::config::Access;
use tickwheel_tracker::{Config, Tracker};
use tickwheel_worker::{RunningWorker, Worker};

const LIMIT: Duration = Duration::from_secs(30);
const PARTITIONS: u16 = 16;
const TRACKERS: usize = 2;
/// What a late wake message is told from: without one, a partition is looked at each minute.
const ON_TIME_MS: u64 = 50;
const CONTEXTS: usize = 100;
/// A busy machine may be late for other reasons; a partition that is not heard is late each time.
const ROUNDS: usize = 6;

/// Two trackers and a worker with nothing to do.
pub(crate) struct Idle {
    trackers: Vec<Tracker>,
    client: Client,
    _worker: RunningWorker,
    _dir: TempDir,
}

impl Idle {
    async fn start(redis: &str) -> Result<Self> {
        Self::start_with(Config {
            redis_url: redis.to_owned(),
            grpc_listen: ([127, 0, 0, 1], 0).into(),
            http_listen: Some(([127, 0, 0, 1], 0).into()),
            access: Access::open(),
            ..Config::default()
        })
        .await
    }

    pub(crate) async fn start_with(config: Config) -> Result<Self> {
        let mut trackers = Vec::new();
        for _ in 0..TRACKERS {
            let config = Config {
                partitions: PARTITIONS,
                ..config.clone()
            };
            trackers.push(Tracker::start(config).await?);
        }
        let url = |tracker: &Tracker| format!("http://{}", tracker.grpc_addr());
        let urls: Vec<String> = trackers.iter().map(url).collect();
        let dir = tempfile::tempdir()?;
        let book = RunBook::open(&dir.path().join("runs.jsonl"))?;
        let mut client = Client::connect(urls.first().context("a tracker")?).await?;
        let builder = Worker::builder(urls.join(",")).name("w").concurrency(64);
        let worker = handlers::register(builder, &["ok".to_owned()], &book, "w").start()?;
        let first = client.submit_one(submission("ok", 0)).await?;
        client.end_of(&first).await?;
        Ok(Self {
            trackers,
            client,
            _worker: worker,
            _dir: dir,
        })
    }

    /// Every tracker is subscribed to the channel of every partition, and says that it is ready.
    pub(crate) async fn hears(&self, ports: &[u16]) -> Result<()> {
        until("every channel is subscribed to", LIMIT, async || {
            for partition in 0..PARTITIONS {
                let count = subscribers(ports, partition).await?;
                ensure!(count == TRACKERS, "{count} hear partition {partition}");
            }
            Ok(())
        })
        .await?;
        for tracker in &self.trackers {
            let http = tracker.http_addr().context("it serves HTTP")?;
            readiness::is_ready(http, LIMIT).await?;
        }
        Ok(())
    }

    /// Contexts on every partition, which is idle until they are due: in one of a few rounds, all are claimed in time.
    pub(crate) async fn is_on_time(&mut self) -> Result<()> {
        let mut seen = Vec::new();
        for _ in 0..ROUNDS {
            let late = self.lateness().await?;
            if late <= ON_TIME_MS {
                return Ok(());
            }
            seen.push(late);
        }
        anyhow::bail!("late in each round: {seen:?} ms")
    }

    /// The ms between the due time and the claim of the latest of a hundred contexts and more, some on each partition.
    async fn lateness(&mut self) -> Result<u64> {
        let client = &mut self.client;
        let mut partitions = BTreeSet::new();
        let mut ids = Vec::new();
        until("submissions reach every partition", LIMIT, async || {
            let soon = delayed(submission("ok", 0), Duration::from_secs(1));
            for id in client.submit(vec![soon; 8]).await? {
                let partition = id.split('.').next().unwrap_or_default().to_owned();
                partitions.insert(partition);
                ids.push(id);
            }
            ensure!(
                partitions.len() == usize::from(PARTITIONS) && ids.len() >= CONTEXTS,
                "{} on {} so far",
                ids.len(),
                partitions.len()
            );
            Ok(())
        })
        .await?;
        let mut latest = 0;
        for id in &ids {
            let ended = until("it ended", Duration::from_secs(90), async || {
                let ended = client.end_of(id).await?;
                ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
                Ok(ended)
            })
            .await?;
            latest = latest.max(ended.claimed_ms.saturating_sub(ended.due_ms));
        }
        Ok(latest)
    }
}

/// How many connections hear a partition, on whichever of the servers has its channel.
async fn subscribers(ports: &[u16], partition: u16) -> Result<usize> {
    let channel = format!("{{tw:{partition}}}:wake");
    let mut sum = 0;
    for port in ports {
        let mut wire = Wire::connect(*port).await?;
        let counts = wire.command(&["PUBSUB", "SHARDNUMSUB", &channel]).await?;
        let count = counts.list().pop().context("a count")?.text();
        sum += count.parse::<usize>()?;
    }
    Ok(sum)
}

async fn server(dir: &Path, layout: Layout) -> Result<Option<RedisServer>> {
    let launch = Launch {
        durable: true,
        layout,
        ..Launch::default()
    };
    RedisServer::launch(dir, launch).await
}

pub(crate) async fn kill_subscriptions(ports: &[u16]) -> Result<()> {
    kill(ports, &["pubsub"]).await
}

pub(crate) async fn kill_connections(ports: &[u16]) -> Result<()> {
    kill(ports, &["normal", "pubsub"]).await
}

async fn kill(ports: &[u16], kinds: &[&str]) -> Result<()> {
    for port in ports {
        let mut wire = Wire::connect(*port).await?;
        for kind in kinds {
            let words = ["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"];
            wire.command(&words).await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_subscriptions_and_restarts_leave_no_partition_deaf() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let Some(mut redis) = server(dir.path(), Layout::Single).await? else {
        return Ok(());
    };
    let mut idle = Idle::start(&redis.url()).await?;
    let ports = redis.ports();
    idle.hears(&ports).await?;
    kill_subscriptions(&ports).await?;
    idle.hears(&ports).await.context("after CLIENT KILL")?;
    idle.is_on_time().await.context("after CLIENT KILL")?;

    redis.kill().await?;
    redis.restart().await?;
    idle.hears(&ports).await.context("after a restart")?;
    idle.is_on_time().await.context("after a restart")?;

    // A server that shuts down does not answer any more.
    let mut wire = redis.wire().await?;
    ensure!(wire.command(&["SHUTDOWN"]).await.is_err(), "it answered");
    until("it is gone", LIMIT, async || {
        ensure!(redis.wire().await.is_err(), "it takes connections");
        Ok(())
    })
    .await?;
    redis.restart().await?;
    idle.hears(&ports).await.context("after SHUTDOWN")?;
    idle.is_on_time().await.context("after SHUTDOWN")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_subscriptions_on_a_cluster_leave_no_partition_deaf() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let Some(redis) = server(dir.path(), Layout::Cluster).await? else {
        return Ok(());
    };
    let mut idle = Idle::start(&redis.url()).await?;
    let ports = redis.ports();
    idle.hears(&ports).await?;
    kill_subscriptions(&ports).await?;
    idle.hears(&ports).await.context("after CLIENT KILL")?;
    idle.is_on_time().await.context("after CLIENT KILL")?;
    redis.move_slot_of("{tw:0}:wheel").await?;
    idle.hears(&ports).await.context("after a slot moved")?;
    idle.is_on_time().await.context("after a slot moved")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_leaves_no_partition_deaf() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let Some(mut servers) = Sentinel::start(dir.path(), false).await? else {
        return Ok(());
    };
    let mut idle = Idle::start(&servers.url()).await?;
    idle.hears(&servers.primary_ports()).await?;
    servers.fail_over().await?;
    let ports = servers.replica.ports();
    idle.hears(&ports).await.context("after the failover")?;
    let client = &mut idle.client;
    until("submissions are accepted again", LIMIT, async || {
        let far = delayed(submission("ok", 0), Duration::from_secs(3_600));
        client.submit_one(far).await.map(drop)
    })
    .await?;
    idle.is_on_time().await.context("after the failover")?;
    kill_subscriptions(&ports).await?;
    idle.hears(&ports).await.context("after CLIENT KILL")?;
    idle.is_on_time().await.context("after CLIENT KILL")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_changes_and_comes_back_leaves_no_partition_deaf() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let Some(redis) = server(dir.path(), Layout::Single).await? else {
        return Ok(());
    };
    let mut idle = Idle::start(&redis.url()).await?;
    let ports = redis.ports();
    idle.hears(&ports).await?;
    // A connection that is open stays allowed.
    let mut wire = redis.wire().await?;
    wire.command(&["CONFIG", "SET", "requirepass", "another"])
        .await?;
    for kind in ["normal", "pubsub"] {
        wire.command(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"])
            .await?;
    }
    let client = &mut idle.client;
    until("nobody is let in", LIMIT, async || {
        let far = delayed(submission("ok", 0), Duration::from_secs(3_600));
        ensure!(client.submit_one(far).await.is_err(), "it was accepted");
        Ok(())
    })
    .await?;
    wire.command(&["CONFIG", "SET", "requirepass", ""]).await?;
    idle.hears(&ports)
        .await
        .context("after the password is back")?;
    idle.is_on_time()
        .await
        .context("after the password is back")
}
