//! How attempts are stopped: by request, time, lost lease, or a handler that does not let go.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_worker::testing::{TrackerDouble, assignment, wire};
use tickwheel_worker::{CancelReason, Context, Error, RunningWorker, Worker};
use tokio::sync::mpsc;
use wire::cancel_attempt::Reason;
use wire::settlement::Outcome;

/// A handler `stuck` that tells what it sees, and goes on for ever.
type Told = mpsc::UnboundedReceiver<Option<CancelReason>>;

fn stuck(urls: &[String]) -> Result<(RunningWorker, Told), Error> {
    let (tell, told) = mpsc::unbounded_channel();
    let worker = Worker::builder(urls.join(","))
        .concurrency(2)
        .handle("stuck", move |ctx: Context, (): ()| {
            let tell = tell.clone();
            async move {
                tell.send(None)?;
                let reason = ctx.cancelled().await;
                tell.send(Some(reason))?;
                std::future::pending::<()>().await;
                Ok(())
            }
        })
        .start()?;
    Ok((worker, told))
}

fn short(context_id: &str) -> wire::Assignment {
    wire::Assignment {
        cancel_grace_ms: 20,
        ..assignment(context_id, "stuck", "")
    }
}

#[tokio::test]
async fn a_cancelled_handler_is_told_and_after_its_grace_dropped() {
    for (reason, seen) in [
        (Reason::Requested, CancelReason::Requested),
        (Reason::Replaced, CancelReason::Replaced),
    ] {
        let tracker = TrackerDouble::start().await.unwrap();
        let (worker, mut told) = stuck(&[tracker.url()]).unwrap();
        tracker.connected().await.unwrap();
        tracker.dispatch(vec![short("c")]).await.unwrap();
        assert_eq!(told.recv().await, Some(None));
        tracker.cancel("c", 1, reason).await.unwrap();
        assert_eq!(told.recv().await, Some(Some(seen)));
        assert_eq!(
            tracker.settled("c", 1).await.unwrap().outcome(),
            Outcome::Cancelled
        );
        assert_eq!((worker.stats().cancelled, worker.stats().free), (1, 2));
    }
}

#[tokio::test]
async fn an_attempt_over_its_time_is_settled_as_timed_out() {
    let tracker = TrackerDouble::start().await.unwrap();
    let (worker, mut told) = stuck(&[tracker.url()]).unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![wire::Assignment {
            timeout_ms: 30,
            ..short("c")
        }])
        .await
        .unwrap();
    assert_eq!(
        tracker.settled("c", 1).await.unwrap().outcome(),
        Outcome::TimedOut
    );
    assert_eq!(
        (told.recv().await, told.recv().await),
        (Some(None), Some(Some(CancelReason::TimedOut)))
    );
    assert_eq!(
        (
            worker.stats().timed_out,
            worker.stats().leaked,
            worker.stats().free
        ),
        (1, 0, 2)
    );
}

#[tokio::test]
async fn a_fenced_attempt_is_stopped_and_nothing_is_said_about_it() {
    let tracker = TrackerDouble::start().await.unwrap();
    let (worker, mut told) = stuck(&[tracker.url()]).unwrap();
    tracker.connected().await.unwrap();
    tracker.dispatch(vec![short("c")]).await.unwrap();
    assert_eq!(told.recv().await, Some(None));
    tracker.cancel("c", 1, Reason::Fenced).await.unwrap();
    assert_eq!(told.recv().await, Some(Some(CancelReason::Fenced)));
    let freed = tracker.wait_for(|heard| {
        heard
            .credits
            .last()
            .filter(|credit| credit.free == 2 && credit.received == 1)
            .copied()
    });
    freed.await.unwrap();
    let stopped = worker.drain().await.unwrap();
    assert_eq!(
        (stopped.stats.fenced, tracker.heard().settled.len()),
        (1, 0)
    );
}

#[tokio::test]
async fn an_attempt_whose_lease_is_not_renewed_in_time_is_fenced() {
    let terms = wire::Welcome {
        lease_ms: 900,
        accept_after_ms: 10,
        ..wire::Welcome::default()
    };
    let tracker = TrackerDouble::start_with(terms).await.unwrap();
    let (worker, mut told) = stuck(&[tracker.url()]).unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![wire::Assignment {
            lease_ms: 600,
            ..short("c")
        }])
        .await
        .unwrap();
    assert_eq!(told.recv().await, Some(None));
    tracker
        .wait_for(|heard| (heard.renewed.len() >= 4).then_some(()))
        .await
        .unwrap();
    assert_eq!(
        worker.stats().fenced,
        0,
        "it lives longer than its dispatch lease as long as it is renewed"
    );
    tracker.set_renewing(false);
    assert_eq!(told.recv().await, Some(Some(CancelReason::Fenced)));
    assert_eq!(worker.stats().fenced, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_holds_its_thread_is_given_up_and_counted() {
    let tracker = TrackerDouble::start().await.unwrap();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(parking_lot::Mutex::new(released));
    let worker = Worker::builder(tracker.url())
        .concurrency(1)
        .handle("block", move |_: Context, (): ()| {
            let released = Arc::clone(&released);
            async move {
                released.lock().recv()?;
                Ok(())
            }
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    let block = wire::Assignment {
        timeout_ms: 10,
        cancel_grace_ms: 10,
        ..assignment("c", "block", "")
    };
    tracker.dispatch(vec![block]).await.unwrap();
    assert_eq!(
        tracker.settled("c", 1).await.unwrap().outcome(),
        Outcome::TimedOut
    );
    assert_eq!((worker.stats().leaked, worker.stats().free), (1, 1));
    release.send(()).unwrap();
    let stopped = worker.drain().await.unwrap();
    assert_eq!((stopped.stats.timed_out, stopped.stats.succeeded), (1, 0));
}

#[tokio::test]
async fn work_done_without_a_look_at_the_cancellation_counts() {
    let tracker = TrackerDouble::start().await.unwrap();
    let (go, gone) = tokio::sync::watch::channel(false);
    let _worker = Worker::builder(tracker.url())
        .handle("deaf", move |_: Context, (): ()| {
            let mut gone = gone.clone();
            async move {
                gone.wait_for(|gone| *gone).await?;
                Ok("done")
            }
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![assignment("c", "deaf", "")])
        .await
        .unwrap();
    tracker.cancel("c", 1, Reason::Requested).await.unwrap();
    // The worker reads messages in order: once this is refused, the cancellation is read.
    tracker
        .dispatch(vec![assignment("mark", "unknown", "")])
        .await
        .unwrap();
    tracker
        .wait_for(|heard| heard.rejected.first().cloned())
        .await
        .unwrap();
    go.send(true).unwrap();
    let settled = tracker.settled("c", 1).await.unwrap();
    assert_eq!(
        (settled.outcome(), settled.result),
        (Outcome::Succeeded, "\"done\"".into())
    );
    tokio::time::timeout(Duration::from_secs(20), tracker.connected())
        .await
        .unwrap()
        .unwrap();
}
