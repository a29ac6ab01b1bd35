//! A whole cluster in the test's own runtime: one tracker, one worker, for promises that need no process to die.

use std::time::Duration;

use anyhow::Result;
use tickwheel_tracker::config::Access;
use tickwheel_tracker::{Config, Tracker};
use tickwheel_worker::{RunningWorker, Worker};

use super::client::Client;
use super::handlers;
use super::rig::{Rig, RigOptions, WorkerOptions};

/// One tracker, one worker, a client.
#[derive(Debug)]
pub struct Small {
    /// A caller of the tracker.
    pub client: Client,
    /// The worker, unless it was taken away.
    pub worker: Option<RunningWorker>,
    /// The tracker, unless it was stopped.
    pub tracker: Option<Tracker>,
    /// Redis and the run book.
    pub rig: Rig,
}

impl Small {
    /// Starts everything with default options. `None` where there is no Redis.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn start() -> Result<Option<Self>> {
        Self::with(WorkerOptions::default()).await
    }

    /// Starts everything with such a worker. `None` where there is no Redis.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn with(options: WorkerOptions) -> Result<Option<Self>> {
        let Some(mut small) = Self::without_worker().await? else {
            return Ok(None);
        };
        small.add_worker(options).await?;
        Ok(Some(small))
    }

    /// Starts everything but the worker. `None` where there is no Redis.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn without_worker() -> Result<Option<Self>> {
        Self::on(RigOptions::default()).await
    }

    /// The same, on such a rig.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn on(options: RigOptions) -> Result<Option<Self>> {
        let Some(rig) = Rig::start(None, options).await? else {
            return Ok(None);
        };
        let tracker = tracker(&rig).await?;
        let client = Client::connect(&url(&tracker)).await?;
        Ok(Some(Self {
            client,
            worker: None,
            tracker: Some(tracker),
            rig,
        }))
    }

    /// Starts the worker, named `w0` in the run book, and waits until it is in the roster.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn add_worker(&mut self, options: WorkerOptions) -> Result<()> {
        let urls: Vec<String> = self.tracker.iter().map(url).collect();
        let worker = start_worker(&self.rig, &urls, "w0", &options)?;
        self.rig.wait_for_worker(&worker.id()).await?;
        self.worker = Some(worker);
        Ok(())
    }

    /// Stops the tracker and starts another after `outage`; the client and the worker go on with the new one.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn outage(&mut self, outage: impl Future<Output = ()>) -> Result<()> {
        drop(self.worker.take());
        if let Some(tracker) = self.tracker.take() {
            tracker.stop().await;
        }
        outage.await;
        let tracker = tracker(&self.rig).await?;
        self.client = Client::connect(&url(&tracker)).await?;
        self.tracker = Some(tracker);
        self.add_worker(WorkerOptions::default()).await
    }
}

/// Starts a tracker of `rig` in this runtime.
///
/// # Errors
/// When it does not start.
pub async fn tracker(rig: &Rig) -> Result<Tracker> {
    let config = Config {
        redis_url: rig.redis.url(),
        partitions: rig.options.partitions,
        grpc_listen: ([127, 0, 0, 1], 0).into(),
        http_listen: None,
        dispatch_lease: Duration::from_millis(rig.options.dispatch_lease_ms),
        access: Access::open(),
        ..Config::default()
    };
    Ok(Tracker::start(config).await?)
}

/// Starts a worker of `rig` in this runtime, under `name` in the run book.
///
/// # Errors
/// When it does not start.
pub fn start_worker(
    rig: &Rig,
    trackers: &[String],
    name: &str,
    options: &WorkerOptions,
) -> Result<RunningWorker> {
    let builder = Worker::builder(trackers.join(","))
        .name(name)
        .group(&options.group)
        .concurrency(options.permits)
        .tags(options.tags.iter().cloned())
        .drain_timeout(Duration::from_millis(options.drain_ms));
    Ok(handlers::register(builder, &options.handlers, &rig.book, name).start()?)
}

fn url(tracker: &Tracker) -> String {
    format!("http://{}", tracker.grpc_addr())
}
