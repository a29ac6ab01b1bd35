//! Ending a worker from inside a program that has its own life: start, use, drain.

use std::time::Duration;

use tickwheel_worker::{Context, Error, Worker};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt().init();
    let worker = Worker::builder("http://127.0.0.1:7400,http://127.0.0.1:7401")
        .handle("nap", |_: Context, ms: u64| async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Ok(())
        })
        // What still runs after this time is cancelled, and given back to the cluster.
        .drain_timeout(Duration::from_secs(20))
        .start()?;
    tracing::info!(id = worker.id(), "running for a minute");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let stopped = worker.drain().await?;
    tracing::info!(
        succeeded = stopped.stats.succeeded,
        given_back = stopped.given_back,
        "drained"
    );
    Ok(())
}
