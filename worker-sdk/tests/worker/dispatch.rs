//! What a worker does with assignments: run, refuse, deduplicate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use tickwheel_worker::testing::{TrackerDouble, assignment, wire};
use tickwheel_worker::{
    Context, Error, HandlerResult, RunningWorker, Worker, WorkerBuilder, fatal, retry_after,
};
use tokio::sync::Semaphore;
use wire::rejection::Reason;
use wire::settlement::Outcome;

fn worker(tracker: &TrackerDouble) -> WorkerBuilder {
    Worker::builder(tracker.url())
        .group("orders")
        .name("tester")
        .concurrency(4)
}

/// A handler `wait` that ends when it gets a permit of the gate.
fn gated(tracker: &TrackerDouble, gate: &Arc<Semaphore>) -> Result<RunningWorker, Error> {
    let gate = Arc::clone(gate);
    worker(tracker)
        .handle("wait", move |_: Context, (): ()| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await?.forget();
                Ok(())
            }
        })
        .start()
}

#[tokio::test]
async fn a_worker_introduces_itself() {
    let tracker = TrackerDouble::start().await.unwrap();
    let worker = worker(&tracker)
        .tags(["ssd", "eu"])
        .handle("close", |_: Context, (): ()| async { Ok(()) });
    let worker = worker.start().unwrap();
    let hello = tracker.connected().await.unwrap();
    assert_eq!(hello.worker_id, worker.id());
    assert!(hello.worker_id.starts_with("tester-"));
    assert_eq!((hello.group.as_str(), hello.permits), ("orders", 4));
    assert_eq!(
        (hello.handlers, hello.tags),
        (
            vec!["close".to_owned()],
            vec!["ssd".to_owned(), "eu".to_owned()]
        )
    );
    let heartbeat = tracker
        .wait_for(|heard| heard.heartbeats.first().cloned())
        .await
        .unwrap();
    assert!(heartbeat.primary && heartbeat.report.is_some());
    let credit = tracker
        .wait_for(|heard| heard.credits.first().copied())
        .await
        .unwrap();
    assert_eq!((credit.free, credit.received), (4, 0));
}

#[tokio::test]
async fn a_typed_handler_reads_and_writes_json() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = worker(&tracker)
        .handle("sum", |_: Context, terms: Vec<i64>| async move {
            Ok(terms.iter().sum::<i64>())
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![
            assignment("c", "sum", "[1,2,3]"),
            assignment("bad", "sum", "{}"),
        ])
        .await
        .unwrap();
    let settled = tracker.settled("c", 1).await.unwrap();
    assert_eq!(
        (settled.outcome(), settled.result),
        (Outcome::Succeeded, Bytes::from("6"))
    );
    let bad = tracker.settled("bad", 1).await.unwrap();
    assert_eq!(bad.outcome(), Outcome::Fatal);
    assert!(
        bad.error
            .starts_with("the body does not fit handler \"sum\": invalid type: map"),
        "{}",
        bad.error
    );
}

#[tokio::test]
async fn errors_say_whether_and_when_to_retry() {
    async fn fails(ctx: Context, kind: String) -> HandlerResult<()> {
        match kind.as_str() {
            "plain" => Err(anyhow::anyhow!("inner").context("outer"))?,
            "fatal" => return Err(fatal("never")),
            "later" => return Err(retry_after(std::time::Duration::from_millis(1_500), "busy")),
            _ => panic!("no such {}", ctx.context_id()),
        }
        Ok(())
    }
    let tracker = TrackerDouble::start().await.unwrap();
    let worker = worker(&tracker).handle("fails", fails).start().unwrap();
    tracker.connected().await.unwrap();
    for (kind, outcome, error, delay) in [
        ("plain", Outcome::Failed, "outer: inner", 0),
        ("fatal", Outcome::Fatal, "never", 0),
        ("later", Outcome::RetryAfter, "busy", 1_500),
        ("panic", Outcome::Failed, "panicked: no such panic", 0),
    ] {
        tracker
            .dispatch(vec![assignment(kind, "fails", format!("\"{kind}\""))])
            .await
            .unwrap();
        let settled = tracker.settled(kind, 1).await.unwrap();
        assert_eq!(
            (
                settled.outcome(),
                settled.error.as_str(),
                settled.retry_after_ms
            ),
            (outcome, error, delay)
        );
    }
    assert_eq!(
        (worker.stats().failed, worker.stats().free),
        (4, 4),
        "a panic frees its permit"
    );
}

#[tokio::test]
async fn the_panic_of_a_handler_before_its_first_await_is_a_failure() {
    fn broken(_: Context, (): ()) -> std::future::Ready<HandlerResult<()>> {
        panic!("{}", "x".repeat(5_000));
    }
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = worker(&tracker).handle("broken", broken).start().unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![assignment("c", "broken", "")])
        .await
        .unwrap();
    let settled = tracker.settled("c", 1).await.unwrap();
    assert_eq!(
        (settled.outcome(), settled.error.len()),
        (Outcome::Failed, 1_024)
    );
}

#[tokio::test]
async fn work_over_the_permits_is_refused_as_busy() {
    let tracker = TrackerDouble::start().await.unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let worker = gated(&tracker, &gate).unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(
            (0..6)
                .map(|n| assignment(format!("c{n}"), "wait", ""))
                .collect(),
        )
        .await
        .unwrap();
    let refused = tracker
        .wait_for(|heard| heard.rejected.get(..2).map(<[_]>::to_vec))
        .await
        .unwrap();
    assert!(
        refused
            .iter()
            .all(|refused| refused.reason() == Reason::Busy)
    );
    assert_eq!(refused[0].context_id, "c4");
    assert_eq!((worker.stats().running, worker.stats().busy), (4, 2));
    gate.add_permits(4);
    tracker
        .wait_for(|heard| (heard.settled.len() == 4).then_some(()))
        .await
        .unwrap();
    let credit = tracker.wait_for(|heard| {
        heard
            .credits
            .last()
            .filter(|credit| credit.free == 4)
            .copied()
    });
    assert_eq!(credit.await.unwrap().received, 6);
}

#[tokio::test]
async fn an_unknown_handler_is_named_in_the_refusal() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = gated(&tracker, &Arc::new(Semaphore::new(0))).unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![assignment("c", "other", "")])
        .await
        .unwrap();
    let refused = tracker
        .wait_for(|heard| heard.rejected.first().cloned())
        .await
        .unwrap();
    assert_eq!(
        (refused.reason(), refused.handler.as_str()),
        (Reason::UnknownHandler, "other")
    );
}

#[tokio::test]
async fn a_repeated_dispatch_runs_once_and_is_answered_again() {
    let tracker = TrackerDouble::start().await.unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let gate = Arc::new(Semaphore::new(0));
    let (counted, opened) = (Arc::clone(&runs), Arc::clone(&gate));
    let worker = worker(&tracker)
        .handle("count", move |_: Context, (): ()| {
            let (runs, gate) = (Arc::clone(&counted), Arc::clone(&opened));
            async move {
                let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
                gate.acquire().await?.forget();
                Ok(run)
            }
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    let twice = vec![assignment("c", "count", ""), assignment("c", "count", "")];
    tracker.dispatch(twice.clone()).await.unwrap();
    gate.add_permits(1);
    tracker.settled("c", 1).await.unwrap();
    tracker.dispatch(twice).await.unwrap();
    let settled = tracker
        .wait_for(|heard| (heard.settled.len() >= 2).then(|| heard.settled.clone()))
        .await
        .unwrap();
    assert!(settled.iter().all(|settled| settled.result == "1"));
    assert_eq!(
        (runs.load(Ordering::SeqCst), worker.stats().duplicates),
        (1, 3)
    );
    let second = wire::Assignment {
        attempt: 2,
        ..assignment("c", "count", "")
    };
    tracker.dispatch(vec![second]).await.unwrap();
    gate.add_permits(1);
    assert_eq!(
        tracker.settled("c", 2).await.unwrap().result,
        "2",
        "another attempt is another run"
    );
}

#[tokio::test]
async fn verdicts_end_an_outcome_and_the_refused_are_counted() {
    let tracker = TrackerDouble::start().await.unwrap();
    let worker = worker(&tracker)
        .handle_raw("echo", |_, body| async { Ok(body) })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    use wire::confirmation::Verdict;
    for verdict in [
        Verdict::Stale,
        Verdict::Refused,
        Verdict::AlreadySettled,
        Verdict::Retrying,
    ] {
        tracker.answer_with(Some(verdict));
        tracker
            .dispatch(vec![assignment(verdict.as_str_name(), "echo", "")])
            .await
            .unwrap();
        tracker.settled(verdict.as_str_name(), 1).await.unwrap();
    }
    let stopped = worker.drain().await.unwrap();
    assert_eq!(
        (
            stopped.stats.stale,
            stopped.stats.refused,
            stopped.stats.confirmed
        ),
        (1, 1, 4)
    );
    assert_eq!(stopped.unconfirmed, 0);
}

#[tokio::test]
async fn a_result_over_the_tracker_s_limit_is_a_fatal_failure() {
    let terms = wire::Welcome {
        result_bytes_max: 3,
        ..wire::Welcome::default()
    };
    let tracker = TrackerDouble::start_with(terms).await.unwrap();
    let _worker = worker(&tracker)
        .handle_raw("echo", |_, body| async { Ok(body) })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![assignment("c", "echo", "1234")])
        .await
        .unwrap();
    let settled = tracker.settled("c", 1).await.unwrap();
    assert_eq!(
        (settled.outcome(), settled.error.as_str()),
        (Outcome::Fatal, "the result has 4 bytes, the limit is 3")
    );
}

#[tokio::test]
async fn logs_and_progress_reach_the_tracker_before_the_end() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = worker(&tracker)
        .handle("talk", |ctx: Context, (): ()| async move {
            ctx.progress(40, "half");
            for n in 0..510 {
                ctx.log(format!("line {n}"));
            }
            ctx.log("é".repeat(10_000));
            Ok(())
        })
        .start()
        .unwrap();
    tracker.connected().await.unwrap();
    tracker
        .dispatch(vec![assignment("c", "talk", "")])
        .await
        .unwrap();
    tracker.settled("c", 1).await.unwrap();
    let heard = tracker.heard();
    assert_eq!(heard.logs[0].line, "line 0");
    assert!(heard.logs.iter().all(|line| line.line.len() <= 4_096));
    let last = &heard.logs.last().unwrap().line;
    assert!(
        last.contains("log lines dropped; the last was: é"),
        "{last}"
    );
    assert!(heard.logs.len() <= 511, "{}", heard.logs.len());
}
