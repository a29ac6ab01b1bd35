//! placement/list and placement/sweep: placements that nothing needs go, and no other, whatever moves meanwhile.

use std::collections::BTreeSet;

use tickwheel_core::partition::PartitionId;

use crate::call::{Part, T, field, texts};
use crate::harness::{fresh, partition};

const WORKER: [&str; 4] = ["w", "g", "9", "h"];
const PLACES: [&str; 4] = ["jobs", "wheel", "held", "fans"];

fn placement(number: usize) -> String {
    format!("{number:010x}")
}

async fn submit(part: &Part<'_>, when: &str, number: usize, options: &str) {
    let (now, placement, unique) = (T.to_string(), placement(number), format!("a-{number}"));
    let rest = format!("g h 2 c={placement}{options} x");
    let args = [
        &now,
        "1",
        when,
        &unique,
        &rest,
        "",
        "placements",
        &placement,
        "content",
    ];
    assert_eq!(part.answer("wheel/submit", &args).await[0], "ACCEPTED");
}

/// Turns, and claims of these placements.
async fn turn(part: &Part<'_>, now: u64, placements: &[usize]) -> usize {
    let (now, count) = (now.to_string(), placements.len().to_string());
    let queues: Vec<String> = placements
        .iter()
        .map(|n| format!("g h c={}", placement(*n)))
        .collect();
    let mut args = vec![now.as_str(), "2000", "100", "1"];
    args.extend(WORKER);
    args.extend(["1", count.as_str()]);
    for queue in &queues {
        args.extend([queue.as_str(), "random", "1:0:1"]);
    }
    let reply = part.call("wheel/turn", "TURNED", &args).await;
    texts(field(&reply, "claims")).len() / 2
}

async fn begin(part: &Part<'_>) -> (String, BTreeSet<String>) {
    let mut answer = part.answer("placement/sweep", &["", "begin", "0"]).await;
    assert_eq!(answer[0], "BEGUN");
    let placements = answer.split_off(2);
    (answer[1].clone(), placements.into_iter().collect())
}

async fn walk(part: &Part<'_>, place: &str, needed: &mut BTreeSet<String>) {
    let reply = part.call("placement/list", "WALKED", &[place, "0"]).await;
    assert_eq!(crate::call::text(&reply[0]), "0");
    needed.extend(texts(&reply[1]));
}

async fn end(part: &Part<'_>, token: &str, needed: &BTreeSet<String>) -> Vec<String> {
    let mut args = vec!["", "end", token];
    args.extend(needed.iter().map(String::as_str));
    part.answer("placement/sweep", &args).await
}

async fn kept(part: &Part<'_>) -> Vec<String> {
    let state = part.state().await;
    let placements = state.hash("placements");
    placements
        .iter()
        .map(|(placement, _)| (*placement).to_owned())
        .collect()
}

#[tokio::test]
async fn only_placements_that_something_needs_are_kept() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let id: PartitionId = partition(3);
    submit(&part, "+90000", 1, "").await; // in the wheel
    submit(&part, "+0", 2, "").await; // ready
    submit(&part, "+0", 3, ",k=acme").await; // ready, with a key
    submit(&part, "+0", 4, "").await; // held
    assert_eq!(turn(&part, T, &[4]).await, 1);
    submit(&part, "+0", 5, ",s=1").await; // ends as expired
    turn(&part, T + 5, &[]).await;
    for (number, key, field) in [(6, "job:d/j", "tmpl"), (7, "fan:3.5.r-1", "placement")] {
        let placement = placement(number);
        let value = if number == 6 {
            format!("g h 2 c={placement} x")
        } else {
            placement.clone()
        };
        test.command(&["HSET", &part.key(key), field, &value]).await;
        test.command(&["HSET", &part.key("placements"), &placement, "content"])
            .await;
    }
    test.command(&["ZADD", &part.key("jobs"), "0", "d/j"]).await;
    test.command(&["HSET", &part.key("fans"), "3.5.r-1", "map"])
        .await;
    // In an overlap queue, with a placement that its job had before.
    let queued = format!("3.5.f@d/j 0:0 g h 2 c={} x", placement(8));
    test.command(&["ZADD", &part.key("queue:d/j"), "5", &queued])
        .await;
    for number in [8, 9] {
        test.command(&[
            "HSET",
            &part.key("placements"),
            &placement(number),
            "content",
        ])
        .await;
    }
    let route = part.key(&format!("route:{}", placement(9)));
    test.command(&["HSET", &route, "w", "1:1"]).await;
    assert_eq!(
        test.store.sweep_placements(id, 10).await.unwrap(),
        None,
        "few"
    );
    assert_eq!(test.store.sweep_placements(id, 1).await.unwrap(), Some(2));
    assert_eq!(kept(&part).await, [1, 2, 3, 4, 6, 7, 8].map(placement));
    assert_eq!(test.text(&["EXISTS", &route]).await, "0");
    assert!(!part.state().await.hashes.contains_key("used_placements"));
    // What ended without its placement cannot run again, and says so.
    let ended = part.state().await.zset("dead")[0].1.to_string();
    let id = format!("3.{T}.a-5");
    let now = (T + 9).to_string();
    let retried = part
        .answer("context/retry", &[&now, "1", &id, &ended])
        .await;
    assert_eq!(retried, ["RETRIED", "G"]);
}

#[tokio::test]
async fn what_moves_while_the_places_are_looked_at_keeps_its_placement() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    // From where it is seen too late to where it was looked at before: each in its turn, at each step of the walk.
    for step in 0..=PLACES.len() {
        for name in test.keys().await {
            test.command(&["DEL", &name]).await;
        }
        submit(&part, "+5", 1, "").await; // wheel to held
        submit(&part, "+5", 2, "").await; // wheel to ready
        submit(&part, "+0", 3, "").await; // ready to held
        submit(&part, "+0", 4, ",b=f:9:9:0").await; // held to its next attempt in the wheel
        submit(&part, "+0", 5, ",b=f:0:0:0").await; // held to ready
        submit(&part, "+0", 6, "").await; // held, given back
        submit(&part, "+0", 7, "").await; // its end comes
        assert_eq!(turn(&part, T, &[4, 5, 6, 7]).await, 4);
        let (token, mut needed) = begin(&part).await;
        let id = |number: usize| format!("3.{T}.a-{number}");
        for (at, place) in PLACES.iter().enumerate() {
            if at == step {
                assert_eq!(turn(&part, T + 6, &[1, 3]).await, 2);
                let (four, five, six) = (id(4), id(5), id(6));
                let failed = "0 0 no";
                part.settle(
                    T + 6,
                    &[
                        [&four, "1", "failed", failed],
                        [&five, "1", "failed", failed],
                    ],
                )
                .await;
                let now = (T + 6).to_string();
                let released = part
                    .answer("lease/release", &[&now, "w", "1", &six, "1 1"])
                    .await;
                assert_eq!(released[0], "RELEASED", "{released:?}");
                part.settle(T + 6, &[[&id(7), "1", "succeeded", ""]]).await;
            }
            walk(&part, place, &mut needed).await;
        }
        assert_eq!(end(&part, &token, &needed).await[0], "SWEPT");
        let kept = kept(&part).await;
        for number in 1..=6 {
            assert!(
                kept.contains(&placement(number)),
                "step {step}: {number} of {kept:?}"
            );
        }
        let (token, mut needed) = begin(&part).await;
        for place in PLACES {
            walk(&part, place, &mut needed).await;
        }
        end(&part, &token, &needed).await;
        if step < PLACES.len() {
            assert!(
                !self::kept(&part).await.contains(&placement(7)),
                "step {step}"
            );
        }
    }
}

#[tokio::test]
async fn one_looks_at_a_time_and_who_was_overtaken_removes_nothing() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    submit(&part, "+0", 1, "").await;
    let call = async |args: &[&str]| part.answer("placement/sweep", args).await;
    assert_eq!(call(&["1000", "begin", "0"]).await[..2], ["BEGUN", "1000"]);
    assert_eq!(call(&["2000", "begin", "0"]).await, ["BUSY"]);
    let later = (1_000 + 600_000).to_string();
    assert_eq!(call(&[&later, "begin", "0"]).await[0], "BEGUN");
    assert_eq!(call(&["", "end", "1000"]).await, ["STALE"]);
    assert_eq!(kept(&part).await, [placement(1)]);
    assert_eq!(
        call(&["", "end", &later, &placement(1)]).await,
        ["SWEPT", "0"]
    );
    assert_eq!(call(&["", "end", &later]).await, ["STALE"]);
    test.assert_refused(
        "placement/sweep",
        part.id,
        &["", "begin", "0"],
        &[(2, "x", "what"), (3, "x", "number")],
    )
    .await;
    test.assert_refused(
        "placement/list",
        part.id,
        &["wheel", "0"],
        &[(1, "dedup:x", "place"), (2, "x", "cursor")],
    )
    .await;
}
