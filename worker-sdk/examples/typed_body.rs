//! Bodies and results are types: a body that does not fit is a fatal failure before the handler is called.

use serde::{Deserialize, Serialize};
use tickwheel_worker::{Context, Error, HandlerResult, Stopped, Worker};

#[derive(Deserialize)]
struct Order {
    id: u64,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    cents: u64,
    count: u64,
}

#[derive(Serialize)]
struct Total {
    order: u64,
    cents: u64,
}

async fn total(_: Context, order: Order) -> HandlerResult<Total> {
    let cents = order.items.iter().map(|item| item.cents * item.count).sum();
    Ok(Total {
        order: order.id,
        cents,
    })
}

#[tokio::main]
async fn main() -> Result<Stopped, Error> {
    tracing_subscriber::fmt().init();
    Worker::builder("http://127.0.0.1:7400")
        .group("orders")
        .handle("total", total)
        // Without serde: bytes in, bytes out.
        .handle_raw("echo", |_, body| async move { Ok(body) })
        .run()
        .await
}
