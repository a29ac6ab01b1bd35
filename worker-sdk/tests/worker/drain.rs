//! The end of a worker.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_worker::testing::{TrackerDouble, assignment, wire};
use tickwheel_worker::{CancelReason, CancellationToken, Context, Worker, WorkerBuilder};
use tokio::sync::Semaphore;
use wire::rejection::Reason;

fn gated(tracker: &TrackerDouble, gate: &Arc<Semaphore>) -> WorkerBuilder {
    let gate = Arc::clone(gate);
    Worker::builder(tracker.url())
        .concurrency(4)
        .handle("wait", move |ctx: Context, (): ()| {
            let gate = Arc::clone(&gate);
            async move {
                tokio::select! {
                    permit = gate.acquire() => permit?.forget(),
                    reason = ctx.cancelled() => {
                        assert_eq!(reason, CancelReason::Draining);
                        Err("stopped by the drain")?;
                    }
                }
                Ok(())
            }
        })
}

#[tokio::test]
async fn a_drain_refuses_new_work_finishes_what_runs_and_waits_for_confirmations() {
    let tracker = TrackerDouble::start().await.unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let stop = CancellationToken::new();
    let worker = gated(&tracker, &gate)
        .shutdown(stop.clone())
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker.answer_with(None);
    let mark = assignment("mark", "unknown", "");
    tracker
        .dispatch(vec![assignment("c", "wait", ""), mark])
        .await
        .unwrap();
    tracker
        .wait_for(|heard| heard.rejected.first().cloned())
        .await
        .unwrap();
    let ended = tokio::spawn(worker.ended());
    stop.cancel();
    tracker
        .wait_for(|heard| (heard.draining > 0).then_some(()))
        .await
        .unwrap();
    assert_eq!(tracker.heard().credits.last().unwrap().free, 0);
    tracker
        .dispatch(vec![assignment("late", "wait", "")])
        .await
        .unwrap();
    let refused = tracker
        .wait_for(|heard| heard.rejected.get(1).cloned())
        .await
        .unwrap();
    assert_eq!(
        (refused.context_id.as_str(), refused.reason()),
        ("late", Reason::Draining)
    );
    gate.add_permits(1);
    tracker.settled("c", 1).await.unwrap();
    assert!(
        !ended.is_finished(),
        "an outcome without confirmation holds the worker"
    );
    tracker
        .confirm("c", 1, wire::confirmation::Verdict::Settled)
        .await
        .unwrap();
    let stopped = ended.await.unwrap().unwrap();
    assert_eq!(
        (
            stopped.stats.succeeded,
            stopped.given_back,
            stopped.unconfirmed
        ),
        (1, 0, 0)
    );
    tracker
        .wait_for(|heard| (heard.open_streams == 0).then_some(()))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_outlasts_the_drain_is_given_back() {
    let tracker = TrackerDouble::start().await.unwrap();
    let worker = gated(&tracker, &Arc::new(Semaphore::new(0)))
        .drain_timeout(Duration::from_millis(20))
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![
            assignment("c", "wait", ""),
            assignment("mark", "unknown", ""),
        ])
        .await
        .unwrap();
    tracker
        .wait_for(|heard| heard.rejected.first().cloned())
        .await
        .unwrap();
    let stopped = worker.drain().await.unwrap();
    assert_eq!((stopped.given_back, stopped.stats.failed), (1, 0));
    let refused = tracker
        .wait_for(|heard| heard.rejected.get(1).cloned())
        .await
        .unwrap();
    assert_eq!(
        (refused.context_id.as_str(), refused.reason()),
        ("c", Reason::Draining)
    );
}

#[tokio::test]
async fn a_worker_that_nobody_confirms_ends_after_its_flush_time() {
    let tracker = TrackerDouble::start().await.unwrap();
    let worker = gated(&tracker, &Arc::new(Semaphore::new(1)))
        .flush_timeout(Duration::from_millis(20))
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker.answer_with(None);
    tracker
        .dispatch(vec![assignment("c", "wait", "")])
        .await
        .unwrap();
    tracker.settled("c", 1).await.unwrap();
    assert_eq!(worker.drain().await.unwrap().unconfirmed, 1);
}

#[tokio::test]
async fn a_dropped_worker_ends_its_streams_and_fences_its_handlers() {
    let tracker = TrackerDouble::start().await.unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let worker = Worker::builder(tracker.url())
        .handle("wait", move |ctx: Context, (): ()| {
            let tell = tell.clone();
            async move {
                tell.send(None)?;
                tell.send(Some(ctx.cancelled().await))?;
                Ok(())
            }
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![assignment("c", "wait", "")])
        .await
        .unwrap();
    assert_eq!(told.recv().await, Some(None));
    drop(worker);
    assert_eq!(told.recv().await, Some(Some(CancelReason::Fenced)));
    tracker
        .wait_for(|heard| (heard.open_streams == 0).then_some(()))
        .await
        .unwrap();
    assert!(tracker.heard().settled.is_empty());
}

#[tokio::test]
async fn a_worker_without_tracker_can_be_drained() {
    let worker = Worker::builder("127.0.0.1:1")
        .handle("h", |_: Context, (): ()| async { Ok(()) })
        .start()
        .unwrap();
    let stopped = worker.drain().await.unwrap();
    assert_eq!(stopped.stats.received, 0);
}
