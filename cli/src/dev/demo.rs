//! The demo handlers: enough to see every policy at work without writing a worker.
//!
//! | handler | body | what it does |
//! |---|---|---|
//! | `noop` | any | nothing |
//! | `echo` | any | answers with its body |
//! | `sleep` | `{"ms": 100}` | takes that long; stops early when it is cancelled |
//! | `fail_sometimes` | `{"times": 1}` | fails that often, then succeeds |
//! | `log_progress` | `{"steps": 5, "ms": 100}` | logs and reports progress after each step |

use std::time::Duration;

use serde::Deserialize;
use tickwheel_worker::{Context, HandlerResult, WorkerBuilder};

use super::lateness::Lateness;

/// A demo handler never takes longer than this, whatever its body asks for.
const LONGEST: Duration = Duration::from_secs(3_600);

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Sleep {
    ms: u64,
}

impl Default for Sleep {
    fn default() -> Self {
        Self { ms: 100 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FailSometimes {
    times: u32,
}

impl Default for FailSometimes {
    fn default() -> Self {
        Self { times: 1 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LogProgress {
    steps: u32,
    ms: u64,
}

impl Default for LogProgress {
    fn default() -> Self {
        Self { steps: 5, ms: 100 }
    }
}

/// Adds the demo handlers; each notes in `lateness` when it began.
pub(super) fn demo_handlers(builder: WorkerBuilder, lateness: &Lateness) -> WorkerBuilder {
    let note = |ctx: &Context, lateness: &Lateness| lateness.note(ctx.due_ms(), ctx.attempt());
    let [l1, l2, l3, l4, l5] = std::array::from_fn(|_| lateness.clone());
    builder
        .handle_raw("noop", move |ctx: Context, _| {
            note(&ctx, &l1);
            std::future::ready(Ok(Default::default()))
        })
        .handle_raw("echo", move |ctx: Context, body| {
            note(&ctx, &l2);
            std::future::ready(Ok(body))
        })
        .handle("sleep", move |ctx: Context, body: Option<Sleep>| {
            note(&ctx, &l3);
            sleep(ctx, body.unwrap_or_default())
        })
        .handle(
            "fail_sometimes",
            move |ctx: Context, body: Option<FailSometimes>| {
                note(&ctx, &l4);
                fail_sometimes(ctx, body.unwrap_or_default())
            },
        )
        .handle(
            "log_progress",
            move |ctx: Context, body: Option<LogProgress>| {
                note(&ctx, &l5);
                log_progress(ctx, body.unwrap_or_default())
            },
        )
}

async fn sleep(ctx: Context, body: Sleep) -> HandlerResult<()> {
    let wait = Duration::from_millis(body.ms).min(LONGEST);
    tokio::select! {
        () = tokio::time::sleep(wait) => Ok(()),
        reason = ctx.cancelled() => Err(format!("cancelled: {reason:?}").into()),
    }
}

async fn fail_sometimes(ctx: Context, body: FailSometimes) -> HandlerResult<String> {
    if ctx.failures() < body.times {
        return Err(format!(
            "failure {} of {}, on purpose",
            ctx.failures() + 1,
            body.times
        )
        .into());
    }
    Ok(format!("succeeded after {} failures", ctx.failures()))
}

async fn log_progress(ctx: Context, body: LogProgress) -> HandlerResult<()> {
    let steps = body.steps.clamp(1, 1_000);
    for step in 1..=steps {
        sleep(ctx.clone(), Sleep { ms: body.ms }).await?;
        ctx.log(format!("step {step} of {steps} is done"));
        ctx.progress(step * 100 / steps, format!("{step}/{steps}"));
    }
    Ok(())
}
