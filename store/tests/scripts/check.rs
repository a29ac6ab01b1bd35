//! Every kind of damage is named, repaired by its script, and gone afterwards; a good partition is called good.

use crate::damage::cases::{Case, of_contexts, of_jobs};
use crate::damage::good;
use crate::damage::good::{FAST, Good, command, good, kinds};
use crate::damage::values::of_values;
use crate::harness::{Harness, alone, alone_many, partition};
use tickwheel_store::check::{History, Kind};
use tickwheel_store::repair::Repaired;

async fn fresh_good(test: &Harness) -> Good {
    test.command(&["FLUSHALL"]).await;
    let good = good(test).await;
    let checked = test.store.check(FAST).await.unwrap();
    assert!(
        checked.is_clean(),
        "a good partition is called broken: {:#?}",
        checked.findings
    );
    good
}

/// Damages, checks, repairs, checks again, and has every script called once more in vain.
async fn run(test: &Harness, case: &Case) {
    for text in &case.damage {
        command(test, text).await;
    }
    let what = &case.damage;
    let before = test.dump().await;
    let checked = test.store.check(FAST).await.unwrap();
    assert!(
        kinds(&checked).contains(&case.kind),
        "{what:?} is no {}: {:#?}",
        case.kind,
        checked.findings
    );
    assert_eq!(test.dump().await, before, "a check writes nothing");
    let repairs = test.store.repair(FAST).await.unwrap();
    let named: Vec<_> = repairs
        .repairs
        .iter()
        .filter(|repair| repair.finding.kind == case.kind)
        .collect();
    assert!(!named.is_empty(), "{what:?}: {repairs:#?}");
    if let Some(undo) = &case.undo {
        assert!(
            named.iter().all(|repair| repair.outcome == Repaired::Left),
            "{what:?}: {named:#?}"
        );
        command(test, undo).await;
    } else {
        assert!(
            repairs.after.is_clean(),
            "{what:?} is not repaired: {:#?}",
            repairs.after.findings
        );
        assert!(
            named
                .iter()
                .any(|repair| matches!(repair.outcome, Repaired::Done(_))),
            "{what:?}: {named:#?}"
        );
    }
    let after = test.store.check(FAST).await.unwrap();
    assert!(after.is_clean(), "{what:?}: {:#?}", after.findings);
    let healed = test.dump().await;
    for repair in &repairs.repairs {
        let again = test.store.repair_one(&repair.finding).await.unwrap();
        assert!(
            matches!(again, Repaired::Clean | Repaired::Left),
            "{what:?}: {:?} does {again:?} again",
            repair.finding
        );
    }
    assert_eq!(test.dump().await, healed, "{what:?}");
}

#[tokio::test]
async fn damage_to_contexts_is_named_and_repaired() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    for index in 0..of_contexts(&fresh_good(&test).await).len() {
        let good = fresh_good(&test).await;
        Box::pin(run(&test, &of_contexts(&good)[index])).await;
    }
}

#[tokio::test]
async fn values_that_nobody_writes_are_named_and_repaired() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    for index in 0..of_values(&fresh_good(&test).await).len() {
        let good = fresh_good(&test).await;
        Box::pin(run(&test, &of_values(&good)[index])).await;
    }
}

#[tokio::test]
async fn damage_to_jobs_and_keys_is_named_and_repaired() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    for index in 0..of_jobs(&fresh_good(&test).await).len() {
        let good = fresh_good(&test).await;
        Box::pin(run(&test, &of_jobs(&good)[index])).await;
    }
}

#[tokio::test]
async fn one_damage_is_not_called_by_another_name() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    fresh_good(&test).await;
    good::fire(&test, "a/follower", "m-9").await;
    command(&test, "ZREM|B:backlog|default work").await;
    let checked = test.store.check(FAST).await.unwrap();
    assert_eq!(kinds(&checked), [Kind::Backlog], "{:#?}", checked.findings);
}

#[test]
fn the_page_for_operators_has_every_kind_with_its_meaning() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    for kind in Kind::ALL {
        let by = kind
            .repair()
            .map_or("a person".to_owned(), |script| format!("`{script}`"));
        let row = format!(
            "| `{kind}` | {} | {} | {by} |",
            kind.invariant(),
            kind.sentence()
        );
        assert!(page.contains(&row), "docs/operations.md lacks: {row}");
    }
}

#[tokio::test]
async fn every_kind_of_damage_has_a_case() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let good = fresh_good(&test).await;
    let tried: Vec<Kind> = of_contexts(&good)
        .iter()
        .chain(&of_jobs(&good))
        .map(|case| case.kind)
        .collect();
    let missing: Vec<&Kind> = Kind::ALL
        .iter()
        .filter(|kind| !tried.contains(kind))
        .collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[tokio::test]
async fn a_call_costs_little_however_much_there_is() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let contexts: Vec<String> = (1..=32)
        .flat_map(|i| {
            let id = format!("0.9000000000000.a-{i}");
            let head = format!("{id} 0:0 g h 2 - ");
            [id, "wheel".to_owned(), "9000000000000".to_owned(), head]
        })
        .collect();
    let mut args = vec!["", "0", "32"];
    args.extend(contexts.iter().map(String::as_str));
    for size in [100_u32, 1_000, 100_000] {
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], 9e12, '0.9000000000000.a-' .. i .. ' 0:0 g h 2 - x') end"
        );
        test.text(&["EVAL", &fill, "1", &test.key(partition(0), "wheel")])
            .await;
        let cost = test.cost("check/contexts", partition(0), &args).await;
        assert!(
            cost <= 5 + 32 * 32,
            "{cost} commands with {size} of one due time"
        );
        let page = ["", "wheel", "0", "100"];
        assert_eq!(test.cost("check/page", partition(0), &page).await, 2);
    }
    let checked = test.store.check(FAST).await.unwrap();
    assert!(checked.is_clean(), "{:#?}", checked.findings);
    assert!(checked.entries >= 100_000, "{checked:?}");
}

#[tokio::test]
async fn of_the_history_a_sample_is_looked_at_unless_all_is_asked_for() {
    let Some((test, _server)) = alone_many(4).await else {
        return;
    };
    let events = test.key(partition(0), "events");
    for n in 1..=200 {
        let entry = format!("{n}-1");
        test.command(&["XADD", &events, &entry, "s", "no record"])
            .await;
    }
    for n in 1..=12 {
        let entry = format!("{}-1", 1_000 + n);
        let record = format!("0.5.e-{n}\tsucceeded\t1\tw-1\t5\t6\t\tg\th\t0");
        test.command(&["XADD", &events, &entry, "s", &record]).await;
    }
    for n in 0..1_500 {
        let log = test.key(partition(1), &format!("log:1.5.a-{n}"));
        test.command(&["SET", &log, "x", "PX", "3600000"]).await;
    }
    let mut told = Vec::new();
    let sample = test
        .store
        .check_watched(FAST, History::Sample, |progress| told.push(progress.done))
        .await
        .unwrap();
    assert_eq!(kinds(&sample), [Kind::WrongType], "of the keys");
    assert_eq!(sample.findings.len() as u64 + sample.more, 500);
    assert_eq!(told, [1, 2, 3, 4]);
    let all = test.store.check(FAST).await.unwrap();
    assert_eq!(kinds(&all), [Kind::Malformed, Kind::WrongType]);
    assert!(
        all.calls > sample.calls + 190,
        "{} {}",
        all.calls,
        sample.calls
    );
    // What ended last is in the sample.
    test.command(&["XADD", &events, "*", "s", "no record"])
        .await;
    let sample = test
        .store
        .check_watched(FAST, History::Sample, |_| {})
        .await;
    assert_eq!(kinds(&sample.unwrap()), [Kind::Malformed, Kind::WrongType]);
}

/// Contexts end, and due times move, faster than a check looks at them.
#[tokio::test]
async fn no_check_is_outrun_by_what_is_written_meanwhile() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let wheel = test.key(partition(0), "wheel");
    // Each call ends a hundred contexts, and moves a hundred due times behind all others.
    let write = "local base = string.sub(KEYS[1], 1, -6) \
        local n = redis.call('INCR', base .. 'dedup:n') \
        redis.call('PEXPIRE', base .. 'dedup:n', 3600000) \
        for i = 1, 20 do \
          redis.call('XADD', base .. 'events', '*', 's', '0.5.e-' .. n .. '\\tsucceeded\\t1\\tw-1\\t5\\t6\\t\\tg\\th\\t0') \
          local head = '.a-' .. i .. ' 0:0 g h 2 - x' \
          redis.call('ZREM', KEYS[1], '0.' .. (9000000000000 + n - 1) .. head) \
          redis.call('ZADD', KEYS[1], 9000000000000 + n, '0.' .. (9000000000000 + n) .. head) \
        end return n";
    for _ in 0..10 {
        test.text(&["EVAL", write, "1", &wheel]).await;
    }
    let done = std::sync::atomic::AtomicBool::new(false);
    let writes = async {
        let mut written = 0_u64;
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            test.text(&["EVAL", write, "1", &wheel]).await;
            written += 1;
        }
        written
    };
    let check = async {
        let mut calls = Vec::new();
        for history in [History::Sample, History::All] {
            let walk = test.store.check_watched(FAST, history, |_| {});
            let checked = tokio::time::timeout(std::time::Duration::from_secs(60), walk).await;
            let checked = checked.expect("the check is outrun").unwrap();
            assert!(checked.is_clean(), "{:#?}", checked.findings);
            calls.push(checked.calls);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        calls
    };
    let (written, calls) = tokio::join!(writes, check);
    println!("{written} writes, calls {calls:?}");
    assert!(written > 100, "{written} writes beside it");
    // A sample: keys, eight entries with their contexts, the wheel, and one for each of the others.
    assert!(calls[0] < 60, "{calls:?}");
    // Each entry that there was at its start, and its contexts.
    let most = 60 + 2 * (200 + 20 * written);
    assert!(calls[1] < most, "{calls:?} with {written} writes");
}
