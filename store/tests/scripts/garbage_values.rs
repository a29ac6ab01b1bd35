//! Values that no script writes and that some script reads in passing: no call fails for one, and none of them becomes a key.

use std::time::Duration;

use tickwheel_store::Counters;
use tickwheel_store::job::StalePlans;

use crate::call::{Part, T};
use crate::fan_pages::{ALL, PAGE, ROOT, claims, split};
use crate::harness::{fresh, partition};

const COUNTERS: [&str; 8] = [
    "stale",
    "foreign",
    "reaped",
    "dead_dropped",
    "put_aside",
    "confirmed",
    "logs_dropped",
    "reset",
];

/// Everything that counts, once.
async fn count(part: &Part<'_>) {
    for name in ["a", "b", "c"] {
        part.hold(&format!("3.7.{name}-1"), "1:0", "-").await;
    }
    part.hold("3.7.d-1", "1:0", "x=1").await;
    assert_eq!(
        part.settle(T, &[["3.7.a-1", "9", "succeeded", ""]]).await,
        "L"
    );
    let by_another = part.settle_by(T, &["w-9"], &[["3.7.a-1", "1", "succeeded", ""]]);
    assert_eq!(by_another.await, "F");
    assert_eq!(part.renew(T, &[["3.7.b-1", "9"]]).await.0, "L");
    assert_eq!(part.renew_by(T, "w-9", &[["3.7.b-1", "1"]]).await.0, "F");
    assert_eq!(part.release_by(T, "w-9", &[["3.7.b-1", "1"]]).await.1, "1");
    let wheel = part.key("wheel");
    part.test.command(&["ZADD", &wheel, "5", "nonsense"]).await;
    assert_eq!(part.turn(T, 10, &[]).await.aside, 1);
    part.call("tracker/mark", "MARKED", &[]).await;
    let (lost, ..) = part.reap(T + 5_000, &[]).await;
    assert_eq!(lost.len(), 4, "{lost:?}");
    part.test.command(&["DEL", &wheel]).await;
}

#[tokio::test]
async fn a_counter_that_is_no_number_fails_no_call_and_begins_anew() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let stats = part.key("stats");
    for value in [
        "x",
        "",
        "1e5",
        "9223372036854775807",
        "99999999999999999999",
    ] {
        test.command(&["DEL", &stats]).await;
        for counter in COUNTERS {
            test.command(&["HSET", &stats, counter, value]).await;
        }
        test.store.counters().await.unwrap();
        count(&part).await;
        let state = part.state().await;
        assert_eq!(state.field("stats", "stale"), "2", "{value}");
        assert_eq!(state.field("stats", "foreign"), "3", "{value}");
        assert_eq!(state.field("stats", "reaped"), "4", "{value}");
        assert_eq!(state.field("stats", "put_aside"), "1", "{value}");
        assert_eq!(state.field("stats", "confirmed"), "1", "{value}");
        assert_eq!(state.field("stats", "reset"), "5", "{value}");
    }
    for words in [["SET", &stats, "x"], ["RPUSH", &stats, "x"]] {
        test.command(&["DEL", &stats]).await;
        test.command(&words).await;
        assert_eq!(test.store.counters().await.unwrap(), Counters::default());
        count(&part).await;
        let counted = test.store.counters().await.unwrap();
        assert_eq!((counted.put_aside, counted.reset), (1, 1));
    }
}

#[tokio::test]
async fn what_has_the_place_of_the_quarantine_makes_room() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    test.command(&["SET", &part.key("quarantine"), "mine"])
        .await;
    let wheel = part.key("wheel");
    test.command(&["ZADD", &wheel, "5", "nonsense"]).await;
    part.submit(T, &[["+0", "a-1", "g h 2 - x", ""]]).await;
    let turned = part.turn(T, 10, &[("w", "g", 5, "h")]).await;
    assert_eq!((turned.claims.len(), turned.aside), (1, 1));
    assert_eq!(part.state().await.list("quarantine").len(), 1);
    let moved = part.key(&format!("aside:quarantine:{T}"));
    assert_eq!(test.text(&["GET", &moved]).await, "mine", "nothing is lost");
}

#[tokio::test]
async fn what_made_room_is_bounded_and_the_oldest_go() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let (key, list) = (part.key("fair"), part.key("asides"));
    let aside = || async { test.texts(&["KEYS", &part.key("aside:fair:*")]).await };
    let (mut moved, mut number) = (Vec::new(), 0);
    while moved.len() < 103 {
        number += 1;
        test.command(&["SET", &key, &number.to_string()]).await;
        let answer = part.answer("repair/key", &["fair", "hash"]).await;
        let name = answer[1].strip_prefix("moved to ").unwrap().to_owned();
        if moved.last() != Some(&name) {
            moved.push(name); // two of one millisecond have one name
        }
    }
    assert!(test.text(&["LLEN", &list]).await.parse::<u64>().unwrap() <= 100);
    let left = aside().await;
    assert!(left.len() <= 100, "{} are there", left.len());
    let first = part.key(&moved[0]);
    assert_eq!(test.text(&["EXISTS", &first]).await, "0", "the oldest went");
    assert!(left.contains(&part.key(&moved[102])), "the newest stays");
    let dropped = test
        .text(&["HGET", &part.key("stats"), "asides_dropped"])
        .await;
    assert!(dropped.parse::<u64>().unwrap() >= 3, "{dropped}");
    assert!(test.store.counters().await.unwrap().asides_dropped >= 3);
    // A list that somebody wrote to names nothing that is not aside, and is cut as well.
    let wheel = part.key("wheel");
    test.command(&["ZADD", &wheel, "5", "!reap"]).await;
    test.command(&["LPUSH", &list, "99999999999 wheel", "nonsense"])
        .await;
    assert_eq!(part.answer("repair/key", &["asides"]).await[0], "REPAIRED");
    assert_eq!(test.text(&["EXISTS", &wheel]).await, "1");
    assert_eq!(part.answer("repair/key", &["asides"]).await, ["CLEAN"]);
}

#[tokio::test]
async fn what_made_room_is_bounded_in_bytes_but_for_the_newest() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let fill = "redis.call('SET', KEYS[1], string.rep('x', 40000000))";
    for key in ["retry", "fair"] {
        let at = part.key(key);
        test.text(&["EVAL", fill, "1", &at]).await;
        let answer = part.answer("repair/key", &[key, "hash"]).await;
        assert!(answer[1].starts_with("moved to "), "{answer:?}");
    }
    let left = test.texts(&["KEYS", &part.key("aside:*")]).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].contains("aside:fair:"), "{left:?}");
}

/// What may stand behind the counts of a context, and names no queue.
const RESTS: [&str; 9] = [
    "g h 2 c=zz x",
    "g h 2 s=x,t=x,k=,c=zz,v=x x",
    "g h 2 c= x",
    "g h 2 c=0123456789a x",
    "g h 2 k=a:b x",
    "a:b h 2 - x",
    "g h:i 2 - x",
    "g !h\u{e9} 2 - x",
    "{x} h 2 - x",
];

#[tokio::test]
async fn what_no_queue_may_be_called_becomes_no_key() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let (wheel, queue) = (part.key("wheel"), part.key("queue:d/j"));
    part.put_job(
        "d/j",
        9 * T,
        &[("overlap", "queue"), ("overlap_limit", "99")],
    )
    .await;
    part.fire(T, "d/j", "m-0").await;
    part.turn(T, 10, &[("w", "g", 5, "h")]).await;
    for (n, rest) in RESTS.iter().enumerate() {
        let in_wheel = format!("3.999000.a-{n} 0:0 {rest}");
        test.command(&["ZADD", &wheel, "999000", &in_wheel]).await;
        let queued = format!("3.5.m-{n}@d/j 0:0 {rest}");
        test.command(&["ZADD", &queue, "5", &queued]).await;
        let held = format!("1:0 w {T} 5 0 - {rest}");
        let id = format!("3.5.h-{n}");
        test.command(&["HSET", &part.key("held"), &id, &held]).await;
    }
    part.put_job("d/bad", T, &[("tmpl", "g h 2 c=zz x")]).await;
    let turned = part.turn(T + 1, 100, &[]).await;
    assert_eq!(turned.aside, RESTS.len() as u64 + 1);
    let first = "3.1000000.m-0@d/j";
    assert_eq!(
        part.settle(T + 2, &[[first, "1", "succeeded", ""]]).await,
        "S"
    );
    part.reap(T + 5_000, &[]).await;
    let state = part.state().await;
    let ready: Vec<String> = (state.keys().into_iter())
        .filter(|key| key.starts_with("ready") || key.starts_with("tags"))
        .map(str::to_owned)
        .collect();
    assert_eq!(ready, [""; 0]);
    assert!(
        state.zset("backlog").is_empty(),
        "{:?}",
        state.zset("backlog")
    );
    assert_eq!(state.list("quarantine").len(), 3 * RESTS.len());
}

#[tokio::test]
async fn values_of_a_split_context_that_are_none_fail_no_call() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for field in [
        "wanted",
        "max_failed",
        "quorum",
        "state",
        "model",
        "placement",
        "end",
        "root",
        "by",
    ] {
        for value in ["x", "", "nan", "-1", "1e999"] {
            test.command(&["FLUSHDB"]).await;
            part.hold(ROOT, "1:0", "-").await;
            split(&part, &PAGE, &["a", "b", "c"]).await;
            assert_eq!(claims(&part, T, &[ALL]).await.len(), 3);
            let fan = part.key(&format!("fan:{ROOT}"));
            test.command(&["HSET", &fan, field, value]).await;
            let ids: Vec<String> = (0..3).map(|n| format!("{ROOT}~{n}")).collect();
            let settlements = [
                [ids[0].as_str(), "1", "succeeded", ""],
                [&ids[1], "1", "fatal", "0 0 no"],
                [ROOT, "1", "succeeded", ""],
                [&ids[2], "1", "failed", "0 0 no"],
            ];
            // By itself each, as one that fails would take the others along.
            for settlement in settlements {
                let verdict = part.settle(T, &[settlement]).await;
                assert!(
                    ["S", "R"].contains(&verdict.as_str()),
                    "{field}={value}: {verdict}"
                );
            }
            part.turn(T + 2, 100, &[ALL]).await;
            drop(part.cancel(T + 3, ROOT).await);
            part.reap(T + 9_000, &[]).await;
        }
    }
}

#[tokio::test]
async fn a_lease_of_no_worker_hides_no_other() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for (id, worker) in [("3.7.a-1", "!"), ("3.7.A:1", "w"), ("3.7.a-2", "w")] {
        let value = format!("1:0 {worker} 5 9 0 - g h 2 - body");
        test.command(&["HSET", &part.key("held"), id, &value]).await;
    }
    let reaped = test
        .store
        .reap(partition(3), &[], Duration::from_secs(2), 0);
    let lost = reaped.await.unwrap().lost;
    let lost: Vec<&str> = lost
        .iter()
        .map(|one| one.attempt.context.as_str())
        .collect();
    assert_eq!(lost, ["3.7.a-2"]);
}

#[tokio::test]
async fn an_edition_that_is_none_has_all_plans_looked_at() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let zones = part.key("zones");
    for text in ["x", "", " 2026f", "2026", "2026f 2026f x"] {
        test.command(&["SET", &zones, text]).await;
        let page = test.store.stale_plans(partition(3), None).await.unwrap();
        let known = text.is_empty() && matches!(page, StalePlans::None);
        let page = matches!(page, StalePlans::Page { after: None, .. });
        assert!(page || known, "{text}");
        let current = test.store.plans_are_current(partition(3)).await.unwrap();
        assert!(matches!(current, StalePlans::None), "{text}: {current:?}");
    }
}

#[tokio::test]
async fn counts_that_are_none_are_not_claimed() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(T, &[["+0", "a-1", "g h 2 - x", ""]]).await;
    for counts in ["100000000000000000000:0", "1:4294967296"] {
        for (key, score) in [("wheel", 5), ("ready:g:h", 5)] {
            let bad = format!("3.5.{key} {counts} g h 2 - x").replace(':', "-");
            let bad = bad.replace(&counts.replace(':', "-"), counts);
            test.command(&["ZADD", &part.key(key), &score.to_string(), &bad])
                .await;
        }
    }
    let turned = part.turn(T, 10, &[("w", "g", 50, "h")]).await;
    assert_eq!((turned.claims.len(), turned.aside), (1, 4));
}

#[tokio::test]
async fn of_a_submission_that_meets_a_wrong_type_nothing_stays_and_it_can_come_again() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let now = T.to_string();
    let due = format!("{}", T + 500);
    let call = |unique: &'static str| {
        let due = due.clone();
        let now = now.clone();
        async move {
            let (a, b, c) = (
                format!("a-{unique}"),
                format!("b-{unique}"),
                format!("c-{unique}"),
            );
            let args = [
                now.as_str(),
                "3",
                "+0",
                &a,
                "g h 2 - x",
                "60000 one",
                &due,
                &b,
                "g h 2 s=9 x",
                "60000 two",
                "+0",
                &c,
                "g i 2 k=acme x",
                "60000 three",
            ];
            is_accepted(part, &args).await
        }
    };
    for key in [
        "ready:g:h",
        "ready:g:i:k=",
        "fair",
        "backlog",
        "wheel",
        "dedup:three",
    ] {
        let wrong = part.key(key);
        if key.starts_with("dedup") {
            test.command(&["RPUSH", &wrong, "x"]).await;
        } else {
            test.command(&["SET", &wrong, "x"]).await;
        }
        assert!(!call("1").await, "{key}");
        test.command(&["DEL", &wrong]).await;
        let left: Vec<String> = (part.state().await.keys().into_iter())
            .filter(|key| *key != "placements" && !key.starts_with("tags"))
            .map(str::to_owned)
            .collect();
        assert_eq!(left, [""; 0], "{key}");
        assert!(call("2").await, "{key}");
        let turned = part.turn(T + 505, 10, &[("w", "g", 50, "h,i")]).await;
        assert_eq!(turned.claims.len(), 3, "{key}");
        test.command(&["FLUSHDB"]).await;
    }
}

/// Whether a submission was accepted.
async fn is_accepted(part: Part<'_>, args: &[&str]) -> bool {
    part.test.eval("wheel/submit", part.id, args).await.is_ok()
}

/// A report or a lease that cannot be written, as a key has another type than it should, takes no context out of what runs.
#[tokio::test]
async fn what_cannot_be_written_of_an_end_leaves_the_attempt_held() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let now = T.to_string();
    let settle = |outcome: &'static str, payload: &'static str| {
        let now = now.clone();
        async move {
            let args = [&now, "w", "0", "1", "3.7.a-1", "1 1", outcome, payload];
            part.test.eval("lease/settle", part.id, &args).await
        }
    };
    let ends = [
        ("events", "succeeded", ""),
        ("events", "fatal", "0 0 no"),
        ("dead", "fatal", "0 0 no"),
        ("traces", "fatal", "0 0 no"),
        ("wheel", "failed", "999999 0 no"),
        ("retry", "failed", "999999 0 no"),
        ("attempted", "failed", "0 0 no"),
    ];
    let limited = format!("1:0 w {T} {} 0g - g h 2 - body", T + 2_000);
    for (key, outcome, payload) in ends {
        test.command(&["FLUSHALL"]).await;
        test.command(&["HSET", &part.key("held"), "3.7.a-1", &limited])
            .await;
        test.command(&["HSET", &part.key("limit_shares"), "g", "1 1 0 5 w"])
            .await;
        test.command(&["SET", &part.key(key), "x"]).await;
        assert!(settle(outcome, payload).await.is_err(), "{key}");
        let held = test.texts(&["HKEYS", &part.key("held")]).await;
        assert_eq!(held, ["3.7.a-1"], "{key} of a wrong type, {outcome}");
        let left = test
            .texts(&["LRANGE", &part.key("limit_released"), "0", "-1"])
            .await;
        assert!(left.is_empty(), "{key}: it left its limit, and will again");
        test.command(&["DEL", &part.key(key)]).await;
        assert!(settle(outcome, payload).await.is_ok(), "{key}");
        let left = test
            .texts(&["LRANGE", &part.key("limit_released"), "0", "-1"])
            .await;
        assert_eq!(left.len(), 1, "{key}: {left:?}");
        assert!(test.texts(&["HKEYS", &part.key("held")]).await.is_empty());
    }
    let later = (T + 9_000).to_string();
    for (script, args) in [
        ("lease/release", vec![&*now, "w", "1", "3.7.a-1", "1 1"]),
        (
            "lease/reap",
            vec![&*later, "0", "100", "", "0", "2000", "0"],
        ),
    ] {
        test.command(&["FLUSHALL"]).await;
        part.hold("3.7.a-1", "1:0", "-").await;
        test.command(&["SET", &part.key("backlog"), "x"]).await;
        let failed = test.eval(script, part.id, &args).await;
        assert!(failed.is_err(), "{script}: {failed:?}");
        let held = test.texts(&["HKEYS", &part.key("held")]).await;
        assert_eq!(held, ["3.7.a-1"], "{script}");
    }
}
