//! The handlers of rig workers. A body is a number in decimal digits, or empty.
//!
//! | name | what it does | number |
//! |---|---|---|
//! | `ok` | answers with its body | |
//! | `sleep` | succeeds after so many ms | ms |
//! | `fail` | fails so many times, then succeeds | times |
//! | `panic` | panics so many times, then succeeds | times |
//! | `fatal` | fails for good | |
//! | `retry_after` | asks once for a retry after so many ms, then succeeds | ms |
//! | `cancel_aware` | stops when told to, else succeeds after so many ms | ms |
//! | `stuck` | goes on when told to stop; the worker drops it at the end of its grace | ms |
//! | `blocked` | holds its thread for so many ms, so that not even its worker can stop it | ms |
//! | `abort` | ends its whole process | |
//! | `chatty` | logs so many lines and a progress, and 300 ms later one line more | lines |
//! | `finish` | says that it is at 100 %, and returns at once | |
//! | `told` | answers with the end that fired it, `<context> <job> <state> <error>` | |
//!
//! Those that fan out are in [`fan`].

use std::time::Duration;

use bytes::Bytes;
use tickwheel_worker::{Context, HandlerResult, WorkerBuilder, fatal, retry_after};
use tokio::time::Instant;

use super::fan;
use super::runs::{RunBook, Running};

/// Names of all handlers.
pub const ALL: &[&str] = &[
    "ok",
    "sleep",
    "fail",
    "panic",
    "fatal",
    "retry_after",
    "cancel_aware",
    "stuck",
    "blocked",
    "abort",
    "chatty",
    "finish",
    "told",
];

/// Adds `names` of the handlers to a worker whose runs are noted in `book` under the name `worker`.
pub fn register(
    mut builder: WorkerBuilder,
    names: &[String],
    book: &RunBook,
    worker: &str,
) -> WorkerBuilder {
    for name in names {
        let (book, worker, handler) = (book.clone(), worker.to_owned(), name.clone());
        builder = builder.handle_raw(name, move |ctx: Context, body: Bytes| {
            let (running, handler) = (book.start(&worker, &handler, &ctx), handler.clone());
            async move {
                let result = perform(&handler, &ctx, body, &running).await;
                running.end(if result.is_ok() { "ok" } else { "error" });
                result
            }
        });
    }
    builder
}

async fn perform(
    handler: &str,
    ctx: &Context,
    body: Bytes,
    running: &Running,
) -> HandlerResult<Bytes> {
    let number = str::from_utf8(&body)
        .ok()
        .and_then(|text| text.parse::<u64>().ok())
        .unwrap_or(0);
    let span = Duration::from_millis(number);
    if let Some(result) = fan::perform(handler, ctx, &body, number).await {
        return result;
    }
    match handler {
        "sleep" | "stuck" => tokio::time::sleep(span).await,
        "fail" if u64::from(ctx.failures()) < number => {
            return Err(format!("failure {}", ctx.failures() + 1).into());
        }
        "panic" if u64::from(ctx.failures()) < number => give_up(ctx.failures() + 1),
        "fatal" => return Err(fatal("nothing will cure this")),
        "retry_after" if ctx.failures() == 0 => return Err(retry_after(span, "come back later")),
        "cancel_aware" => tokio::select! {
            reason = ctx.cancelled() => {
                running.told(&format!("{reason:?}"));
                return Err(format!("stopped: {reason:?}").into());
            }
            () = tokio::time::sleep(span) => {}
        },
        "blocked" => block(Instant::now() + span),
        "abort" => std::process::abort(),
        "chatty" => {
            for line in 1..=number {
                ctx.log(format!("line {line}"));
            }
            ctx.progress(50, "half way");
            tokio::time::sleep(Duration::from_millis(300)).await;
            ctx.log("the end");
        }
        "finish" => ctx.progress(100, "done"),
        "told" => {
            let told = ctx.upstream().map(|end| {
                let (context, job) = (end.context_id(), end.job());
                format!("{context} {job} {} {}", end.state(), end.error())
            });
            return Ok(told.unwrap_or_default().into());
        }
        _ => {}
    }
    Ok(body)
}

#[expect(clippy::panic, reason = "this handler exists to panic")]
fn give_up(failure: u32) {
    panic!("panic {failure}");
}

/// Holds the thread until then.
pub(super) fn block(end: Instant) {
    while let Some(left) = end
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
    {
        std::thread::park_timeout(left);
    }
}
