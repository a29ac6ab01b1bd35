//! Many limited keys in one partition.

use std::collections::BTreeMap;
use std::time::Duration;

use tickwheel_core::limits::GroupLimits;

use super::{Cluster, at_once};

fn per_key(concurrency: u32) -> GroupLimits {
    GroupLimits {
        per_key: at_once(concurrency),
        ..GroupLimits::default()
    }
}

/// How many run of each key.
fn by_key(cluster: &Cluster) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for claim in &cluster.running {
        let key = claim.member.rest.options.key.clone().unwrap();
        *counts.entry(key.to_string()).or_default() += 1;
    }
    counts
}

/// More shares than a turn reads at once.
#[tokio::test]
async fn three_hundred_keys_each_run_as_many_as_they_may() {
    let Some(mut cluster) = Cluster::start(per_key(2)).await else {
        return;
    };
    cluster.permits = 1_000;
    for key in 0..300 {
        cluster.submit(0, &format!("g h 2 k=t{key} b"), 3).await;
    }
    let mut ended = 0;
    let mut most = 0;
    for _ in 0..200 {
        cluster.turn(0).await;
        let counts = by_key(&cluster);
        assert!(counts.values().all(|count| *count <= 2), "{counts:?}");
        most = most.max(cluster.running.len());
        if cluster.running.len() == 600 || ended > 0 {
            let count = cluster.running.len().min(100);
            cluster.settle(count).await;
            ended += count;
        }
        if ended == 900 {
            break;
        }
    }
    assert_eq!((most, ended), (600, 900));
    let found = cluster
        .test
        .store
        .check(tickwheel_store::check::Pace { rest: 0.0 });
    assert_eq!(found.await.unwrap().findings, []);
    // What keeps the hash spread goes with the last of the shares.
    cluster.forgotten().await;
}

#[tokio::test]
async fn keys_that_were_never_asked_for_are_asked_for_together() {
    let Some(mut cluster) = Cluster::start(per_key(100)).await else {
        return;
    };
    cluster.permits = 1_000;
    for key in 0..40 {
        cluster.submit(0, &format!("g h 2 k=t{key} b"), 5).await;
    }
    let turned = cluster.turn_only(0).await;
    assert!(turned.claims.is_empty() && turned.limited);
    assert_eq!(turned.reports.len(), 40);
    let wanted = turned.reports.iter().map(|report| report.wanted).min();
    assert!(wanted >= Some(5), "{wanted:?}");
    assert!(
        turned.backlog.is_empty(),
        "nothing to visit for before the answer"
    );
    assert_eq!(
        cluster.value(0, "backlog").await,
        "g h k= 0",
        "nothing is set aside"
    );
    cluster.share(0, &turned.reports).await;
    assert_eq!(cluster.turn(0).await.claims.len(), 200);
    // An answer that was lost holds up nobody else.
    cluster.submit(0, "g h 2 k=new b", 1).await;
    cluster.submit(0, "g h 2 k=t0 b", 1).await;
    let lost = cluster.turn_only(0).await;
    assert_eq!((lost.claims.len(), lost.reports.len()), (0, 1));
    assert!(lost.awaiting_grant);
    let soon = cluster.turn_only(0).await;
    assert_eq!(soon.claims.len(), 0);
    let backlog = cluster.value(0, "backlog").await;
    assert_eq!(backlog, "g h k= 0", "the answer may be on its way");
    assert_eq!(cluster.value(0, "limit_contended").await, "");
    tokio::time::sleep(Duration::from_millis(30)).await;
    let next = cluster.turn_only(0).await;
    let keys: Vec<String> = next
        .claims
        .iter()
        .map(|claim| claim.member.rest.options.key.clone().unwrap().to_string())
        .collect();
    assert_eq!(keys, ["t0"]);
    assert!(!next.awaiting_grant);
    assert!(cluster.value(0, "backlog").await.contains("g h k=new"));
}
