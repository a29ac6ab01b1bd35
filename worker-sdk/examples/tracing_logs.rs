//! What a handler says by `tracing` goes to the program's own log and to the log of its run. Needs the feature `tracing-layer`.

use tickwheel_worker::{Context, Error, HandlerResult, LogLayer, Stopped, Worker};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

async fn import(_: Context, files: Vec<String>) -> HandlerResult<usize> {
    for file in &files {
        // In the run's log: `imported file=stock.csv`.
        tracing::info!(file, "imported");
    }
    Ok(files.len())
}

#[tokio::main]
async fn main() -> Result<Stopped, Error> {
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer())
        .with(LogLayer::new())
        .init();
    Worker::builder("http://127.0.0.1:7400")
        .handle("import", import)
        .run()
        .await
}
