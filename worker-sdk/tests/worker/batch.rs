//! Micro-batches: one call for many contexts, an outcome for each.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_worker::testing::{Harness, TrackerDouble, assignment, wire};
use tickwheel_worker::{Context, Error, HandlerResult, RunningWorker, Worker, fatal};
use wire::settlement::Outcome;

const LONG: Duration = Duration::from_secs(30);

type Calls = Arc<Mutex<Vec<Vec<u64>>>>;

/// A worker whose handler `add` notes the bodies of each call, and succeeds for even ones.
fn noting(
    tracker: &TrackerDouble,
    max: usize,
    window: Duration,
) -> Result<(RunningWorker, Calls), Error> {
    let calls: Calls = Arc::default();
    let noted = Arc::clone(&calls);
    let worker = Worker::builder(tracker.url())
        .name("tester")
        .concurrency(16)
        .batch("add", max, window, move |batch: Vec<(Context, u64)>| {
            let bodies: Vec<u64> = batch.iter().map(|(_, body)| *body).collect();
            let mut calls = noted.lock();
            calls.push(bodies.clone());
            drop(calls);
            async move {
                let outcome = |body: u64| -> HandlerResult<u64> {
                    if body.is_multiple_of(2) {
                        Ok(body * 10)
                    } else {
                        Err(fatal("odd"))
                    }
                };
                bodies.into_iter().map(outcome).collect()
            }
        });
    Ok((worker.start()?, calls))
}

#[tokio::test]
async fn a_full_batch_is_one_call_with_an_outcome_for_each() {
    let tracker = TrackerDouble::start().await.unwrap();
    let (_worker, calls) = noting(&tracker, 4, LONG).unwrap();
    tracker.connected().await.unwrap();
    let bodies = ["0", "1", "2", "3"];
    let contexts = bodies.map(|body| assignment(format!("c{body}"), "add", body));
    tracker.dispatch(contexts.to_vec()).await.unwrap();
    for (number, body) in bodies.iter().enumerate() {
        let settled = tracker.settled(&format!("c{body}"), 1).await.unwrap();
        if number.is_multiple_of(2) {
            assert_eq!(settled.result, (number * 10).to_string());
        } else {
            assert_eq!(
                (settled.outcome(), settled.error.as_str()),
                (Outcome::Fatal, "odd")
            );
        }
    }
    let mut calls = calls.lock().clone();
    assert_eq!(calls.len(), 1);
    calls[0].sort_unstable();
    assert_eq!(calls[0], [0, 1, 2, 3]);
}

#[tokio::test]
async fn a_batch_that_is_not_full_goes_when_its_window_ends() {
    let tracker = TrackerDouble::start().await.unwrap();
    let (_worker, calls) = noting(&tracker, 100, Duration::from_millis(50)).unwrap();
    tracker.connected().await.unwrap();
    let contexts = ["2", "4"].map(|body| assignment(format!("c{body}"), "add", body));
    tracker.dispatch(contexts.to_vec()).await.unwrap();
    assert_eq!(tracker.settled("c2", 1).await.unwrap().result, "20");
    assert_eq!(tracker.settled("c4", 1).await.unwrap().result, "40");
    assert_eq!(calls.lock().len(), 1);
}

#[tokio::test]
async fn a_body_that_does_not_fit_fails_alone() {
    let tracker = TrackerDouble::start().await.unwrap();
    let (_worker, calls) = noting(&tracker, 1, LONG).unwrap();
    tracker.connected().await.unwrap();
    let contexts = vec![assignment("bad", "add", "{}"), assignment("c2", "add", "2")];
    tracker.dispatch(contexts).await.unwrap();
    assert_eq!(tracker.settled("c2", 1).await.unwrap().result, "20");
    let bad = tracker.settled("bad", 1).await.unwrap();
    assert_eq!(bad.outcome(), Outcome::Fatal);
    assert!(
        bad.error.starts_with("the body does not fit"),
        "{}",
        bad.error
    );
    assert_eq!(*calls.lock(), [[2]]);
}

#[tokio::test]
async fn who_is_cancelled_while_the_batch_gathers_has_no_part_in_it() {
    let tracker = TrackerDouble::start().await.unwrap();
    let (_worker, calls) = noting(&tracker, 3, LONG).unwrap();
    tracker.connected().await.unwrap();
    let mut leaving = assignment("c0", "add", "0");
    leaving.cancel_grace_ms = 1;
    let staying = assignment("c2", "add", "2");
    tracker.dispatch(vec![leaving, staying]).await.unwrap();
    tracker
        .wait_for(|heard| (heard.renewed.len() == 2).then_some(()))
        .await
        .unwrap();
    let requested = wire::cancel_attempt::Reason::Requested;
    tracker.cancel("c0", 1, requested).await.unwrap();
    assert_eq!(
        tracker.settled("c0", 1).await.unwrap().outcome(),
        Outcome::Cancelled
    );
    tracker
        .dispatch(vec![assignment("c4", "add", "4")])
        .await
        .unwrap();
    assert_eq!(tracker.settled("c2", 1).await.unwrap().result, "20");
    assert_eq!(tracker.settled("c4", 1).await.unwrap().result, "40");
    assert_eq!(*calls.lock(), [[2, 4]]);
}

/// Tells when it is dropped.
struct Dropped(tokio::sync::mpsc::UnboundedSender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.send(()).ok();
    }
}

#[tokio::test]
async fn a_call_ends_when_none_of_its_contexts_waits_any_more() {
    let tracker = TrackerDouble::start().await.unwrap();
    let (dropped, mut drops) = tokio::sync::mpsc::unbounded_channel();
    let _worker = Worker::builder(tracker.url())
        .name("tester")
        .batch("hang", 2, LONG, move |batch: Vec<(Context, ())>| {
            let dropped = Dropped(dropped.clone());
            async move {
                std::future::pending::<()>().await;
                drop(dropped);
                batch.iter().map(|_| HandlerResult::Ok(())).collect()
            }
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    let contexts = ["c0", "c1"].map(|id| {
        let mut context = assignment(id, "hang", "");
        (context.timeout_ms, context.cancel_grace_ms) = (50, 1);
        context
    });
    tracker.dispatch(contexts.to_vec()).await.unwrap();
    drops.recv().await.unwrap();
    for id in ["c0", "c1"] {
        assert_eq!(
            tracker.settled(id, 1).await.unwrap().outcome(),
            Outcome::TimedOut
        );
    }
}

#[tokio::test]
async fn a_panic_or_a_wrong_number_of_outcomes_fails_each() {
    let harness = Harness::new()
        .batch("panic", 2, LONG, |batch: Vec<(Context, u8)>| async move {
            assert!(batch.len() > 2, "too few");
            batch.iter().map(|_| HandlerResult::Ok(())).collect()
        })
        .batch("short", 2, LONG, |_: Vec<(Context, u8)>| async move {
            vec![HandlerResult::Ok(())]
        });
    for ran in harness.run_all("panic", [1, 2]).await {
        assert_eq!(ran.error(), Some("panicked: too few"));
    }
    for ran in harness.run_all("short", [1, 2]).await {
        assert_eq!(
            ran.error(),
            Some("the handler gave 1 outcomes for a batch of 2")
        );
    }
}

#[tokio::test]
async fn a_batch_of_nothing_and_an_endless_window_are_refused() {
    let with = |max, window| {
        Worker::builder("http://h").batch(
            "b",
            max,
            window,
            |batch: Vec<(Context, ())>| async move {
                batch.iter().map(|_| HandlerResult::Ok(())).collect()
            },
        )
    };
    let table = [
        (
            0,
            LONG,
            "invalid batch: a batch of \"b\" has 1 to 65536 contexts, 0 are given",
        ),
        (
            65_537,
            LONG,
            "invalid batch: a batch of \"b\" has 1 to 65536 contexts, 65537 are given",
        ),
        (
            1,
            LONG * 3,
            "invalid batch: the window of \"b\" is at most 60s, 90s is given",
        ),
    ];
    for (max, window, text) in table {
        let wrong: Error = with(max, window).start().unwrap_err();
        assert_eq!(wrong.to_string(), text);
    }
}
