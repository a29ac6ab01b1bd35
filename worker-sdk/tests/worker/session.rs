//! Streams: reconnecting, several trackers, and outcomes that outlive a stream.

use std::sync::Arc;

use tickwheel_worker::testing::{Heard, TrackerDouble, assignment, wire};
use tickwheel_worker::{Context, Error, RunningWorker, Worker};
use tokio::sync::Semaphore;

fn gated(urls: &[String], gate: &Arc<Semaphore>) -> Result<RunningWorker, Error> {
    let gate = Arc::clone(gate);
    Worker::builder(urls.join(","))
        .concurrency(4)
        .handle("wait", move |_: Context, (): ()| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await?.forget();
                Ok(())
            }
        })
        .start()
}

fn open(heard: &Heard) -> Option<()> {
    (heard.open_streams > 0).then_some(())
}

#[tokio::test]
async fn a_worker_reconnects_and_names_what_it_still_runs() {
    let tracker = TrackerDouble::start().await.unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let worker = gated(&[tracker.url()], &gate).unwrap();
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
    tracker.break_streams();
    let hello = tracker
        .wait_for(|heard| heard.hellos.get(1).cloned())
        .await
        .unwrap();
    assert_eq!(hello.worker_id, worker.id());
    assert_eq!(
        (hello.running.len(), hello.running[0].context_id.as_str()),
        (1, "c")
    );
    tracker.wait_for(open).await.unwrap();
    gate.add_permits(1);
    tracker.settled("c", 1).await.unwrap();
    assert_eq!(worker.stats().fenced, 0);
}

#[tokio::test]
async fn an_outcome_is_sent_again_when_its_stream_breaks_unconfirmed() {
    let tracker = TrackerDouble::start().await.unwrap();
    let gate = Arc::new(Semaphore::new(1));
    let worker = gated(&[tracker.url()], &gate).unwrap();
    tracker.connected().await.unwrap();
    tracker.answer_with(None);
    tracker
        .dispatch(vec![assignment("c", "wait", "")])
        .await
        .unwrap();
    tracker.settled("c", 1).await.unwrap();
    assert_eq!(worker.stats().unconfirmed, 1);
    tracker.answer_with(Some(wire::confirmation::Verdict::AlreadySettled));
    tracker.break_streams();
    tracker
        .wait_for(|heard| heard.settlements("c", 1).nth(1).cloned())
        .await
        .unwrap();
    let stopped = worker.drain().await.unwrap();
    assert_eq!((stopped.stats.resent, stopped.unconfirmed), (1, 0));
}

#[tokio::test]
async fn the_roster_adds_trackers_and_an_outcome_moves_to_one_that_confirms() {
    let (first, second) = (
        TrackerDouble::start().await.unwrap(),
        TrackerDouble::start().await.unwrap(),
    );
    let gate = Arc::new(Semaphore::new(0));
    let worker = gated(&[first.url()], &gate).unwrap();
    first.connected().await.unwrap();
    first
        .tell_roster(vec![first.url(), second.url()])
        .await
        .unwrap();
    second.connected().await.unwrap();
    second
        .wait_for(|heard| heard.heartbeats.first().filter(|one| !one.primary).cloned())
        .await
        .unwrap();

    first
        .dispatch(vec![
            assignment("c", "wait", ""),
            assignment("d", "wait", ""),
        ])
        .await
        .unwrap();
    second
        .wait_for(|heard| {
            heard
                .credits
                .last()
                .filter(|credit| credit.free == 2)
                .copied()
        })
        .await
        .unwrap();
    first.answer_with(None);
    gate.add_permits(1);
    first
        .wait_for(|heard| heard.settled.first().cloned())
        .await
        .unwrap();
    first.set_open(false);
    first.break_streams();
    second
        .wait_for(|heard| heard.settled.first().cloned())
        .await
        .unwrap();
    second
        .wait_for(|heard| heard.heartbeats.iter().find(|one| one.primary).cloned())
        .await
        .unwrap();
    gate.add_permits(1);
    second
        .wait_for(|heard| (heard.settled.len() == 2).then_some(()))
        .await
        .unwrap();
    let stopped = worker.drain().await.unwrap();
    assert_eq!(
        (
            stopped.stats.confirmed,
            stopped.stats.resent,
            stopped.unconfirmed
        ),
        (2, 1, 0)
    );
}

#[tokio::test]
async fn an_outcome_without_confirmation_is_sent_again_over_the_other_stream() {
    let (first, second) = (
        TrackerDouble::start().await.unwrap(),
        TrackerDouble::start().await.unwrap(),
    );
    let worker = gated(&[first.url(), second.url()], &Arc::new(Semaphore::new(1))).unwrap();
    first.connected().await.unwrap();
    second.connected().await.unwrap();
    first.answer_with(None);
    first
        .dispatch(vec![assignment("c", "wait", "")])
        .await
        .unwrap();
    first.settled("c", 1).await.unwrap();
    second.settled("c", 1).await.unwrap();
    assert_eq!(worker.stats().resent, 1);
}

#[tokio::test]
async fn one_tracker_under_two_names_has_one_stream() {
    let tracker = TrackerDouble::start().await.unwrap();
    let alias = tracker.url().replace("127.0.0.1", "localhost");
    let worker = gated(&[tracker.url()], &Arc::new(Semaphore::new(1))).unwrap();
    tracker.connected().await.unwrap();
    tracker.tell_roster(vec![alias]).await.unwrap();
    tracker
        .wait_for(|heard| (heard.hellos.len() == 2 && heard.open_streams == 1).then_some(()))
        .await
        .unwrap();
    tracker
        .dispatch(vec![assignment("c", "wait", "")])
        .await
        .unwrap();
    tracker.settled("c", 1).await.unwrap();
    assert_eq!(worker.stats().trackers, 1);
}

#[tokio::test]
async fn a_tracker_that_takes_no_streams_is_tried_again() {
    let tracker = TrackerDouble::start().await.unwrap();
    tracker.set_open(false);
    let worker = gated(&[tracker.url()], &Arc::new(Semaphore::new(0))).unwrap();
    assert_eq!(worker.stats().trackers, 0);
    tracker.set_open(true);
    tracker.connected().await.unwrap();
}

#[tokio::test]
async fn a_tracker_about_to_stop_is_used_until_its_stream_ends_and_is_no_home() {
    let (first, second) = (
        TrackerDouble::start().await.unwrap(),
        TrackerDouble::start().await.unwrap(),
    );
    let worker = gated(&[first.url()], &Arc::new(Semaphore::new(1))).unwrap();
    first
        .wait_for(|heard| heard.heartbeats.iter().find(|one| one.primary).cloned())
        .await
        .unwrap();
    first.tell_roster(vec![second.url()]).await.unwrap();
    second
        .wait_for(|heard| heard.heartbeats.first().cloned())
        .await
        .unwrap();
    first.announce_drain().await.unwrap();
    second
        .wait_for(|heard| heard.heartbeats.iter().find(|one| one.primary).cloned())
        .await
        .unwrap();
    first
        .dispatch(vec![assignment("c", "wait", "")])
        .await
        .unwrap();
    first.settled("c", 1).await.unwrap();
    assert_eq!(worker.stats().trackers, 2);
}
