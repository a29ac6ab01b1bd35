//! Micro-batches: up to 200 rows that arrive within 20 ms become one statement; each context still has an outcome of its own.

use std::time::Duration;

use serde::Deserialize;
use tickwheel_worker::{Context, HandlerResult, Worker, fatal};

#[derive(Deserialize)]
struct Row {
    id: u64,
    name: String,
}

/// One outcome for each row, in their order.
async fn insert(rows: Vec<(Context, Row)>) -> Vec<HandlerResult<()>> {
    let statement: Vec<String> = rows
        .iter()
        .map(|(_, row)| format!("({}, '{}')", row.id, row.name))
        .collect();
    tracing::info!(rows = rows.len(), values = statement.join(", "), "insert");
    rows.iter()
        .map(|(_, row)| {
            if row.name.is_empty() {
                return Err(fatal("a row needs a name"));
            }
            Ok(())
        })
        .collect()
}

#[tokio::main]
async fn main() -> Result<(), tickwheel_worker::Error> {
    tracing_subscriber::fmt().init();
    Worker::builder("http://127.0.0.1:7400")
        .group("rows")
        .concurrency(400)
        .batch("insert", 200, Duration::from_millis(20), insert)
        .run()
        .await
        .map(drop)
}
