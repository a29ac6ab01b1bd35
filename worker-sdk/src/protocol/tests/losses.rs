//! Trackers that are lost, and a store that is away.

use super::*;
use crate::attempt::CancelReason;

fn ids(refs: &[tickwheel_proto::v1::AttemptRef]) -> Vec<&str> {
    let mut ids: Vec<&str> = refs.iter().map(|one| one.context_id.as_str()).collect();
    ids.sort_unstable();
    ids
}

/// Everything the stream says now, in one message.
fn said(bench: &mut Bench, connection: Connection) -> WorkerMessage {
    let (frames, _) = bench.frames(connection);
    frames
        .into_iter()
        .fold(WorkerMessage::default(), |mut all, frame| {
            all.renew.extend(frame.renew);
            all.lost_trackers.extend(frame.lost_trackers);
            all
        })
}

fn away() -> TrackerMessage {
    TrackerMessage {
        store_away: true,
        ..TrackerMessage::default()
    }
}

fn renewed(id: &str, lease_ms: u64) -> TrackerMessage {
    let renewed = Renewed {
        context_id: id.to_owned(),
        attempt: 1,
        lease_ms,
    };
    TrackerMessage {
        renewed: vec![renewed],
        ..TrackerMessage::default()
    }
}

#[tokio::test]
async fn a_lost_tracker_is_named_after_what_came_from_it_was_announced() {
    let mut bench = Bench::new(4, 100);
    let (first, second) = (bench.connect("a"), bench.connect("b"));
    bench.dispatch(first, &["x", "y"]);
    bench.dispatch(second, &["z"]);
    bench.frames(second);
    bench.later(20);
    bench.protocol.disconnect(first, bench.now);
    let message = said(&mut bench, second);
    assert_eq!(ids(&message.renew), ["x", "y"], "z is not due yet");
    assert_eq!(message.lost_trackers, ["a"]);
    assert!(said(&mut bench, second).lost_trackers.is_empty(), "once");
}

#[tokio::test]
async fn it_is_named_in_the_last_of_the_frames_that_say_what_runs() {
    let mut bench = Bench::new(2_000, 10_000);
    let (first, second) = (bench.connect("a"), bench.connect("b"));
    let many: Vec<String> = (0..1_100).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    bench.dispatch(first, &many);
    bench.frames(second);
    bench.protocol.disconnect(first, bench.now);
    let (frames, _) = bench.frames(second);
    let told: Vec<(usize, usize)> = frames
        .iter()
        .map(|frame| (frame.renew.len(), frame.lost_trackers.len()))
        .collect();
    assert_eq!(told, [(500, 0), (500, 0), (100, 1)]);
}

#[tokio::test]
async fn a_tracker_that_drained_or_is_reached_otherwise_is_not_lost() {
    let mut bench = Bench::new(4, 100);
    let (first, second) = (bench.connect("a"), bench.connect("b"));
    let drain = TrackerMessage {
        drain: true,
        ..TrackerMessage::default()
    };
    bench.tell(first, drain);
    bench.protocol.disconnect(first, bench.now);
    assert!(said(&mut bench, second).lost_trackers.is_empty());
    // The same tracker by another name: the older link ends.
    let link = bench.protocol.link("http://b-by-another-name");
    let again = bench.protocol.connect(link).unwrap().connection;
    let welcome = Welcome {
        tracker_id: "b".to_owned(),
        ..Welcome::default()
    };
    bench.protocol.welcome(again, &welcome, bench.now);
    assert!(said(&mut bench, again).lost_trackers.is_empty());
}

#[tokio::test]
async fn while_no_tracker_has_the_store_a_lease_is_not_taken_for_lost() {
    let mut bench = Bench::new(4, 100);
    let (first, second) = (bench.connect("a"), bench.connect("b"));
    let attempt = bench.dispatch(first, &["x"]).remove(0);
    bench.tell(first, away());
    bench.tell(second, away());
    bench.later(2_500);
    bench.protocol.on_timer(bench.now);
    assert_eq!(
        attempt.cancel.reason(),
        None,
        "its lease is over, and it goes on"
    );
    bench.later(6_000);
    bench.protocol.on_timer(bench.now);
    assert_eq!(
        attempt.cancel.reason(),
        Some(CancelReason::Fenced),
        "nobody says any more that the store is away"
    );
}

#[tokio::test]
async fn one_tracker_that_may_have_the_store_is_enough_to_give_up() {
    let mut bench = Bench::new(4, 100);
    let (first, _second) = (bench.connect("a"), bench.connect("b"));
    let attempt = bench.dispatch(first, &["x"]).remove(0);
    bench.tell(first, away());
    bench.later(2_500);
    bench.protocol.on_timer(bench.now);
    assert_eq!(attempt.cancel.reason(), Some(CancelReason::Fenced));
}

#[tokio::test]
async fn when_the_store_is_back_the_lease_is_asked_for_until_it_lasts() {
    let mut bench = Bench::new(4, 100);
    let link = bench.connect("a");
    let attempt = bench.dispatch(link, &["x"]).remove(0);
    bench.later(600);
    bench.protocol.on_timer(bench.now);
    assert_eq!(ids(&said(&mut bench, link).renew), ["x"]);
    bench.tell(link, away());
    bench.later(7_000);
    bench.protocol.on_timer(bench.now);
    said(&mut bench, link);
    // The answer counts from the first question, which is long ago.
    bench.tell(link, renewed("x", 3_000));
    assert!(attempt.lease_until() <= bench.now);
    bench.protocol.on_timer(bench.now);
    assert_eq!(attempt.cancel.reason(), None);
    assert_eq!(
        ids(&said(&mut bench, link).renew),
        ["x"],
        "asked again at once"
    );
    bench.tell(link, renewed("x", 3_000));
    assert!(attempt.lease_until() > bench.now);
    bench.later(3_100);
    bench.protocol.on_timer(bench.now);
    assert_eq!(
        attempt.cancel.reason(),
        Some(CancelReason::Fenced),
        "the store is back, so the end of a lease counts again"
    );
}

#[tokio::test]
async fn a_renewal_without_an_answer_goes_to_another_tracker() {
    let mut bench = Bench::new(4, 100);
    let (first, second) = (bench.connect("a"), bench.connect("b"));
    bench.dispatch(first, &["x"]);
    bench.later(600);
    bench.protocol.on_timer(bench.now);
    assert_eq!(ids(&said(&mut bench, first).renew), ["x"]);
    bench.tell(first, renewed("x", 9_000));
    bench.later(3_000);
    bench.protocol.on_timer(bench.now);
    assert_eq!(
        ids(&said(&mut bench, first).renew),
        ["x"],
        "the primary tracker"
    );
    bench.later(3_000);
    bench.protocol.on_timer(bench.now);
    assert_eq!(ids(&said(&mut bench, second).renew), ["x"]);
}

#[tokio::test]
async fn what_a_stalled_tracker_sends_late_does_not_start_behind_its_next_attempt() {
    let mut bench = Bench::new(4, 100);
    let (stalled, other) = (bench.connect("a"), bench.connect("b"));
    let second = Assignment {
        context_id: "x".to_owned(),
        attempt: 2,
        handler: "h".to_owned(),
        lease_ms: 2_000,
        ..Assignment::default()
    };
    let dispatch = TrackerMessage {
        dispatch: vec![second],
        ..TrackerMessage::default()
    };
    assert_eq!(bench.tell(other, dispatch).len(), 1);
    let late = bench.dispatch(stalled, &["x", "y"]);
    let started: Vec<String> = late.iter().map(|one| one.key.to_string()).collect();
    assert_eq!(started, ["y#1"]);
}
