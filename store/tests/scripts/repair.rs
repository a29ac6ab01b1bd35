//! What a repair decides: which of two places stays, what is repaired first, with which attempt a lost context goes on, and that what was
//! decided stays decided.

use crate::call::{Part, T, ready_score};
use crate::harness::{Harness, alone, partition};
use tickwheel_store::check::{Kind, Pace};
use tickwheel_store::repair::Repairs;

const FAST: Pace = Pace { rest: 0.0 };
const ID: &str = "0.1000000.m-1@d/j";
/// What is there from the start, in the order of how far a context in it is.
const PLACES: [&str; 4] = ["queue:d/j", "wheel", "ready:g:h", "held"];

/// The only partition of a test.
fn whole(test: &Harness) -> Part<'_> {
    let id = partition(0);
    Part { test, id }
}

/// A job that fires when it is asked to, and has the context active.
async fn put_job(part: &Part<'_>) {
    let fields = [
        ("kind", "manual"),
        ("period", ""),
        ("digest", "x"),
        ("revision", "1"),
        ("overlap", "queue"),
        ("overlap_limit", "9"),
    ];
    part.put_job("d/j", T, &fields).await;
    for (command, name, rest) in [
        ("ZREM", "wheel", &["@d/j"][..]),
        ("ZADD", "jobs", &["0", "d/j"]),
        ("HSET", "job:d/j", &["next", ""]),
        ("HSET", "active:d/j", &[ID, "m"]),
    ] {
        let key = part.key(name);
        let words: Vec<&str> = [command, key.as_str()]
            .iter()
            .chain(rest)
            .copied()
            .collect();
        part.test.command(&words).await;
    }
}

async fn repair(test: &Harness) -> Repairs {
    let repairs = test.store.repair(FAST).await.unwrap();
    assert!(repairs.after.is_clean(), "{:#?}", repairs.after.findings);
    repairs
}

/// Puts the context into a place with an attempt number.
async fn put(part: &Part<'_>, place: &str, attempt: u32) {
    let (test, key) = (part.test, part.key(place));
    let member = format!("{ID} {attempt}:0 g h 2 - body");
    match place {
        "held" => {
            let value = format!("{attempt}:0 w-1 {T} 9000000000000 0 - g h 2 - body");
            test.command(&["HSET", &key, ID, &value]).await;
            test.command(&["ZADD", &part.key("wheel"), "9000000000000", "!reap"])
                .await;
        }
        "ready:g:h" => {
            let score = ready_score(2, T).to_string();
            test.command(&["ZADD", &key, &score, &member]).await;
            test.command(&["ZADD", &part.key("backlog"), "0", "g h"])
                .await;
        }
        _ => drop(test.command(&["ZADD", &key, &T.to_string(), &member]).await),
    }
}

/// Where the context is, with its attempt.
async fn places(part: &Part<'_>) -> Vec<(String, String)> {
    let state = part.state().await;
    let attempt = |text: &str| text.split(':').next().unwrap().to_owned();
    let mut found = Vec::new();
    for (name, members) in &state.zsets {
        let own = members
            .keys()
            .filter_map(|member| member.strip_prefix(ID)?.strip_prefix(' '));
        found.extend(own.map(|rest| (name.clone(), attempt(rest))));
    }
    let held = state.hash("held").into_iter().filter(|(id, _)| *id == ID);
    found.extend(held.map(|(_, value)| ("held".to_owned(), attempt(value))));
    found
}

#[tokio::test]
async fn of_two_places_the_greater_attempt_stays_and_of_equal_ones_the_place_that_is_further() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = whole(&test);
    for (at, first) in PLACES.into_iter().enumerate() {
        for second in PLACES.into_iter().skip(at + 1) {
            for (one, other, stays) in [(0, 0, second), (0, 1, second), (2, 1, first)] {
                let what = format!("{first} {one}, {second} {other}");
                if first == "queue:d/j" && one > 0 {
                    continue; // what waits for others was never claimed
                }
                test.command(&["FLUSHALL"]).await;
                put_job(&part).await;
                put(&part, first, one).await;
                put(&part, second, other).await;
                let repairs = repair(&test).await;
                let mut kinds = repairs.repairs.iter().map(|repair| repair.finding.kind);
                assert!(kinds.any(|kind| kind == Kind::TwoPlaces), "{what}");
                let expected = [(stays.to_owned(), one.max(other).to_string())];
                assert_eq!(places(&part).await, expected, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_ready_set_that_nobody_knows_of_is_named_before_its_contexts_are_called_lost() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = whole(&test);
    put_job(&part).await;
    // Its job runs something else by now, so that only the backlog would tell where to look.
    let member = format!("{ID} 4:1 old handler 2 - body");
    let score = ready_score(2, T).to_string();
    test.command(&["ZADD", &part.key("ready:old:handler"), &score, &member])
        .await;
    let repairs = repair(&test).await;
    assert_eq!(repairs.repairs[0].finding.kind, Kind::Backlog);
    let there = [("ready:old:handler".to_owned(), "4".to_owned())];
    assert_eq!(places(&part).await, there, "it was there all the time");
}

#[tokio::test]
async fn a_lost_context_goes_on_above_every_attempt_that_was_given_out() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = whole(&test);
    let scheduled = "0.1000000.f@d/j";
    put_job(&part).await;
    let mut before = 900_u32;
    for lost_at in [T + 5_000, T + 9_000] {
        test.command(&["HSET", &part.key("active:d/j"), scheduled, "s"])
            .await;
        let did = part
            .answer(
                "repair/context",
                &[&lost_at.to_string(), scheduled, "", "0"],
            )
            .await;
        assert_eq!(did, ["REPAIRED", "lost: it runs again"]);
        let turned = part.turn(lost_at, 9, &[("w", "g", 1, "h")]).await;
        let (id, rest) = turned.claims[0].1.split_once(' ').unwrap();
        let attempt = rest.split(':').next().unwrap().parse().unwrap();
        assert_eq!(id, scheduled);
        assert!(attempt > before + 1, "{attempt} after {before}");
        let stale = [scheduled, &before.to_string(), "succeeded", ""];
        assert_eq!(part.settle(lost_at, &[stale]).await, "L", "{before}");
        before = attempt;
        test.command(&["HDEL", &part.key("held"), scheduled]).await;
    }
}

#[tokio::test]
async fn a_due_time_that_was_decided_does_not_fire_again_because_of_a_repair() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = whole(&test);
    let wheel = part.key("wheel");
    let common = [
        ("overlap", "parallel"),
        ("overlap_limit", "9"),
        ("revision", "1"),
    ];
    for (job, kind, period) in [("d/cron", "cron", ""), ("d/rate", "fixed_rate", "1000")] {
        let own = [
            ("kind", kind),
            ("period", period),
            ("plan", "1001000 1002000"),
            ("anchor", "1000000"),
        ];
        part.put_job(job, T, &[&common[..], &own[..]].concat())
            .await;
        let target = part.key(&format!("job:{job}"));
        part.turn(T, 9, &[]).await;
        // As a failover could leave it: the decision is known, the next due time is that of before, and the entry is gone.
        test.command(&[
            "HSET",
            &target,
            "next",
            "1000000",
            "plan",
            "1001000 1002000",
        ])
        .await;
        test.command(&["ZREM", &wheel, &format!("@{job}")]).await;
        let did = part.answer("repair/job", &["1000500", job]).await;
        assert_eq!(did[0], "REPAIRED", "{job}: {did:?}");
        let state = part.state().await;
        assert_eq!(
            state.field(&format!("job:{job}"), "next"),
            "1001000",
            "{job}"
        );
        part.turn(T + 600, 9, &[]).await;
        let state = part.state().await;
        assert_eq!(state.list(&format!("ledger:{job}")), ["1000000 F +0"]);
    }
}
