//! A worker for the end-to-end tests. Its argument is JSON; its first line of output says its id.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tickwheel_tests::harness::process::parent_gone;
use tickwheel_tests::harness::rig::{WorkerConfig, WorkerStarted};
use tickwheel_tests::harness::{RunBook, handlers};
use tickwheel_worker::Worker;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let config: WorkerConfig =
        serde_json::from_str(&std::env::args().nth(1).context("needs its configuration")?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()?;
    let ended = runtime.block_on(work(config));
    // A handler that holds its thread does not hold the process.
    runtime.shutdown_background();
    ended
}

async fn work(config: WorkerConfig) -> Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let book = RunBook::open(Path::new(&config.book))?;
    let builder = Worker::connect_any(config.trackers)
        .name(&config.name)
        .group(&config.options.group)
        .permits(config.options.permits)
        .drain_timeout(Duration::from_millis(config.options.drain_ms));
    let worker =
        handlers::register(builder, &config.options.handlers, &book, &config.name).start()?;
    let id = worker.id().to_owned();
    writeln!(
        std::io::stdout(),
        "{}",
        serde_json::to_string(&WorkerStarted { id })?
    )?;
    tokio::select! {
        _ = term.recv() => {
            let stopped = worker.drain().await?;
            // For whoever reads the log of a failed test.
            writeln!(std::io::stderr(), "drained: {stopped:?}")?;
        }
        () = parent_gone() => {}
    }
    Ok(())
}
