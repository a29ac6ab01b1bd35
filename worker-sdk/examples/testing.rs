//! Testing handlers without a cluster: `cargo run -p tickwheel-worker --example testing` ends by itself.

use std::time::Duration;

use tickwheel_worker::testing::{Harness, TrackerDouble, assignment};
use tickwheel_worker::{
    BoxError, CancelReason, CancellationToken, Context, HandlerResult, Outcome, Worker,
};

async fn sum(ctx: Context, terms: Vec<i64>) -> HandlerResult<i64> {
    ctx.log(format!("{} terms", terms.len()));
    Ok(terms.iter().sum())
}

async fn wait(ctx: Context, (): ()) -> HandlerResult<()> {
    ctx.cancelled().await;
    Err("stopped".into())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt().init();

    // A handler alone: no network, no tracker.
    let harness = Harness::new().handle("sum", sum).handle("wait", wait);
    let ran = harness.run("sum", &[1, 2, 3]).await;
    assert_eq!(ran.result::<i64>()?, 6);
    assert_eq!(ran.logs, ["3 terms"]);

    let ran = harness
        .call("wait")
        .attempt(2)
        .timeout(Duration::from_millis(10))
        .run()
        .await;
    assert_eq!(ran.outcome, Some(Outcome::TimedOut));

    let stop = CancellationToken::new();
    stop.cancel();
    let ran = harness
        .call("wait")
        .cancel_on(stop, CancelReason::Requested)
        .run()
        .await;
    assert_eq!(ran.outcome, Some(Outcome::Cancelled));

    // A whole worker, against a tracker that does what the test says.
    let tracker = TrackerDouble::start().await?;
    let worker = Worker::builder(tracker.url()).handle("sum", sum).start()?;
    tracker.connected().await?;
    tracker
        .dispatch(vec![assignment("c1", "sum", "[4,5]")])
        .await?;
    assert_eq!(tracker.settled("c1", 1).await?.result, "9");
    let stopped = worker.drain().await?;
    tracing::info!(
        succeeded = stopped.stats.succeeded,
        unconfirmed = stopped.unconfirmed,
        "all as expected"
    );
    Ok(())
}
