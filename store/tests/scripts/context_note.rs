//! context/note: what a running attempt says about itself, and only the running one.

use crate::harness::{Harness, alone, fresh, partition};
use tickwheel_core::id::{ContextId, WorkerId};
use tickwheel_store::context::{Noted, Progress};
use tickwheel_store::lease::{AttemptRef, Holding};

async fn hold(test: &Harness, attempt: u32) -> ContextId {
    let held = format!("{attempt}:0 w-12345678 1 2 0 - default work 2 - body");
    test.command(&["HSET", &test.key(partition(1), "held"), "1.7.a-1", &held])
        .await;
    "1.7.a-1".parse().unwrap()
}

/// What the worker that holds the context says of an attempt.
fn by(context: &ContextId, attempt: u32) -> Holding {
    Holding {
        attempt: AttemptRef {
            context: context.clone(),
            attempt: attempt.into(),
        },
        worker: WorkerId::new("w-12345678").unwrap(),
    }
}

fn progress(percent: u8, message: &str) -> Progress {
    Progress {
        percent,
        message: message.to_owned(),
    }
}

#[tokio::test]
async fn the_running_attempt_writes_its_log_and_progress() {
    let Some(test) = fresh().await else { return };
    let id = hold(&test, 2).await;
    let two = by(&id, 2);
    let lines = ["one".to_owned(), "two".to_owned()];
    assert_eq!(
        test.store
            .note(&two, &lines, Some(&progress(40, "half")))
            .await
            .unwrap(),
        Noted::Written
    );
    assert_eq!(
        test.store
            .note(&two, &["three".to_owned()], None)
            .await
            .unwrap(),
        Noted::Written
    );
    assert_eq!(
        test.store
            .note(&two, &[], Some(&progress(50, "")))
            .await
            .unwrap(),
        Noted::Written
    );
    let view = test.store.get_context(&id).await.unwrap().unwrap();
    assert_eq!(
        (view.log.join(" "), view.progress),
        ("one two three".to_owned(), Some((50, String::new())))
    );
    let (log, progress) = (
        test.key(partition(1), "log:1.7.a-1"),
        test.key(partition(1), "progress:1.7.a-1"),
    );
    let day: u64 = test.text(&["PTTL", &log]).await.parse().unwrap();
    let hour: u64 = test.text(&["PTTL", &progress]).await.parse().unwrap();
    assert!(
        (86_000_000..=86_400_000).contains(&day) && (3_500_000..=3_600_000).contains(&hour),
        "{day} {hour}"
    );
}

#[tokio::test]
async fn another_attempt_writes_nothing_but_is_counted() {
    let Some(test) = fresh().await else { return };
    let id = hold(&test, 2).await;
    for attempt in [1, 3] {
        let noted = test
            .store
            .note(
                &by(&id, attempt),
                &["late".to_owned()],
                Some(&progress(1, "")),
            )
            .await
            .unwrap();
        assert_eq!(noted, Noted::Stale);
    }
    let other = "1.7.a-2".parse().unwrap();
    assert_eq!(
        test.store
            .note(&by(&other, 2), &["late".to_owned()], None)
            .await
            .unwrap(),
        Noted::Stale
    );
    assert_eq!(
        test.texts(&["HGETALL", &test.key(partition(1), "stats")])
            .await,
        ["stale", "3"]
    );
    assert!(
        test.keys()
            .await
            .iter()
            .all(|key| !key.contains(":log:") && !key.contains(":progress:"))
    );
}

#[tokio::test]
async fn a_flood_of_log_keeps_to_its_bounds() {
    let Some(test) = fresh().await else { return };
    let id = hold(&test, 1).await;
    let flood: Vec<String> = (0..1_500)
        .map(|number| format!("{number} {}", "ä".repeat(5_000)))
        .collect();
    for _ in 0..2 {
        let _ = test
            .store
            .note(
                &by(&id, 1),
                &flood,
                Some(&progress(200, &"ö".repeat(2_000))),
            )
            .await
            .unwrap();
    }
    let view = test.store.get_context(&id).await.unwrap().unwrap();
    assert_eq!(
        (view.log.len(), view.log.iter().map(String::len).max()),
        (1_000, Some(4_096))
    );
    assert!(view.log[0].starts_with("500 ") && view.log[999].starts_with("1499 "));
    let (percent, message) = view.progress.unwrap();
    assert_eq!((percent, message.len()), (100, 1_024));
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    hold(&test, 2).await;
    let (long, line) = ("x".repeat(1_025), "x".repeat(4_097));
    let args = ["1.7.a-1", "2 w-12345678", "10", "half", "line"];
    let changes = [
        (1, "", "id"),
        (2, "2", "holder"),
        (3, "101", "percent"),
        (4, long.as_str(), "message"),
        (5, line.as_str(), "lines"),
        (1_005, "", "lines"),
    ];
    test.assert_refused("context/note", partition(1), &args, &changes)
        .await;
    assert_eq!(
        test.eval("context/note", partition(1), &args)
            .await
            .unwrap(),
        ["WRITTEN"]
    );
    assert_eq!(
        test.eval("context/note", partition(1), &args)
            .await
            .unwrap(),
        ["WRITTEN"]
    );
    assert_eq!(
        test.text(&["LLEN", &test.key(partition(1), "log:1.7.a-1")])
            .await,
        "2"
    );
}

#[tokio::test]
async fn it_costs_the_same_however_long_the_log_is() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    test.command(&[
        "HSET",
        &test.key(partition(0), "held"),
        "0.7.a-1",
        "1:0 w-12345678 1 2 0 - default work 2 - body",
    ])
    .await;
    for lines in [1, 10, 1_000] {
        let mut args = vec!["0.7.a-1", "1 w-12345678", "10", "half"];
        args.resize(4 + lines, "line");
        let cost = test.cost("context/note", partition(0), &args).await;
        assert!(cost <= 5, "{cost} commands for {lines} lines");
    }
}
