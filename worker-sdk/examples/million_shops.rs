//! Map-reduce: each of a million shops is closed for the day, then one call adds up what they took.
//!
//! `tickwheel dev`, this program (as many as you like), then
//! `tickwheel submit close-the-day --group shops --body '{"shops": 1000000}' --wait`. `tickwheel run subtasks ID` shows how far it is.

use serde::{Deserialize, Serialize};
use tickwheel_worker::{Context, HandlerResult, MapOptions, Worker};

#[derive(Deserialize)]
struct Day {
    shops: u64,
}

#[derive(Serialize, Deserialize)]
struct Shop {
    id: u64,
}

/// The iterator is never collected: pages of 1,000 go out, and each is in Redis before the next one is filled. When this worker dies in the
/// middle, another one goes on behind the last page, as the ids come in the same order again.
async fn close_the_day(ctx: Context, day: Day) -> HandlerResult<()> {
    let shops = (1..=day.shops).map(|id| Shop { id });
    let options = MapOptions::new().max_attempts(5);
    let mapped = ctx.map_with("close-shop", shops, options).await?;
    if mapped > 0 {
        ctx.reduce("add-up").await?;
    }
    Ok(())
}

async fn close_shop(_: Context, shop: Shop) -> HandlerResult<u64> {
    Ok(shop.id % 100)
}

/// Runs once, when every shop is closed or given up, with the body of the whole. Reads the results page by page.
async fn add_up(ctx: Context, _: Day) -> HandlerResult<(u64, u64)> {
    let (mut taken, mut failed) = (0, 0);
    let mut results = ctx.results::<u64>();
    while let Some(shop) = results.next().await? {
        match shop.outcome {
            Ok(cents) => taken += cents,
            Err(_) => failed += 1,
        }
    }
    Ok((taken, failed))
}

#[tokio::main]
async fn main() -> Result<(), tickwheel_worker::Error> {
    tracing_subscriber::fmt().init();
    Worker::builder("http://127.0.0.1:7400")
        .group("shops")
        .handle("close-the-day", close_the_day)
        .handle("close-shop", close_shop)
        .handle("add-up", add_up)
        .run()
        .await
        .map(drop)
}
