//! How the cluster is, in numbers: what is counted, what a look costs, and what is shown to whom.

use std::time::Duration;

use futures::future::join_all;
use tickwheel_proto::v1;
use tokio::time::{Instant, sleep};

use crate::guarded::{guarded, scope, within};
use crate::harness::{Caller, caller, configured, serving, submission};

async fn overview(caller: &Caller) -> v1::Overview {
    let mut rpc = caller.rpc.clone();
    let request = v1::GetOverviewRequest {};
    rpc.get_overview(request).await.unwrap().into_inner()
}

/// Overviews until one is as it shall be.
async fn until(caller: &Caller, is_so: impl Fn(&v1::Overview) -> bool) -> v1::Overview {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let seen = overview(caller).await;
        if is_so(&seen) {
            return seen;
        }
        assert!(Instant::now() < end, "{seen:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

fn totals(seen: &v1::Overview) -> &v1::OverviewTotals {
    seen.totals.as_ref().unwrap()
}

#[tokio::test]
async fn what_waits_is_due_and_ended_is_counted_by_the_next_look() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let first = overview(&caller).await;
    assert_eq!((first.unreadable, totals(&first).trackers), (0, 1));
    assert!(first.time_ms > 0 && totals(&first).redis_memory_bytes > 0);
    assert_eq!(totals(&first).ended, Some(v1::OverviewEnds::default()));
    let before = totals(&first).scheduled;
    let later = (0..5).map(|_| submission(3_600_000)).collect();
    caller.submit(later).await.unwrap();
    let due = (0..3).map(|_| submission(0)).collect();
    let due = caller.submit(due).await.unwrap();
    let request = v1::ContextRef {
        id: due[0].id.clone(),
    };
    caller.rpc.cancel_context(request).await.unwrap();
    let seen = until(&caller, |seen| totals(seen).ready == 2).await;
    assert!(totals(&seen).scheduled >= before + 5, "{seen:?}");
    assert_eq!(totals(&seen).ended.unwrap().cancelled, 1);
    let groups: Vec<_> = seen
        .groups
        .iter()
        .map(|group| (group.group.as_str(), group.ready, group.workers))
        .collect();
    assert_eq!(groups, [("default", Some(2), 0)]);
}

#[tokio::test]
async fn however_many_ask_there_is_a_look_in_a_second() {
    let Some(config) = configured() else { return };
    let caller = serving(config).await;
    let first = overview(&caller).await;
    let before = caller.calls("xrevrange").await;
    let asked = join_all((0..200).map(|_| overview(&caller))).await;
    let looks = (caller.calls("xrevrange").await - before).div_ceil(4);
    let mut times: Vec<u64> = asked.iter().map(|seen| seen.time_ms).collect();
    times.push(first.time_ms);
    times.sort_unstable();
    times.dedup();
    assert!(times.len() <= 10, "{times:?}");
    assert!(looks < 20, "{looks} looks for 200 callers");
}

#[tokio::test]
async fn who_does_not_see_everything_is_shown_groups_and_no_totals() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let mut rpc = guarded.api(&guarded.admin);
    let contexts = ["a", "b"].map(|group| v1::Submission {
        group: group.to_owned(),
        ..submission(0)
    });
    let request = v1::SubmitRequest {
        contexts: contexts.to_vec(),
    };
    rpc.submit(request).await.unwrap();
    let shown = async |scope: v1::Scope| {
        let token = guarded.make(scope).await;
        let mut rpc = guarded.api(&token);
        let answer = rpc.get_overview(v1::GetOverviewRequest {}).await;
        answer.unwrap().into_inner()
    };
    // The look that sees both.
    loop {
        let seen = rpc.get_overview(v1::GetOverviewRequest {}).await.unwrap();
        if seen.into_inner().groups.len() == 2 {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    let everything = shown(scope(v1::Role::Viewer)).await;
    assert!(everything.totals.is_some() && everything.groups.len() == 2);
    let of_group = v1::Scope {
        groups: vec!["a".to_owned()],
        ..scope(v1::Role::Viewer)
    };
    let of_group = shown(of_group).await;
    assert_eq!((of_group.totals, of_group.groups.len()), (None, 1));
    assert_eq!(of_group.groups[0].ready, Some(1));
    // What waits in the group may be of other namespaces, and the group is there for who sees its workers.
    let of_namespace = shown(within(v1::Role::Viewer, "eu", "a")).await;
    assert_eq!((of_namespace.totals, of_namespace.groups), (None, vec![]));
}
