//! What a worker says of itself on the wire, and what it does when a tracker cannot take its word.

use tickwheel_worker::testing::{TrackerDouble, assignment, wire};
use tickwheel_worker::{Context, Error, HandlerResult, RunningWorker, Worker};
use tonic::Status;
use wire::confirmation::Verdict;

fn started(urls: &[String]) -> Result<RunningWorker, Error> {
    Worker::builder(urls.join(","))
        .concurrency(4)
        .handle("ok", |_: Context, (): ()| async { Ok(()) })
        .handle("parse", |_: Context, text: String| async move {
            Ok(text.parse::<u8>()?)
        })
        .handle("say", |_: Context, (): ()| async {
            HandlerResult::<()>::Err("no".into())
        })
        .handle("panic", |ctx: Context, (): ()| async move {
            assert!(ctx.attempt() == 0, "oh");
            Ok(())
        })
        .start()
}

#[tokio::test]
async fn a_worker_says_which_protocol_it_speaks_and_what_program_it_is() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = started(&[tracker.url()]).unwrap();
    let hello = tracker.connected().await.unwrap();
    assert_eq!((hello.protocol, hello.protocol_least), (1, 1));
    for capability in [
        "split",
        "results",
        "units",
        "log",
        "lost_trackers",
        "error_type",
    ] {
        assert!(
            hello.capabilities.iter().any(|one| one == capability),
            "{capability}"
        );
    }
    let agent = tracker.heard().agents.remove(0);
    let own = concat!("tickwheel-rust/", env!("CARGO_PKG_VERSION"));
    assert!(agent.starts_with(own), "{agent}");
}

#[tokio::test]
async fn the_class_of_an_error_goes_with_its_text() {
    let tracker = TrackerDouble::start().await.unwrap();
    let _worker = started(&[tracker.url()]).unwrap();
    tracker.connected().await.unwrap();
    for (handler, body, class) in [
        ("ok", "", ""),
        ("parse", "\"x\"", "core::num::error::ParseIntError"),
        ("say", "", ""),
        ("panic", "", "panic"),
    ] {
        let given = assignment(handler, handler, body);
        tracker.dispatch(vec![given]).await.unwrap();
        let settled = tracker.settled(handler, 1).await.unwrap();
        assert_eq!(settled.error_type, class, "{settled:?}");
    }
}

#[tokio::test]
async fn an_outcome_that_a_tracker_cannot_write_goes_to_another_one_first() {
    let (first, second) = (
        TrackerDouble::start().await.unwrap(),
        TrackerDouble::start().await.unwrap(),
    );
    let worker = started(&[first.url(), second.url()]).unwrap();
    first.connected().await.unwrap();
    second.connected().await.unwrap();
    first.answer_with(Some(Verdict::Unavailable));
    first
        .dispatch(vec![assignment("c", "ok", "")])
        .await
        .unwrap();
    second.settled("c", 1).await.unwrap();
    let stopped = worker.drain().await.unwrap();
    assert_eq!((stopped.stats.resent, stopped.unconfirmed), (1, 0));
    assert_eq!(first.heard().settlements("c", 1).count(), 1);
}

#[tokio::test]
async fn a_tracker_that_is_alone_is_asked_again_until_it_can_write() {
    let tracker = TrackerDouble::start().await.unwrap();
    let worker = started(&[tracker.url()]).unwrap();
    tracker.connected().await.unwrap();
    tracker.answer_with(Some(Verdict::Unavailable));
    tracker
        .dispatch(vec![assignment("c", "ok", "")])
        .await
        .unwrap();
    tracker
        .wait_for(|heard| heard.settlements("c", 1).nth(2).cloned())
        .await
        .unwrap();
    tracker.answer_with(Some(Verdict::Settled));
    let stopped = worker.drain().await.unwrap();
    assert_eq!((stopped.stats.confirmed, stopped.unconfirmed), (1, 0));
}

#[tokio::test]
async fn a_worker_that_is_two_takes_another_id_on_all_its_streams() {
    let (first, second) = (
        TrackerDouble::start().await.unwrap(),
        TrackerDouble::start().await.unwrap(),
    );
    let worker = started(&[first.url(), second.url()]).unwrap();
    let before = first.connected().await.unwrap().worker_id;
    second.connected().await.unwrap();
    let taken = Status::already_exists("a newer stream of this worker took over");
    first.end_stream(taken).await.unwrap();
    for tracker in [&first, &second] {
        let hello = tracker.wait_for(|heard| heard.hellos.get(1).cloned());
        let hello = hello.await.unwrap();
        assert_ne!(hello.worker_id, before);
        assert_eq!(hello.worker_id, worker.id());
    }
    // It works, and changed its id once.
    second
        .dispatch(vec![assignment("c", "ok", "")])
        .await
        .unwrap();
    second.settled("c", 1).await.unwrap();
    assert_eq!(first.heard().hellos.len(), 2);
}

#[tokio::test]
async fn a_stream_that_another_one_of_the_same_worker_took_over_changes_nothing() {
    // One tracker by two urls.
    let terms = || wire::Welcome {
        tracker_id: "trk-1".to_owned(),
        ..wire::Welcome::default()
    };
    let first = TrackerDouble::start_with(terms()).await.unwrap();
    let second = TrackerDouble::start_with(terms()).await.unwrap();
    second.set_open(false);
    let worker = started(&[first.url(), second.url()]).unwrap();
    let before = worker.id();
    first.connected().await.unwrap();
    // The word that the older stream is taken over comes before the newer one's Welcome.
    let taken = Status::already_exists("a newer stream of this worker took over");
    first.end_stream(taken).await.unwrap();
    second.set_open(true);
    assert_eq!(second.connected().await.unwrap().worker_id, before);
    second
        .dispatch(vec![assignment("c", "ok", "")])
        .await
        .unwrap();
    second.settled("c", 1).await.unwrap();
    let stopped = worker.drain().await.unwrap();
    assert_eq!(stopped.unconfirmed, 0);
    let ids = |double: &TrackerDouble| {
        let hellos = double.heard().hellos.into_iter();
        hellos.map(|hello| hello.worker_id).collect::<Vec<_>>()
    };
    for id in ids(&first).into_iter().chain(ids(&second)) {
        assert_eq!(id, before);
    }
}
