//! Stopping early: by request, by time-out, by a newer firing, and when the lease is lost.

use std::time::Duration;

use tickwheel_worker::{CancelReason, Context, Error, HandlerResult, Stopped, Worker};

async fn crawl(ctx: Context, pages: u32) -> HandlerResult<u32> {
    for page in 0..pages {
        tokio::select! {
            () = fetch(page) => {}
            reason = ctx.cancelled() => {
                if reason != CancelReason::Fenced {
                    // There is the context's grace to clean up; after it this future is dropped.
                    ctx.log(format!("stopped at page {page}: {reason:?}"));
                }
                return Err("stopped".into());
            }
        }
    }
    Ok(pages)
}

async fn fetch(_page: u32) {
    tokio::time::sleep(Duration::from_millis(200)).await;
}

#[tokio::main]
async fn main() -> Result<Stopped, Error> {
    tracing_subscriber::fmt().init();
    Worker::builder("http://127.0.0.1:7400")
        .handle("crawl", crawl)
        .run()
        .await
}
