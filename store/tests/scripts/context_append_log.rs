//! context/append_log: what a running attempt says about itself, and only the running one.

use crate::harness::{Harness, alone, fresh, note, partition};
use tickwheel_core::id::{ContextId, WorkerId};
use tickwheel_core::log::LogLevel;
use tickwheel_store::context::{Appended, AttemptLog, Line, Progress};
use tickwheel_store::lease::{AttemptRef, Holding};

const WRITTEN: Appended = Appended::Written { dropped: 0 };

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

async fn say(test: &Harness, id: &ContextId, attempt: u32, said: &AttemptLog) -> Appended {
    test.store.append_log(&by(id, attempt), said).await.unwrap()
}

#[tokio::test]
async fn the_running_attempt_writes_its_log_and_progress() {
    let Some(test) = fresh().await else { return };
    let id = hold(&test, 2).await;
    let first = note(&["one", "two"], Some(progress(40, "half")));
    assert_eq!(say(&test, &id, 2, &first).await, WRITTEN);
    assert_eq!(say(&test, &id, 2, &note(&["three"], None)).await, WRITTEN);
    let last = note(&[], Some(progress(50, "")));
    assert_eq!(say(&test, &id, 2, &last).await, WRITTEN);
    let view = test.store.get_context(&id).await.unwrap().unwrap();
    let lines: Vec<&str> = view.log.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(
        (lines, view.progress),
        (vec!["one", "two", "three"], Some((50, String::new())))
    );
    let (log, progress) = (
        test.key(partition(1), "log:1.7.a-1"),
        test.key(partition(1), "progress:1.7.a-1"),
    );
    for key in [log, progress] {
        let left: u64 = test.text(&["PTTL", &key]).await.parse().unwrap();
        assert!((86_000_000..=86_400_000).contains(&left), "{key}: {left}");
    }
}

#[tokio::test]
async fn a_line_keeps_its_time_its_attempt_and_its_level() {
    let Some(test) = fresh().await else { return };
    let id = hold(&test, 1).await;
    let line = |level, age_ms, text: &str| Line {
        level,
        age_ms,
        text: text.to_owned(),
    };
    let said = AttemptLog {
        lines: vec![
            line(LogLevel::Debug, 5_000, "early"),
            line(LogLevel::Error, 0, "late"),
        ],
        lost: 7,
        progress: None,
    };
    assert_eq!(say(&test, &id, 1, &said).await, WRITTEN);
    hold(&test, 2).await;
    assert_eq!(say(&test, &id, 2, &note(&["again"], None)).await, WRITTEN);
    let now = test.store.time().await.unwrap().as_u64();
    let page = test.store.log(&id, "").await.unwrap();
    let seen: Vec<(u32, LogLevel, &str)> = page
        .lines
        .iter()
        .map(|line| (line.attempt.as_u32(), line.level, line.text.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (0, LogLevel::Warn, "[7 log lines dropped]"),
            (1, LogLevel::Debug, "early"),
            (1, LogLevel::Error, "late"),
            (2, LogLevel::Info, "again")
        ]
    );
    let ages: Vec<u64> = page
        .lines
        .iter()
        .map(|line| now - line.at.as_u64())
        .collect();
    assert!(
        (5_000..15_000).contains(&ages[1]) && ages[2] < 10_000,
        "{ages:?}"
    );
    // The cursor goes on where the page ended.
    let rest = test.store.log(&id, &page.cursor).await.unwrap();
    assert_eq!((rest.lines.len(), &rest.cursor), (0, &page.cursor));
    assert_eq!(say(&test, &id, 2, &note(&["more"], None)).await, WRITTEN);
    let rest = test.store.log(&id, &page.cursor).await.unwrap();
    assert_eq!(rest.lines[0].text, "more");
    assert!(test.store.log(&id, "x").await.is_err());
}

#[tokio::test]
async fn another_attempt_writes_nothing_but_is_counted() {
    let Some(test) = fresh().await else { return };
    let id = hold(&test, 2).await;
    let late = note(&["late"], Some(progress(1, "")));
    for attempt in [1, 3] {
        assert_eq!(say(&test, &id, attempt, &late).await, Appended::Stale);
    }
    let other = "1.7.a-2".parse().unwrap();
    assert_eq!(say(&test, &other, 2, &late).await, Appended::Stale);
    assert_eq!(
        test.texts(&["HGETALL", &test.key(partition(1), "stats")])
            .await,
        ["stale", "3"]
    );
    let traces = [":log:", ":progress:", ":traces", ":traced:", ":spaces:"];
    assert!(
        test.keys()
            .await
            .iter()
            .all(|key| traces.iter().all(|name| !key.contains(name)))
    );
}

#[tokio::test]
async fn a_flood_of_log_keeps_its_newest_lines_and_counts_the_others() {
    let Some(test) = fresh().await else { return };
    let id = hold(&test, 1).await;
    let mut flood = note(&[], Some(progress(200, &"ö".repeat(2_000))));
    flood.lines = (0..1_500)
        .map(|number| Line {
            text: format!("{number} {}", "ä".repeat(5_000)),
            ..Line::default()
        })
        .collect();
    // A call keeps 1 MiB: 256 lines of 4 KiB.
    for _ in 0..2 {
        assert_eq!(say(&test, &id, 1, &flood).await, WRITTEN);
    }
    let page = test.store.log(&id, "").await.unwrap();
    let kept: Vec<&str> = page.lines.iter().map(|line| &line.text[..5]).collect();
    assert_eq!((kept.len(), kept[2], kept[257]), (258, "1244 ", "1499 "));
    // All of the first call, and what the second one lost before it began.
    assert_eq!(page.lost, 1_500);
    assert_eq!(page.lines[0].text, "[1500 earlier log lines dropped]");
    assert_eq!(page.lines[1].text, "[1244 log lines dropped]");
    let view = test.store.get_context(&id).await.unwrap().unwrap();
    let (percent, message) = view.progress.unwrap();
    assert_eq!((percent, message.len()), (100, 1_024));
    let log = test.key(partition(1), "log:1.7.a-1");
    assert_eq!(test.text(&["LLEN", &log]).await, "1");
}

#[tokio::test]
async fn a_long_log_lets_its_oldest_lines_go_and_says_how_many() {
    let Some(test) = fresh().await else { return };
    let id = hold(&test, 1).await;
    let body = "x".repeat(4_000);
    for number in 0..400 {
        let line = format!("{number} {body}");
        assert_eq!(say(&test, &id, 1, &note(&[&line], None)).await, WRITTEN);
    }
    let mut lines = Vec::new();
    let (mut cursor, mut lost) = (String::new(), 0);
    loop {
        let page = test.store.log(&id, &cursor).await.unwrap();
        if page.lines.is_empty() {
            break;
        }
        lines.extend(page.lines);
        (cursor, lost) = (page.cursor, page.lost);
    }
    let kept = lines.len() - 1;
    assert_eq!(lost, 400 - u64::try_from(kept).unwrap());
    assert!((190..=260).contains(&kept), "{kept}");
    assert_eq!(lines[0].text, format!("[{lost} earlier log lines dropped]"));
    assert!(lines[1].text.starts_with(&format!("{lost} ")));
    assert!(lines[kept].text.starts_with("399 "));
    // What is shown at once is the end of it.
    let view = test.store.get_context(&id).await.unwrap().unwrap();
    assert!(view.log_cut && view.log.len() < 50);
    assert!(view.log.last().unwrap().text.starts_with("399 "));
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    hold(&test, 2).await;
    let (long, line) = ("x".repeat(1_025), "x".repeat(4_097));
    let args = ["1.7.a-1", "2 w-12345678", "10", "half", "0", "i0", "line"];
    let changes = [
        (1, "", "id"),
        (2, "2", "holder"),
        (3, "101", "percent"),
        (4, long.as_str(), "message"),
        (5, "-1", "lost"),
        (6, "x1", "mark"),
        (6, "i1234567890", "mark"),
        (7, line.as_str(), "lines"),
        (8, "i0", "lines"),
        (2_007, "", "lines"),
    ];
    test.assert_refused("context/append_log", partition(1), &args, &changes)
        .await;
    for _ in 0..2 {
        assert_eq!(
            test.eval("context/append_log", partition(1), &args)
                .await
                .unwrap(),
            ["WRITTEN", "1"]
        );
    }
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
    for (index, lines) in [1, 10, 1_000].into_iter().enumerate() {
        let mut args = vec!["0.7.a-1", "1 w-12345678", "", "", "0"];
        args.extend((0..lines).flat_map(|_| ["i0", "line"]));
        let cost = test.cost("context/append_log", partition(0), &args).await;
        // Each 4 KiB of a namespace move it in the order of those that keep most.
        let most = [10, 5, 6][index];
        assert!(cost <= most, "{cost} commands for {lines} lines");
        let args = ["0.7.a-1", "1 w-12345678", "10", "half", "0"];
        let cost = test.cost("context/append_log", partition(0), &args).await;
        assert!(cost <= 6, "{cost} commands for progress");
    }
}
