//! lease/reclaim: what a dead tracker claimed for a worker and did not deliver is ready again.

use std::time::Duration;

use crate::call::{Part, T, ready_score, text, texts};
use crate::harness::{fresh, partition};
use tickwheel_core::time::TimestampMs;
use tickwheel_store::lease::AttemptRef;

const ID: &str = "3.900.a-1";
const LEASE: Duration = Duration::from_secs(2);

/// One page of it for worker `w`: what was given back.
async fn reclaim(part: &Part<'_>, now: u64, before: u64) -> Vec<String> {
    let (now, before) = (now.to_string(), before.to_string());
    let args = [
        now.as_str(),
        "0",
        "1000",
        before.as_str(),
        "2000",
        "2",
        "w",
        "x",
    ];
    let reply = part.call("lease/reclaim", "RECLAIMED", &args).await;
    assert_eq!(text(&reply[0]), "0");
    texts(&reply[1])
}

#[tokio::test]
async fn a_claim_that_nobody_announced_is_ready_again_without_a_failure() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "2:1", "r=5").await;
    assert!(reclaim(&part, T + 700, T).await.is_empty(), "made later");
    assert_eq!(reclaim(&part, T + 700, T + 1).await, [format!("{ID} 2")]);
    let state = part.state().await;
    assert_eq!(state.keys(), ["backlog", "ready:g:h"]);
    assert_eq!(
        state.zset("ready:g:h"),
        [("3.900.a-1 2:1 g h 2 r=5 body", ready_score(2, 900))]
    );
    assert!(reclaim(&part, T + 700, T + 1).await.is_empty());
    assert_eq!(part.state().await, state);
    let claims = part.turn(T + 800, 9, &[("w", "g", 1, "h")]).await.claims;
    assert_eq!(claims[0].1, "3.900.a-1 3:1 g h 2 r=5 body");
}

#[tokio::test]
async fn what_runs_is_cancelled_or_belongs_to_others_stays() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "1:0", "-").await;
    part.renew(T + 600, &[[ID, "1"]]).await;
    part.hold("3.900.a-2", "1:0", "-").await;
    part.cancel(T, "3.900.a-2").await;
    let other = format!("1:0 v {T} {} 0 - g h 2 - body", T + 2_000);
    test.command(&["HSET", &part.key("held"), "3.900.a-3", &other])
        .await;
    let before = part.state().await;
    assert!(reclaim(&part, T + 700, T + 500).await.is_empty());
    assert_eq!(part.state().await, before);
}

#[tokio::test]
async fn a_lease_that_is_over_is_left_to_the_scan() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "1:0", "-").await;
    assert!(reclaim(&part, T + 2_000, T + 1).await.is_empty());
}

#[tokio::test]
async fn the_store_walks_all_pages() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let now = test.store.time().await.unwrap().as_u64();
    let fill = format!(
        "for i = 1, 1400 do redis.call('HSET', KEYS[1], '3.5.a-' .. i, '1:0 w {now} {} 0 - g h 2 - x') end",
        now + 60_000
    );
    test.text(&["EVAL", &fill, "1", &part.key("held")]).await;
    let made = (TimestampMs::new(now + 1), Duration::from_secs(60));
    let workers = ["w".parse().unwrap()];
    let mut given_back = test
        .store
        .reclaim(partition(3), &workers, made)
        .await
        .unwrap();
    given_back.sort_by_key(|attempt| attempt.context.to_string());
    given_back.dedup();
    assert_eq!(given_back.len(), 1_400);
    assert!(given_back.contains(&AttemptRef {
        context: "3.5.a-77".parse().unwrap(),
        attempt: 1.into()
    }));
    assert_eq!(part.state().await.zset("ready:g:h").len(), 1_400);
    let again = (TimestampMs::new(now + 1), LEASE);
    let again = test.store.reclaim(partition(3), &workers, again).await;
    assert!(again.unwrap().is_empty());
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    Part::new(&test).hold(ID, "1:0", "-").await;
    let args = ["1000", "0", "100", "9000000000000", "2000", "1", "w"];
    let changes = [
        (1, "-1", "now_ms"),
        (2, "", "cursor"),
        (2, "x", "cursor"),
        (3, "0", "page"),
        (3, "1001", "page"),
        (4, "-1", "before"),
        (5, "99", "lease_ms"),
        (6, "0", "workers"),
        (6, "2", "workers"),
        (6, "1001", "workers"),
    ];
    test.assert_refused("lease/reclaim", partition(3), &args, &changes)
        .await;
}
