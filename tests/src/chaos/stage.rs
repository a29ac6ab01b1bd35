//! The cluster a fault happens to: Redis, trackers and workers as processes, with a proxy on every way between them.
//!
//! Callers reach the trackers directly, so that a submission tells what the cluster does, not what the caller's network does.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::job::{JobSpec, Overlap};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::load::Load;
use super::quiet::Usage;
use crate::harness::client::Client;
use crate::harness::jobs::{cron, delay, every, job, job_of};
use crate::harness::proxy::Mode;
use crate::harness::redis::free_port;
use crate::harness::rig::{TrackerProcess, WorkerProcess};
use crate::harness::{
    Bins, Launch, Layout, Proxy, Registered, Rig, RigOptions, Secrets, TrackerOptions,
    WorkerOptions, until,
};

const START_LIMIT: Duration = Duration::from_secs(15);
const CALL_LIMIT: Duration = Duration::from_secs(5);

/// What the cluster is like.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Trackers.
    pub trackers: usize,
    /// Worker processes.
    pub workers: usize,
    /// What each of them is like.
    pub worker: WorkerOptions,
    /// Contexts submitted each second.
    pub rate: u32,
    /// Recurring jobs run beside them, and their ledgers are checked.
    pub jobs: bool,
    /// How Redis is started.
    pub launch: Launch,
    /// Environment of the trackers, in turn.
    pub environments: Vec<Vec<(String, String)>>,
    /// Lateness that the recurring jobs of the plan put up with before it is a misfire.
    pub tolerance_ms: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            trackers: 3,
            workers: 2,
            worker: WorkerOptions::default(),
            rate: 100,
            jobs: true,
            launch: Launch::default(),
            environments: Vec::new(),
            tolerance_ms: 60_000,
        }
    }
}

/// A tracker with its proxies.
#[derive(Debug)]
pub struct Node {
    /// The process.
    pub tracker: TrackerProcess,
    /// Between workers and the tracker.
    pub front: Proxy,
    /// Between the tracker and Redis.
    pub back: Proxy,
    options: TrackerOptions,
}

/// The cluster. Dropping it ends everything.
#[derive(Debug)]
pub struct Stage {
    /// What submits.
    pub load: Load,
    /// Trackers.
    pub nodes: Vec<Node>,
    /// Workers.
    pub workers: Vec<WorkerProcess>,
    /// Recurring jobs.
    pub jobs: Option<Registered>,
    /// Redis, the run book, and the rest.
    pub rig: Rig,
    /// What its processes held before the fault.
    pub usage: Usage,
    plan: Plan,
}

impl Stage {
    /// Starts everything, and waits until the load is flowing.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn start((bins, secure): (Bins, bool), plan: Plan, seed: u64) -> Result<Self> {
        // A proxy stands before one server: a cluster would tell its clients the way around it.
        let options = RigOptions {
            layout: Layout::Single,
            secure,
            ..RigOptions::default()
        };
        let rig = Rig::start_with(Some(bins), options, plan.launch.clone()).await?;
        let rig = rig.context("redis-server is not installed")?;
        let mut nodes = Vec::new();
        for number in 0..plan.trackers {
            let environment = plan.environments.get(number).cloned().unwrap_or_default();
            nodes.push(Node::start(&rig, environment).await?);
        }
        let urls: Vec<String> = nodes.iter().map(|node| node.tracker.url.clone()).collect();
        let mut stage = Self {
            load: Load::start((&urls, rig.secrets.as_ref()), 0, seed)?,
            nodes,
            workers: Vec::new(),
            jobs: None,
            rig,
            usage: Usage::default(),
            plan,
        };
        for _ in 0..stage.plan.workers {
            stage.add_worker(stage.plan.worker.clone()).await?;
        }
        if stage.plan.jobs {
            stage.apply_jobs().await?;
        }
        if stage.plan.rate > 0 {
            let who = (urls.as_slice(), stage.rig.secrets.as_ref());
            stage.load = Load::start(who, stage.plan.rate, seed)?;
            stage.ran(10).await?;
        }
        stage.usage = Usage::of(&stage.rig, &stage.tracker_pids()).await?;
        Ok(stage)
    }

    /// Starts a worker, and waits until the cluster knows it.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn add_worker(&mut self, options: WorkerOptions) -> Result<()> {
        let worker = self.rig.worker_at(self.fronts(), options).await?;
        self.rig.wait_for_worker(&worker.id).await?;
        self.workers.push(worker);
        Ok(())
    }

    /// Registers the recurring jobs, as a person does again where the store has lost them.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn apply_jobs(&mut self) -> Result<()> {
        let specs = steady_jobs(self.plan.tolerance_ms)?;
        self.jobs = Some(Registered::apply(&mut self.client(0)?, specs).await?);
        Ok(())
    }

    /// The log of tracker `at` since its start.
    ///
    /// # Errors
    /// When there is none.
    pub fn log(&self, at: usize) -> Result<String> {
        let node = self.nodes.get(at).context("no such tracker")?;
        let file = format!("{}.log", node.tracker.process.name());
        Ok(std::fs::read_to_string(self.rig.dir().join(file))?)
    }

    fn fronts(&self) -> Vec<String> {
        self.nodes
            .iter()
            .map(|node| self.rig.url(node.front.address()))
            .collect()
    }

    /// Replaces a worker that was killed; its address book is the same.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn replace_worker(&mut self, at: usize) -> Result<()> {
        let worker = self
            .rig
            .worker_at(self.fronts(), self.plan.worker.clone())
            .await?;
        *self.workers.get_mut(at).context("a worker")? = worker;
        Ok(())
    }

    /// Starts a tracker again where it was.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart_tracker(&mut self, at: usize) -> Result<()> {
        let node = self.nodes.get_mut(at).context("a tracker")?;
        node.tracker = self.rig.tracker_with(&node.options).await?;
        Ok(())
    }

    /// A tracker with its proxies.
    ///
    /// # Errors
    /// When there is none of this number.
    pub fn node(&mut self, at: usize) -> Result<&mut Node> {
        self.nodes
            .get_mut(at)
            .with_context(|| format!("no tracker {at}"))
    }

    /// A worker.
    ///
    /// # Errors
    /// When there is none of this number.
    pub fn worker(&mut self, at: usize) -> Result<&mut WorkerProcess> {
        self.workers
            .get_mut(at)
            .with_context(|| format!("no worker {at}"))
    }

    /// Trackers whose processes run.
    #[must_use]
    pub fn live_trackers(&self) -> usize {
        self.tracker_pids().len()
    }

    /// Their numbers in the system.
    #[must_use]
    pub fn tracker_pids(&self) -> Vec<u32> {
        let pids = self.nodes.iter().map(|node| node.tracker.process.pid());
        pids.flatten().collect()
    }

    /// The first tracker whose process runs.
    ///
    /// # Errors
    /// When none does.
    pub fn first_live(&self) -> Result<usize> {
        let mut nodes = self.nodes.iter();
        let live = nodes.position(|node| node.tracker.process.pid().is_some());
        live.context("no tracker runs")
    }

    /// A client of a tracker that connects when it is used.
    ///
    /// # Errors
    /// When there is none of this number.
    pub fn client(&self, at: usize) -> Result<Client> {
        let node = self.nodes.get(at).context("no such tracker")?;
        Client::lazy(&node.tracker.url, CALL_LIMIT, self.rig.secrets.as_ref())
    }

    /// Cuts a worker off from every tracker, or lets it talk again.
    ///
    /// # Errors
    /// When the worker has ended.
    pub fn cut_worker(&self, at: usize, mode: Option<Mode>) -> Result<()> {
        let worker = self.workers.get(at).context("no such worker")?;
        let pid = worker.process.pid().context("the worker has ended")?;
        for node in &self.nodes {
            node.front.set_for(pid, mode);
        }
        Ok(())
    }

    /// Waits until `count` more handlers have started than now.
    ///
    /// # Errors
    /// When they have not in time.
    pub async fn ran(&self, count: usize) -> Result<()> {
        self.started(self.rig.book.read()?.len() + count).await
    }

    /// Until so many handlers have started in all.
    ///
    /// # Errors
    /// When they have not in time.
    pub async fn started(&self, count: usize) -> Result<()> {
        until("handlers run", START_LIMIT, async || {
            let started = self.rig.book.read()?.len();
            ensure!(started >= count, "{started} of {count} have started");
            Ok(())
        })
        .await
    }

    /// What tracker `at` answers to `GET path`: the status code and the body.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn http(&self, at: usize, path: &str) -> Result<(u16, String)> {
        let node = self.nodes.get(at).context("no such tracker")?;
        let address = node.tracker.http.context("it has no HTTP")?;
        get(address, path, self.rig.secrets.as_ref()).await
    }
}

impl Node {
    async fn start(rig: &Rig, environment: Vec<(String, String)>) -> Result<Self> {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let redis = SocketAddr::from((Ipv4Addr::LOCALHOST, rig.redis.port()));
        let (front, back) = (Proxy::start(listen).await?, Proxy::start(redis).await?);
        let options = TrackerOptions {
            redis: Some(back.redis_url()),
            listen: Some(listen),
            advertise: Some(rig.url(front.address())),
            http: true,
            environment,
            ..TrackerOptions::default()
        };
        Ok(Self {
            tracker: rig.tracker_with(&options).await?,
            front,
            back,
            options,
        })
    }
}

/// Recurring jobs in most partitions: their ledgers show every due time that was late, missed or lost.
fn steady_jobs(tolerance_ms: u64) -> Result<Vec<JobSpec>> {
    let mut specs = Vec::new();
    for number in 0..12_u64 {
        let spec = job(&format!("steady-{number}"), "ok", every(400 + 10 * number))?;
        specs.push(JobSpec {
            overlap: Overlap::Parallel(100),
            ..spec
        });
    }
    for number in 0..2 {
        specs.push(JobSpec {
            overlap: Overlap::Parallel(100),
            ..job(&format!("second-{number}"), "ok", cron("* * * * * *"))?
        });
        specs.push(job_of(&format!("chain-{number}"), "sleep", 50, delay(200))?);
    }
    for spec in &mut specs {
        spec.misfire.tolerance_ms = tolerance_ms;
    }
    Ok(specs)
}

async fn exchanged<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, path: &str) -> Result<String> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // A server may close without a word of TLS.
    stream.read_to_end(&mut answer).await.ok();
    Ok(String::from_utf8(answer)?)
}

/// A request of the plainest kind: the status code and the body.
///
/// # Errors
/// When there is no answer in five seconds.
pub async fn get(
    address: SocketAddr,
    path: &str,
    secrets: Option<&Secrets>,
) -> Result<(u16, String)> {
    let exchange = async {
        let stream = TcpStream::connect(address).await?;
        match secrets {
            Some(secrets) => {
                let name = ServerName::from(address.ip());
                exchanged(secrets.connector()?.connect(name, stream).await?, path).await
            }
            None => exchanged(stream, path).await,
        }
    };
    let answer = tokio::time::timeout(CALL_LIMIT, exchange).await??;
    let (head, body) = answer.split_once("\r\n\r\n").context("an HTTP answer")?;
    let status = head.split(' ').nth(1).context("a status")?.parse()?;
    Ok((status, body.to_owned()))
}
