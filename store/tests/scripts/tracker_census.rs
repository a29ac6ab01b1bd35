//! tracker/census: how many workers live, and what they may run.

use std::time::Duration;

use tickwheel_core::id::{GroupName, WorkerId};
use tickwheel_store::roster::{WorkerHeartbeat, WorkerReport};

use crate::harness::{Harness, fresh};

/// A key of the cluster.
fn key(test: &Harness, name: &str) -> String {
    format!("{{{}}}:{name}", test.prefix)
}

#[tokio::test]
async fn live_workers_are_counted_by_group_as_far_as_a_look_goes() {
    let Some(test) = fresh().await else { return };
    let ttl = Duration::from_secs(60);
    let heartbeat = |group: &str, worker: &str, permits, running| WorkerHeartbeat {
        worker: WorkerId::new(worker).unwrap(),
        group: GroupName::new(group).unwrap(),
        report: Some(WorkerReport {
            permits,
            running,
            ..WorkerReport::default()
        }),
    };
    let none = test.store.census().await.unwrap();
    assert!(none.groups.is_empty() && !none.cut && none.unreadable == 0);
    let workers = [
        heartbeat("g", "w-1", 4, 1),
        heartbeat("g", "w-2", 4, 4),
        heartbeat("k", "w-3", 1, 0),
    ];
    test.store.heartbeat(None, ttl, &workers).await.unwrap();
    // One whose heartbeat is over, a report of nonsense, and a group that is no group.
    let gone = ["ZADD", &key(&test, "workers:g"), "1000", "w-0"];
    test.command(&gone).await;
    let nonsense = [
        "HSET",
        &key(&test, "worker:w-3"),
        "permits",
        "-5",
        "running",
        "x",
    ];
    test.command(&nonsense).await;
    test.command(&["HSET", &key(&test, "groups"), "broken", "1"])
        .await;
    test.command(&["SET", &key(&test, "workers:broken"), "text"])
        .await;
    let census = test.store.census().await.unwrap();
    let mut counted: Vec<_> = census
        .groups
        .iter()
        .map(|one| (one.group.as_str(), one.workers, one.permits, one.running))
        .collect();
    counted.sort_unstable();
    assert_eq!(counted, [("g", 2, 8, 5), ("k", 1, 0, 0)]);
    assert!(!census.cut && census.unreadable == 1);
    for chunk in 0..2 {
        let many: Vec<_> = (0..1_000)
            .map(|number| heartbeat("many", &format!("m-{}", 1_000 * chunk + number), 1, 1))
            .collect();
        test.store.heartbeat(None, ttl, &many).await.unwrap();
    }
    let census = test.store.census().await.unwrap();
    let many = census
        .groups
        .iter()
        .find(|one| one.group.as_str() == "many");
    let many = many.unwrap();
    // How many there are is known of all of them.
    assert_eq!(many.workers, 2_000);
    assert!(census.cut && (900..=1_000).contains(&many.permits));
}
