//! The harness tells what a worker would settle.

use std::time::Duration;

use tickwheel_worker::testing::Harness;
use tickwheel_worker::{CancelReason, CancellationToken, Context, HandlerResult, Outcome, fatal};

fn harness() -> Harness {
    Harness::new()
        .handle("show", |ctx: Context, (): ()| async move {
            ctx.progress(150, "over").await;
            let job = ctx.job().to_owned();
            Ok((
                ctx.attempt(),
                ctx.failures(),
                ctx.is_last_attempt(),
                ctx.idempotency_key().to_owned(),
                job,
            ))
        })
        .handle("wait", |ctx: Context, (): ()| async move {
            let reason = ctx.cancelled().await;
            ctx.log(format!("{reason:?}")).await;
            HandlerResult::<()>::Err("cancelled".into())
        })
        .handle("fatal", |_: Context, (): ()| async {
            HandlerResult::<()>::Err(fatal("no"))
        })
        .handle("panic", |ctx: Context, (): ()| async move {
            assert!(ctx.attempt() == 0, "oh");
            Ok(())
        })
}

#[tokio::test]
async fn a_call_can_be_any_attempt() {
    let harness = harness();
    let ran = harness
        .call("show")
        .attempt(7)
        .failures(2)
        .context_id("x")
        .job("a/b")
        .run()
        .await;
    let shown: (u32, u32, bool, String, String) = ran.result().unwrap();
    assert_eq!(shown, (7, 2, true, "x".to_owned(), "a/b".to_owned()));
    assert_eq!(ran.progress, [(100, "over".to_owned())]);
}

#[tokio::test]
async fn failures_panics_and_unknown_handlers_are_outcomes() {
    let harness = harness();
    assert_eq!(
        harness.run("fatal", &()).await.outcome,
        Some(Outcome::Fatal("no".to_owned()))
    );
    assert_eq!(
        harness.run("panic", &()).await.error(),
        Some("panicked: oh")
    );
    assert_eq!(
        harness.run("none", &()).await.error(),
        Some("the harness has no handler \"none\"")
    );
    assert!(harness.run("fatal", &()).await.result::<()>().is_err());
}

#[tokio::test]
async fn an_attempt_can_run_out_of_time_or_be_cancelled() {
    let harness = harness();
    let ran = harness
        .call("wait")
        .timeout(Duration::from_millis(5))
        .run()
        .await;
    assert_eq!(
        (ran.outcome, ran.logs),
        (Some(Outcome::TimedOut), vec!["TimedOut".to_owned()])
    );
    for (reason, outcome) in [
        (CancelReason::Requested, Some(Outcome::Cancelled)),
        (CancelReason::Replaced, Some(Outcome::Cancelled)),
        (CancelReason::Fenced, None),
        (CancelReason::Draining, None),
    ] {
        let now = CancellationToken::new();
        now.cancel();
        assert_eq!(
            harness
                .call("wait")
                .cancel_on(now, reason)
                .run()
                .await
                .outcome,
            outcome
        );
    }
}
