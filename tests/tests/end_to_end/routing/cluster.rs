//! Several trackers and named workers in the runtime of the test.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_proto::v1;
use tickwheel_tests::harness::small::{start_worker, tracker};
use tickwheel_tests::harness::{Client, Rig, RigOptions, WorkerOptions, until};
use tickwheel_tracker::Tracker;
use tickwheel_worker::RunningWorker;

const LIMIT: Duration = Duration::from_secs(60);
/// Contexts of one call.
const BATCH: u64 = 500;

pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) rig: Rig,
    trackers: Vec<Tracker>,
    workers: BTreeMap<String, RunningWorker>,
}

/// The context, for a worker that a policy chooses.
pub(crate) fn routed(context: v1::Submission, policy: &str, list: &[&str]) -> v1::Submission {
    let routing = v1::Routing {
        policy: policy.to_owned(),
        list: list.iter().map(|&entry| entry.to_owned()).collect(),
        ..v1::Routing::default()
    };
    v1::Submission {
        options: Some(v1::ContextOptions {
            routing: Some(routing),
            ..context.options.unwrap_or_default()
        }),
        ..context
    }
}

/// The context, for some workers only.
pub(crate) fn placed(context: v1::Submission, workers: v1::WorkerSelection) -> v1::Submission {
    v1::Submission {
        options: Some(v1::ContextOptions {
            workers: Some(workers),
            ..context.options.unwrap_or_default()
        }),
        ..context
    }
}

impl Cluster {
    pub(crate) async fn start(trackers: usize) -> Result<Option<Self>> {
        let Some(rig) = Rig::start(None, RigOptions::default()).await? else {
            return Ok(None);
        };
        let mut running = Vec::new();
        for _ in 0..trackers {
            running.push(tracker(&rig).await?);
        }
        until("the trackers know each other", LIMIT, async || {
            let live = rig.store.list_trackers().await?.len();
            ensure!(live >= trackers, "{live} of {trackers} are alive");
            Ok(())
        })
        .await?;
        let first = running.first().context("no tracker")?;
        let client = Client::connect(&format!("http://{}", first.grpc_addr())).await?;
        Ok(Some(Self {
            client,
            rig,
            trackers: running,
            workers: BTreeMap::new(),
        }))
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        let url = |tracker: &Tracker| format!("http://{}", tracker.grpc_addr());
        self.trackers.iter().map(url).collect()
    }

    /// Starts a worker and waits until each tracker has a stream to it. Answers with its id.
    pub(crate) async fn hire(&mut self, name: &str, options: &WorkerOptions) -> Result<String> {
        let worker = start_worker(&self.rig, &self.urls(), name, options)?;
        self.add(name, worker).await
    }

    /// Waits until each tracker has a stream to a worker that was started otherwise. Answers with its id.
    pub(crate) async fn add(&mut self, name: &str, worker: RunningWorker) -> Result<String> {
        let trackers = self.trackers.len() as u64;
        until("each tracker has a stream", LIMIT, async || {
            let found = worker.stats().trackers;
            ensure!(found >= trackers, "{found} of {trackers}");
            Ok(())
        })
        .await?;
        let id = worker.id();
        self.rig.wait_for_worker(&id).await?;
        self.workers.insert(name.to_owned(), worker);
        Ok(id)
    }

    /// A worker by its name.
    pub(crate) fn worker(&self, name: &str) -> Option<&RunningWorker> {
        self.workers.get(name)
    }

    /// Drains a worker.
    pub(crate) async fn dismiss(&mut self, name: &str) -> Result<()> {
        let worker = self.workers.remove(name).context("no such worker")?;
        worker.drain().await?;
        Ok(())
    }

    /// Submits a context so many times and waits until all have ended.
    pub(crate) async fn run_all(
        &mut self,
        context: &v1::Submission,
        count: u64,
    ) -> Result<Vec<v1::Context>> {
        let ids = self.submit_all(|_| context.clone(), count).await?;
        self.rig.drained(LIMIT).await?;
        let mut ended = Vec::new();
        // Of many, what a few tell is enough; the counts are in the run book.
        for id in ids.iter().take(200) {
            ended.push(self.client.end_of(id).await?);
        }
        Ok(ended)
    }

    /// Submits contexts made by number; answers with the worker of each.
    pub(crate) async fn run_by_number(
        &mut self,
        make: impl Fn(u64) -> v1::Submission,
        count: u64,
    ) -> Result<Vec<String>> {
        let ids = self.submit_all(make, count).await?;
        self.rig.drained(LIMIT).await?;
        let runs = self.rig.book.read()?;
        let by_id: BTreeMap<&str, &str> = runs
            .iter()
            .map(|run| (run.context.as_str(), run.worker.as_str()))
            .collect();
        ids.iter()
            .map(|id| {
                let worker = by_id.get(id.as_str()).context("it did not run")?;
                Ok((*worker).to_owned())
            })
            .collect()
    }

    pub(crate) async fn submit_all(
        &mut self,
        make: impl Fn(u64) -> v1::Submission,
        count: u64,
    ) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for first in (0..count).step_by(usize::try_from(BATCH)?) {
            let contexts = (first..count.min(first + BATCH)).map(&make);
            ids.extend(self.client.submit(contexts.collect()).await?);
        }
        Ok(ids)
    }

    /// Runs so far, by the name of their worker.
    pub(crate) fn counts(&self) -> Result<BTreeMap<String, u64>> {
        let mut counts = BTreeMap::new();
        for run in self.rig.book.read()? {
            *counts.entry(run.worker).or_default() += 1;
        }
        Ok(counts)
    }
}
