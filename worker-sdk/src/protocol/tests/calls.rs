//! Questions to trackers: asked again when a stream breaks or nobody answers, and never answered by somebody else's answer.

use tickwheel_proto::v1::split_confirmation::Verdict as SplitVerdict;
use tickwheel_proto::v1::{ResultsPage, Split, SplitConfirmation};
use tokio::sync::oneshot::error::TryRecvError;

use super::*;
use crate::bounds::{CALL_PATIENCE, CALL_PAUSE};
use crate::fan::Answer;

fn page(offset: u64, items: usize) -> Request {
    Request::Split(Arc::new(Split {
        context_id: "a".to_owned(),
        attempt: 1,
        offset,
        items: vec![Bytes::from_static(b"x"); items],
        ..Split::default()
    }))
}

fn answer(offset: u64, verdict: SplitVerdict, taken: u64) -> TrackerMessage {
    let confirmation = SplitConfirmation {
        context_id: "a".to_owned(),
        attempt: 1,
        offset,
        verdict: verdict.into(),
        taken,
        ..SplitConfirmation::default()
    };
    TrackerMessage {
        split: vec![confirmation],
        ..TrackerMessage::default()
    }
}

fn offsets(frame: Option<WorkerMessage>) -> Vec<u64> {
    frame
        .map(|frame| frame.split.iter().map(|split| split.offset).collect())
        .unwrap_or_default()
}

fn taken(reply: &mut Reply) -> u64 {
    match reply.try_recv() {
        Ok(Answer::Split(confirmation)) => confirmation.taken,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_goes_out_once_and_its_answer_comes_back() {
    let mut bench = Bench::new(4, 100);
    let link = bench.connect("t1");
    let attempt = bench.dispatch(link, &["a"]).remove(0);
    let mut reply = bench.protocol.ask(&attempt, page(0, 2));
    assert_eq!(offsets(bench.frame(link)), [0]);
    assert_eq!(offsets(bench.frame(link)), [0; 0]);
    assert_eq!(reply.try_recv().unwrap_err(), TryRecvError::Empty);
    bench.tell(link, answer(0, SplitVerdict::Taken, 2));
    assert_eq!(taken(&mut reply), 2);
}

#[test]
fn an_answer_to_an_earlier_question_does_not_stand_for_new_items() {
    let mut bench = Bench::new(4, 100);
    let link = bench.connect("t1");
    let attempt = bench.dispatch(link, &["a"]).remove(0);
    let mut reply = bench.protocol.ask(&attempt, page(5, 2));
    assert_eq!(offsets(bench.frame(link)), [5]);
    // Of a question without items at the same place, asked twice.
    bench.tell(link, answer(5, SplitVerdict::Taken, 5));
    assert_eq!(reply.try_recv().unwrap_err(), TryRecvError::Empty);
    bench.tell(link, answer(5, SplitVerdict::Taken, 7));
    assert_eq!(taken(&mut reply), 7);
}

#[test]
fn a_broken_stream_and_a_silent_tracker_are_passed_over() {
    let mut bench = Bench::new(4, 100);
    let (first, second) = (bench.connect("t1"), bench.connect("t2"));
    let attempt = bench.dispatch(first, &["a"]).remove(0);
    let mut reply = bench.protocol.ask(&attempt, page(0, 1));
    assert_eq!(offsets(bench.frame(first)), [0]);
    bench.protocol.disconnect(first, bench.now);
    assert_eq!(offsets(bench.frame(second)), [0]);
    let third = bench.connect("t3");
    bench.now += CALL_PATIENCE;
    assert_eq!(bench.protocol.overdue_calls(bench.now), None);
    assert_eq!(offsets(bench.frame(third)), [0]);
    // Whoever answers first.
    bench.tell(second, answer(0, SplitVerdict::Taken, 1));
    assert_eq!(taken(&mut reply), 1);
    bench.tell(third, answer(0, SplitVerdict::Taken, 1));
}

#[test]
fn without_redis_the_same_page_is_sent_a_moment_later() {
    let mut bench = Bench::new(4, 100);
    let link = bench.connect("t1");
    let attempt = bench.dispatch(link, &["a"]).remove(0);
    let mut reply = bench.protocol.ask(&attempt, page(0, 1));
    assert_eq!(offsets(bench.frame(link)), [0]);
    bench.tell(link, answer(0, SplitVerdict::Unavailable, 0));
    bench.protocol.on_timer(bench.now);
    assert_eq!(offsets(bench.frame(link)), [0; 0]);
    bench.now += CALL_PAUSE;
    bench.protocol.on_timer(bench.now);
    assert_eq!(offsets(bench.frame(link)), [0]);
    assert_eq!(reply.try_recv().unwrap_err(), TryRecvError::Empty);
}

#[test]
fn who_has_lost_the_lease_or_ended_is_told_so() {
    let mut bench = Bench::new(4, 100);
    let link = bench.connect("t1");
    let attempt = bench.dispatch(link, &["a"]).remove(0);
    let mut reply = bench.protocol.ask(&attempt, page(0, 1));
    assert_eq!(offsets(bench.frame(link)), [0]);
    bench.tell(link, answer(0, SplitVerdict::Stale, 0));
    assert_eq!(reply.try_recv().unwrap_err(), TryRecvError::Closed);
    assert_eq!(attempt.cancel.reason(), Some(CancelReason::Fenced));
    let other = bench.dispatch(link, &["b"]).remove(0);
    let mut reply = bench.protocol.ask(&other, page(0, 1));
    let succeeded = Outcome::Succeeded(Bytes::new());
    bench.protocol.finish(&other, Ended::With(succeeded));
    assert_eq!(reply.try_recv().unwrap_err(), TryRecvError::Closed);
    assert_eq!(offsets(bench.frame(link)), [0; 0]);
    assert!(bench.protocol.calls.is_empty());
    let mut reply = bench.protocol.ask(&other, page(0, 1));
    assert_eq!(reply.try_recv().unwrap_err(), TryRecvError::Closed);
}

#[test]
fn pages_of_results_are_told_apart_by_their_cursors() {
    let mut bench = Bench::new(4, 100);
    let link = bench.connect("t1");
    let attempt = bench.dispatch(link, &["a"]).remove(0);
    let fetch = |cursor| {
        Request::Fetch(tickwheel_proto::v1::FetchResults {
            context_id: "a".to_owned(),
            attempt: 1,
            cursor,
            limit: 10,
        })
    };
    let mut reply = bench.protocol.ask(&attempt, fetch(10));
    let asked = bench.frame(link).unwrap().fetch;
    assert_eq!(asked[0].cursor, 10);
    let page = |cursor| ResultsPage {
        context_id: "a".to_owned(),
        attempt: 1,
        cursor,
        next: cursor,
        ..ResultsPage::default()
    };
    for cursor in [0, 10] {
        assert_eq!(reply.try_recv().unwrap_err(), TryRecvError::Empty);
        let results = vec![page(cursor)];
        bench.tell(
            link,
            TrackerMessage {
                results,
                ..TrackerMessage::default()
            },
        );
    }
    assert!(matches!(reply.try_recv(), Ok(Answer::Results(page)) if page.cursor == 10));
}
