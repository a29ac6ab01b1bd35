//! What all attempts share, and what runs around each of them: a pool, and a budget that refuses work while it is used up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tickwheel_worker::{Context, Error, HandlerResult, Next, Stopped, Worker, retry_after};

/// Stands for a client with connections, keys and the like.
struct Mail {
    sent: AtomicU64,
}

async fn remind(ctx: Context, customer: String) -> HandlerResult<()> {
    let mail: &Mail = ctx.state()?;
    let sent = mail.sent.fetch_add(1, Ordering::Relaxed) + 1;
    ctx.log(format!("mail {sent} goes to {customer}"));
    Ok(())
}

/// Runs before each attempt, whatever its handler is.
async fn within_budget(ctx: Context, body: Bytes, next: Next) -> HandlerResult<Bytes> {
    let sent = ctx.state::<Mail>()?.sent.load(Ordering::Relaxed);
    if sent >= 1_000 {
        return Err(retry_after(
            Duration::from_secs(3_600),
            "a thousand mails are sent",
        ));
    }
    next.run(ctx, body).await
}

#[tokio::main]
async fn main() -> Result<Stopped, Error> {
    tracing_subscriber::fmt().init();
    let mail = Mail {
        sent: AtomicU64::new(0),
    };
    Worker::builder("http://127.0.0.1:7400")
        .state(mail)
        .wrap(within_budget)
        .handle("remind", remind)
        .run()
        .await
}
