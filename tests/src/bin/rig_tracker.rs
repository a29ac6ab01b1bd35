//! A tracker for the end-to-end tests. Its argument is JSON; its first line of output says where it is reached.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tickwheel_tests::harness::process::parent_gone;
use tickwheel_tests::harness::rig::{TrackerConfig, TrackerStarted};
use tickwheel_tracker::{Config, Tracker};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let config: TrackerConfig =
        serde_json::from_str(&std::env::args().nth(1).context("needs its configuration")?)?;
    let mut term = signal(SignalKind::terminate())?;
    let tracker = Tracker::start(Config {
        redis_url: config.redis,
        partitions: config.partitions,
        grpc_listen: config.listen,
        http_listen: None,
        dispatch_lease: Duration::from_millis(config.dispatch_lease_ms),
        ..Config::default()
    })
    .await?;
    let url = format!("http://{}", tracker.grpc_addr());
    writeln!(
        std::io::stdout(),
        "{}",
        serde_json::to_string(&TrackerStarted { url })?
    )?;
    tokio::select! {
        _ = term.recv() => tracker.stop().await,
        () = parent_gone() => {}
    }
    Ok(())
}
