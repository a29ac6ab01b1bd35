//! How much is due when: what is counted, what a look costs, and who is shown it.

use futures::future::join_all;
use tickwheel_proto::v1;

use crate::guarded::{guarded, scope, within};
use crate::harness::{Caller, caller, configured, serving, submission};

const MINUTE: u64 = 60_000;

async fn wheel(caller: &Caller, width_ms: u64, buckets: u32) -> v1::Wheel {
    let request = v1::GetWheelRequest { width_ms, buckets };
    let mut rpc = caller.rpc.clone();
    rpc.get_wheel(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn what_is_due_is_counted_by_time_and_kind() {
    let Some(mut caller) = caller().await else {
        return;
    };
    // In the middle of an hour's spans, wherever in one of them now is.
    let soon = (0..5).map(|_| submission(90 * MINUTE)).collect();
    caller.submit(soon).await.unwrap();
    caller
        .submit(vec![submission(30 * 24 * 60 * MINUTE)])
        .await
        .unwrap();
    let seen = wheel(&caller, 60 * MINUTE, 4).await;
    let counts = seen.counts.unwrap();
    assert_eq!((seen.unreadable, counts.buckets.len()), (0, 4));
    let begins: Vec<u64> = counts.buckets.iter().map(|bucket| bucket.from_ms).collect();
    assert!(begins[0] <= seen.time_ms && seen.time_ms < begins[1]);
    assert!(begins.iter().all(|begins| begins % (60 * MINUTE) == 0));
    // Those of one partition with their kinds, and nothing lost.
    let runs: u64 = counts.buckets[1..3]
        .iter()
        .map(|bucket| bucket.kinds.unwrap().runs)
        .sum();
    assert_eq!(runs, 5);
    assert!(counts.later >= 1);
    let counted: u64 = counts.buckets.iter().map(|bucket| bucket.entries).sum();
    assert_eq!(counted + counts.overdue + counts.later, counts.entries);
}

#[tokio::test]
async fn however_many_ask_there_is_a_look_in_five_seconds() {
    let Some(config) = configured() else { return };
    let caller = serving(config).await;
    // Each look asks Redis for the time, and shows it.
    let asked = join_all((0..200).map(|_| wheel(&caller, 0, 0))).await;
    let part = wheel(&caller, 1_000, 2).await;
    let mut times: Vec<u64> = asked.iter().map(|seen| seen.time_ms).collect();
    times.push(part.time_ms);
    times.dedup();
    assert!(times.len() <= 2, "{times:?}");
    assert_eq!(part.counts.unwrap().buckets.len(), 2);
}

#[tokio::test]
async fn who_does_not_see_everything_is_told_the_time_alone() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let all = guarded.make(scope(v1::Role::Viewer)).await;
    let some = guarded.make(within(v1::Role::Viewer, "eu", "g")).await;
    let request = v1::GetWheelRequest::default();
    let mut rpc = guarded.api(&all);
    let whole = rpc.get_wheel(request).await.unwrap().into_inner();
    assert_eq!(whole.counts.unwrap().buckets.len(), 60);
    let mut rpc = guarded.api(&some);
    let seen = rpc.get_wheel(request).await.unwrap().into_inner();
    assert_eq!((seen.counts, seen.width_ms), (None, 1_000));
    assert!(seen.time_ms > 0);
    let wrong = v1::GetWheelRequest {
        width_ms: 7,
        buckets: 61,
    };
    let refused = rpc.get_wheel(wrong).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
}
