//! What was granted stays where it is used, and goes back when others wait, when it is not used, and when the limits change.

use std::time::Duration;

use tickwheel_core::limits::LimitName;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::wheel::Claim;

use super::{Cluster, group};
use crate::harness::partition;

#[tokio::test]
async fn what_ends_is_used_again_without_asking_while_nobody_else_waits() {
    let Some(mut cluster) = Cluster::start(group(5)).await else {
        return;
    };
    cluster.submit(0, "g h 2 - b", 40).await;
    for _ in 0..3 {
        cluster.turn(0).await;
    }
    assert_eq!(cluster.running.len(), 5);
    for _ in 0..7 {
        cluster.settle(4).await;
        let turned = cluster.turn(0).await;
        assert_eq!(turned.claims.len(), 4);
    }
    // Another partition comes: what the first one holds is asked back, and both take turns.
    cluster.recalled = vec!["g".parse().unwrap()];
    cluster.submit(1, "g h 2 - b", 2).await;
    cluster.turn(1).await;
    cluster.turn(0).await;
    cluster.settle(2).await;
    for number in [0, 1, 0, 1] {
        cluster.turn(number).await;
        assert!(cluster.running.len() <= 5);
    }
    let of_second = |claim: &&Claim| claim.member.id.partition() == partition(1);
    assert!(cluster.running.iter().filter(of_second).count() > 0);
}

#[tokio::test]
async fn a_lowered_limit_holds_from_the_next_turn_on() {
    let Some(mut cluster) = Cluster::start(group(10)).await else {
        return;
    };
    cluster.submit(0, "g h 2 - b", 40).await;
    for _ in 0..3 {
        cluster.turn(0).await;
    }
    assert_eq!(cluster.running.len(), 10);
    cluster.limits = group(3);
    cluster.changed = Some(TimestampMs::new(cluster.test.now().await + 1));
    for left in (4..10).rev() {
        cluster.settle(1).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        cluster.turn(0).await;
        assert_eq!(cluster.running.len(), left, "none follows");
    }
    cluster.settle(2).await;
    for _ in 0..3 {
        cluster.turn(0).await;
        assert!(cluster.running.len() <= 3, "{}", cluster.running.len());
    }
    assert_eq!(cluster.running.len(), 3);
}

#[tokio::test]
async fn what_is_not_used_goes_back_after_a_second() {
    let Some(mut cluster) = Cluster::start(group(10)).await else {
        return;
    };
    cluster.submit(0, "g h 2 - b", 10).await;
    for _ in 0..3 {
        cluster.turn(0).await;
    }
    cluster.settle(10).await;
    let name: LimitName = "g".parse().unwrap();
    let granted = async |cluster: &Cluster| {
        let names = [name.clone()];
        cluster.test.store.limit_states(&names).await.unwrap()[0]
    };
    assert_eq!(granted(&cluster).await.granted, 10);
    assert!(cluster.value(0, "limit_shares").await.contains("g"));
    let aged = async |cluster: &Cluster| {
        // As if the last report had been made long ago.
        let key = cluster.test.key(partition(0), "limit_shares");
        let share = "0 10 0 1000 u";
        cluster.test.text(&["HSET", &key, "g", share]).await;
        let wheel = cluster.test.key(partition(0), "wheel");
        cluster.test.text(&["ZADD", &wheel, "0", "!limits"]).await;
    };
    aged(&cluster).await;
    for _ in 0..3 {
        cluster.turn(0).await;
    }
    cluster.forgotten().await;
    let wheel = cluster.test.key(partition(0), "wheel");
    let began = tokio::time::Instant::now();
    while (cluster.test.text(&["ZRANGE", &wheel, "0", "-1"]).await).contains("limits") {
        assert!(began.elapsed() < Duration::from_secs(5), "`!limits` stays");
        tokio::time::sleep(Duration::from_millis(50)).await;
        cluster.turn(0).await;
    }
    let state = granted(&cluster).await;
    assert_eq!((state.granted, state.partitions), (0, 0));
}

#[tokio::test]
async fn a_report_that_overtakes_another_leaves_nobody_with_a_grant_that_the_home_forgot() {
    let Some(mut cluster) = Cluster::start(group(1)).await else {
        return;
    };
    cluster.submit(0, "g h 2 - b", 3).await;
    // A share whose last report ran ahead of the clock, and which is given back now, as others wait.
    let ahead = cluster.test.now().await + 400;
    let shares = cluster.test.key(partition(0), "limit_shares");
    let share = format!("0 1 0 {ahead} w");
    cluster.test.text(&["HSET", &shares, "g", &share]).await;
    cluster.recalled = vec!["g".parse().unwrap()];
    cluster.permits = 0;
    let given_back = cluster.turn_only(0).await.reports;
    cluster.recalled.clear();
    cluster.permits = 100;
    let asked = cluster.turn_only(0).await.reports;
    // What was sent later arrives earlier.
    cluster.share(0, &asked).await;
    let grant = cluster.grants.remove(&0).unwrap();
    cluster.share(0, &given_back).await;
    cluster.grants.insert(0, grant);
    let claims = cluster.turn_only(0).await.claims; // its report is lost
    cluster.running.extend(claims);
    assert_eq!(cluster.running.len(), 1);
    cluster.submit(1, "g h 2 - b", 3).await;
    for _ in 0..5 {
        cluster.turn(1).await;
        assert_eq!(cluster.running.len(), 1, "one may run, whoever asks");
    }
}
