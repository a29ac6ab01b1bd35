//! What an error means: `?` retries by the job's policy, `fatal` never, `retry_after` at a time of its own.

use std::time::Duration;

use tickwheel_worker::{Context, Error, HandlerResult, Stopped, Worker, fatal, retry_after};

/// Stands for the answer of some other service.
fn ask(amount: i64) -> Result<u16, std::num::TryFromIntError> {
    u16::try_from(amount)
}

async fn charge(ctx: Context, amount: i64) -> HandlerResult<()> {
    if amount < 0 {
        // No repetition makes it positive.
        return Err(fatal("the amount is negative"));
    }
    match ask(amount)? {
        429 => Err(retry_after(
            Duration::from_secs(30),
            "the service asks for patience",
        )),
        500.. if ctx.is_last_attempt() => {
            Err(fatal("the service is down, and this was the last attempt"))
        }
        500.. => Err("the service is down".into()),
        _ => Ok(()),
    }
}

#[tokio::main]
async fn main() -> Result<Stopped, Error> {
    tracing_subscriber::fmt().init();
    Worker::builder("http://127.0.0.1:7400")
        .handle("charge", charge)
        .run()
        .await
}
