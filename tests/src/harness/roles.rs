//! What the processes of a rig do: a tracker, or a worker, until they are told to stop or the test is gone.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tickwheel_tracker::config::{Access, Xcron};
use tickwheel_tracker::{Config, Tracker};
use tickwheel_worker::{RunningWorker, Worker};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use super::handlers::block;
use super::process::parent_gone;
use super::rig::{TrackerConfig, TrackerStarted, WorkerConfig, WorkerStarted};
use super::xcron::loopback;
use super::{RunBook, Secrets, Who, handlers};

/// Threads of a tracker.
const TRACKER_THREADS: usize = 2;
/// How long they stand still when told to by the signal `USR1`.
const STALL: Duration = Duration::from_secs(3);
/// Between two attempts of a callback.
const CALLED_AGAIN: Duration = Duration::from_millis(50);

/// A tracker. Its argument is JSON; its first line of output says where it is reached. On the signal `USR1` its loop stands still for a while.
///
/// # Errors
/// When it does not start.
pub fn tracker() -> Result<()> {
    let config: TrackerConfig = configuration()?;
    runtime(TRACKER_THREADS)?.block_on(track(config))
}

async fn track(config: TrackerConfig) -> Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let tracker = Tracker::start(Config {
        redis_url: config.redis,
        partitions: config.partitions,
        grpc_listen: config.listen,
        http_listen: config.http.then_some(anywhere),
        advertise_url: config.advertise,
        dispatch_lease: Duration::from_millis(config.dispatch_lease_ms),
        access: match &config.secrets {
            Some(_) => Access::default(),
            None => Access::open(),
        },
        tls: config.secrets.as_ref().map(Secrets::tls),
        xcron: Xcron {
            max_attempts: config.callbacks,
            retry_delay: CALLED_AGAIN,
            guard: loopback(),
            ..Xcron::default()
        },
        ..Config::default()
    })
    .await?;
    let (url, http) = (
        format!("{}://{}", tracker.scheme(), tracker.grpc_addr()),
        tracker.http_addr(),
    );
    say(&TrackerStarted { url, http })?;
    tokio::select! {
        _ = term.recv() => tracker.stop().await,
        () = stalls(signal(SignalKind::user_defined1())?) => {}
        () = parent_gone() => {}
    }
    Ok(())
}

/// Whenever told to, puts every thread of the runtime to sleep: what a computation does that never yields.
async fn stalls(mut told: Signal) {
    while told.recv().await.is_some() {
        let until = Instant::now() + STALL;
        for _ in 0..TRACKER_THREADS {
            tokio::spawn(async move { block(until) });
        }
        block(until);
    }
}

/// A worker, or several. Its argument is JSON; its first line of output says the id of the first.
///
/// # Errors
/// When it does not start.
pub fn worker() -> Result<()> {
    let config: WorkerConfig = configuration()?;
    let threads = match config.options.threads {
        0 => 4,
        threads => threads,
    };
    let runtime = runtime(threads)?;
    let ended = runtime.block_on(work(config));
    // A handler that holds its thread does not hold the process.
    runtime.shutdown_background();
    ended
}

async fn work(config: WorkerConfig) -> Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let book = RunBook::open(Path::new(&config.book))?;
    let mut workers = Vec::new();
    for copy in 0..config.options.copies.max(1) {
        let name = match copy {
            0 => config.name.clone(),
            copy => format!("{}-{copy}", config.name),
        };
        workers.push(start(&config, &name, &book)?);
    }
    let id = workers.first().map(|worker| worker.id());
    say(&WorkerStarted {
        id: id.unwrap_or_default(),
    })?;
    tokio::select! {
        _ = term.recv() => {
            for worker in workers {
                let stopped = worker.drain().await?;
                // For whoever reads the log of a failed test.
                writeln!(std::io::stderr(), "drained: {stopped:?}")?;
            }
        }
        () = parent_gone() => {}
    }
    Ok(())
}

fn start(config: &WorkerConfig, name: &str, book: &RunBook) -> Result<RunningWorker> {
    let builder = Worker::builder(config.trackers.clone().join(","))
        .name(name)
        .group(&config.options.group)
        .concurrency(config.options.permits)
        .tags(config.options.tags.iter().cloned())
        .drain_timeout(Duration::from_millis(config.options.drain_ms));
    let builder = match &config.secrets {
        Some(secrets) => builder
            .trust(secrets.trust(Who::Worker))
            .token_file(secrets.token(Who::Worker)),
        None => builder,
    };
    Ok(handlers::register(builder, &config.options.handlers, book, name).start()?)
}

fn configuration<T: DeserializeOwned>() -> Result<T> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let argument = std::env::args().nth(1);
    Ok(serde_json::from_str(
        &argument.context("needs its configuration")?,
    )?)
}

fn runtime(threads: usize) -> Result<Runtime> {
    Ok(Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?)
}

fn say(first: &impl Serialize) -> Result<()> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string(first)?)?;
    Ok(())
}
