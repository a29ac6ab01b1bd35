//! What contexts leave behind stays within its budgets, and goes with the records of their ends.

use std::time::Duration;

use crate::harness::{Harness, fresh, job, note, partition};
use tickwheel_core::id::{ContextId, WorkerId};
use tickwheel_core::job::Trigger;
use tickwheel_store::Error;
use tickwheel_store::context::Appended;
use tickwheel_store::history::{Budget, Sizes};
use tickwheel_store::job::Plan;
use tickwheel_store::lease::{AttemptRef, Holding};

const KEPT: Duration = Duration::from_secs(3_600);

fn budget(logs: u64) -> Budget {
    Budget {
        logs,
        results: 65_536,
        dead: 262_144,
        keep: KEPT,
    }
}

async fn hold(test: &Harness, id: &str) -> ContextId {
    let held = "1:0 w-12345678 1 2 0 - default work 2 r=1 body";
    let id: ContextId = id.parse().unwrap();
    let key = test.key(id.partition(), "held");
    test.command(&["HSET", &key, id.as_str(), held]).await;
    id
}

async fn say(test: &Harness, id: &ContextId, bytes: usize) -> Appended {
    let line = "x".repeat(bytes);
    let said = note(&[&line], None);
    let holding = Holding {
        attempt: AttemptRef {
            context: id.clone(),
            attempt: 1.into(),
        },
        worker: WorkerId::new("w-12345678").unwrap(),
    };
    let noted = test.store.append_log(&holding, &said).await;
    noted.unwrap()
}

/// Ends it: `outcome` and payload as lease/settle takes them.
async fn end(test: &Harness, id: &ContextId, how: (&str, &str)) {
    let worker = "w-12345678";
    let args = ["", worker, "0", "1", id.as_str(), "1 1", how.0, how.1];
    let settled = test.eval("lease/settle", id.partition(), &args).await;
    assert_eq!(settled.unwrap()[2], "S");
}

async fn sizes(test: &Harness, p: u16, budget: Budget) -> Sizes {
    test.store.tend(partition(p), budget).await.unwrap()
}

async fn names(test: &Harness, kind: &str) -> Vec<String> {
    let mark = format!(":{kind}:");
    let mut names = test.keys().await;
    names.retain(|key| key.contains(&mark));
    names
}

async fn stat(test: &Harness, p: u16, field: &str) -> u64 {
    let text = test
        .text(&["HGET", &test.key(partition(p), "stats"), field])
        .await;
    text.parse().unwrap_or(0)
}

#[tokio::test]
async fn logs_keep_to_their_budget_and_the_oldest_go() {
    let Some(test) = fresh().await else { return };
    sizes(&test, 1, budget(200_000)).await;
    for number in 0..600 {
        let id = hold(&test, &format!("1.7.a-{number}")).await;
        assert_eq!(
            say(&test, &id, 1_000).await,
            Appended::Written { dropped: 0 }
        );
        end(&test, &id, ("succeeded", "")).await;
    }
    let left = names(&test, "log").await;
    let taken = sizes(&test, 1, budget(200_000)).await.logs;
    assert!(taken <= 200_000 && taken > 150_000, "{taken}");
    let dropped = stat(&test, 1, "logs_dropped").await;
    assert_eq!(left.len() as u64 + dropped, 600);
    // What is counted is about what Redis takes.
    let mut bytes: u64 = 0;
    for key in &left {
        bytes += test
            .text(&["MEMORY", "USAGE", key])
            .await
            .parse::<u64>()
            .unwrap();
    }
    assert!(bytes < taken * 5 / 4, "{bytes} bytes, counted {taken}");
    assert!(left.iter().any(|key| key.ends_with("a-599")));
    assert!(!left.iter().any(|key| key.ends_with("a-0")));
    // A smaller budget holds at once.
    let taken = sizes(&test, 1, budget(65_536)).await.logs;
    assert!(taken <= 65_536, "{taken}");
    assert!(names(&test, "log").await.len() < 60);
}

#[tokio::test]
async fn who_writes_much_makes_room_for_the_others() {
    // Of jobs, and of what was submitted alone into a namespace.
    for [quiet, loud] in [["@quiet/job", "@loud/job"], ["@quiet/", "@loud/"]] {
        let Some(test) = fresh().await else { return };
        sizes(&test, 1, budget(100_000)).await;
        for number in 0..5 {
            let id = hold(&test, &format!("1.7.a-{number}{quiet}")).await;
            let _ = say(&test, &id, 1_000).await;
        }
        for number in 0..300 {
            let id = hold(&test, &format!("1.8.a-{number}{loud}")).await;
            let _ = say(&test, &id, 1_000).await;
        }
        let left = names(&test, "log").await;
        let of_quiet = left.iter().filter(|key| key.ends_with(quiet)).count();
        assert_eq!(of_quiet, 5, "{left:?}");
        assert!(left.len() < 300, "{} logs are left", left.len());
    }
}

#[tokio::test]
async fn one_that_fills_the_budget_alone_is_refused_and_told() {
    let Some(test) = fresh().await else { return };
    sizes(&test, 1, budget(65_536)).await;
    let id = hold(&test, "1.7.a-1").await;
    let mut kept = 0;
    for _ in 0..100 {
        match say(&test, &id, 4_000).await {
            Appended::Written { dropped: 0 } => kept += 1,
            Appended::Written { .. } => {}
            Appended::Stale | Appended::Foreign => panic!("it runs"),
        }
    }
    assert!((10..=16).contains(&kept), "{kept}");
    assert!(sizes(&test, 1, budget(65_536)).await.logs <= 65_536);
}

/// Jobs of which many runs end, each with log, progress and a result: what is kept of them is bounded by the runs that are kept.
#[tokio::test]
async fn what_runs_left_goes_with_their_records() {
    let Some(test) = fresh().await else { return };
    let mut spec = job("d/chatty", Trigger::Manual);
    spec.runs_limit = 10;
    drop(test.store.apply_job(&spec, &Plan::default()).await.unwrap());
    let p = test.store.partition_of_job(&spec.name).as_u16();
    let mut most = (0, 0);
    for number in 0..300 {
        let id = hold(&test, &format!("{p}.7.a-{number}@d/chatty")).await;
        let _ = say(&test, &id, 100).await;
        end(&test, &id, ("succeeded", "done")).await;
        if number % 50 == 49 {
            let taken = sizes(&test, p, budget(10_000_000)).await;
            most = (most.0.max(taken.logs), most.1.max(taken.results));
        }
    }
    let (logs, results) = (names(&test, "log").await, names(&test, "result").await);
    assert!(
        logs.len() <= 26 && results.len() <= 26,
        "{} {}",
        logs.len(),
        results.len()
    );
    assert!(logs.iter().any(|key| key.contains("a-299@")));
    assert!(most.0 <= 26 * 800 && most.1 <= 26 * 800, "{most:?}");
    assert_eq!(stat(&test, p, "logs_dropped").await, 0);
    let index = test.key(partition(p), "traced:l:d");
    assert_eq!(test.text(&["ZCARD", &index]).await, logs.len().to_string());
    // And all of it goes with the job.
    let _ = test.store.delete_job(&spec.name).await.unwrap();
    assert_eq!(names(&test, "log").await.len(), 0);
    assert_eq!(names(&test, "result").await.len(), 0);
    let taken = sizes(&test, p, budget(10_000_000)).await;
    assert_eq!((taken.logs, taken.results), (0, 0));
}

#[tokio::test]
async fn the_dead_keep_their_logs_until_they_are_forgotten() {
    let Some(test) = fresh().await else { return };
    let mut spec = job("d/weak", Trigger::Manual);
    spec.runs_limit = 1;
    drop(test.store.apply_job(&spec, &Plan::default()).await.unwrap());
    let p = test.store.partition_of_job(&spec.name).as_u16();
    let mut ids = Vec::new();
    for number in 0..40 {
        let id = hold(&test, &format!("{p}.7.a-{number}@d/weak")).await;
        let _ = say(&test, &id, 100).await;
        end(&test, &id, ("failed", "0 0 no")).await;
        ids.push(id);
    }
    assert_eq!(names(&test, "log").await.len(), 40);
    let before = sizes(&test, p, budget(10_000_000)).await;
    assert!(
        before.dead > 40 * 100 && before.dead < 40 * 400,
        "{before:?}"
    );
    let filter = tickwheel_store::dead::DeadFilter::default();
    let action = tickwheel_store::dead::DeadAction::Purge;
    let mut cursor = String::new();
    loop {
        let step = test
            .store
            .dead_step(action, &filter, &cursor, false)
            .await
            .unwrap();
        if step.next.is_empty() {
            break;
        }
        cursor = step.next;
    }
    let after = sizes(&test, p, budget(10_000_000)).await;
    assert_eq!((after.dead, after.logs), (0, 0));
    assert_eq!(names(&test, "log").await.len(), 0);
}

#[tokio::test]
async fn the_dead_and_results_keep_to_their_budgets() {
    let Some(test) = fresh().await else { return };
    sizes(&test, 1, budget(65_536)).await;
    let (message, result) = (format!("0 0 {}", "y".repeat(1_000)), "r".repeat(1_000));
    for number in 0..400 {
        let id = hold(&test, &format!("1.7.a-{number}")).await;
        end(&test, &id, ("failed", &message)).await;
        let id = hold(&test, &format!("1.7.b-{number}")).await;
        end(&test, &id, ("succeeded", &result)).await;
    }
    let taken = sizes(&test, 1, budget(65_536)).await;
    assert!(
        taken.dead <= 262_144 && taken.results <= 65_536,
        "{taken:?}"
    );
    let kept: u64 = test
        .text(&["ZCARD", &test.key(partition(1), "dead")])
        .await
        .parse()
        .unwrap();
    assert_eq!(kept + stat(&test, 1, "dead_dropped").await, 400);
    assert!(kept > 150);
    let results = names(&test, "result").await;
    assert_eq!(
        results.len() as u64 + stat(&test, 1, "results_dropped").await,
        400
    );
    assert!(results.iter().any(|key| key.ends_with("b-399")));
}

#[tokio::test]
async fn a_great_body_does_not_stay_with_the_dead() {
    let Some(test) = fresh().await else { return };
    let id: ContextId = "1.7.a-1".parse().unwrap();
    let body = "b".repeat(20_000);
    let held = format!("1:0 w-12345678 1 2 0 - default work 2 r=1 {body}");
    test.command(&["HSET", &test.key(partition(1), "held"), id.as_str(), &held])
        .await;
    end(&test, &id, ("failed", "0 0 no")).await;
    let view = test.store.get_context(&id).await.unwrap().unwrap();
    assert_eq!((view.body.len(), view.body_dropped), (0, Some(20_000)));
    let refused = test.store.retry_context(&id).await;
    let Err(Error::Conflict(why)) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        why.contains("16 KiB") && why.contains("submit it again"),
        "{why}"
    );
    assert!(sizes(&test, 1, budget(65_536)).await.dead < 1_000);
}

#[tokio::test]
async fn an_entry_of_the_events_has_a_bound_in_bytes() {
    let Some(test) = fresh().await else { return };
    let message = format!("0 0 {}", "y".repeat(1_000));
    let mut args = ["", "w-12345678", "0", "200"].map(str::to_owned).to_vec();
    for number in 0..200 {
        let id = hold(&test, &format!("1.7.a-{number}")).await;
        args.extend([
            id.to_string(),
            "1 1".to_owned(),
            "failed".to_owned(),
            message.clone(),
        ]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let key = test.key(partition(1), "events");
    let fill = "for i = 1, 999 do redis.call('XADD', KEYS[1], i .. '-1', 's', 'a record') end";
    test.text(&["EVAL", fill, "1", &key]).await;
    test.eval("lease/settle", partition(1), &args)
        .await
        .unwrap();
    let entries: usize = test.text(&["XLEN", &key]).await.parse().unwrap();
    assert!(
        (400..=640).contains(&entries),
        "great entries leave room for fewer, and {entries} are left"
    );
    let events = test
        .texts(&["XRANGE", &test.key(partition(1), "events"), "-", "+"])
        .await;
    let records: Vec<&String> = events
        .iter()
        .filter(|text| text.contains("failed"))
        .collect();
    assert!(records.iter().all(|text| text.len() <= 32_768 + 1_300));
    let lines: usize = records.iter().map(|text| text.lines().count()).sum();
    assert_eq!(lines, 200);
    for number in [0, 77, 199] {
        let id = format!("1.7.a-{number}").parse().unwrap();
        assert!(test.store.get_context(&id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn what_is_older_than_its_time_goes() {
    let Some(test) = fresh().await else { return };
    let id = hold(&test, "1.7.a-1").await;
    let _ = say(&test, &id, 10).await;
    end(&test, &id, ("succeeded", "done")).await;
    let short = Budget {
        keep: Duration::from_secs(1),
        ..budget(65_536)
    };
    assert!(sizes(&test, 1, budget(65_536)).await.logs > 0);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let taken = sizes(&test, 1, short).await;
    assert_eq!((taken.logs, taken.results), (0, 0));
    assert_eq!(names(&test, "log").await.len(), 0);
}

#[tokio::test]
async fn subtasks_leave_nothing_behind_their_root() {
    let Some(test) = fresh().await else { return };
    let mut spec = job("d/wide", Trigger::Manual);
    spec.runs_limit = 1;
    drop(test.store.apply_job(&spec, &Plan::default()).await.unwrap());
    let p = test.store.partition_of_job(&spec.name).as_u16();
    for number in 0..500 {
        let id = hold(&test, &format!("{p}.7.a-0~{number}@d/wide")).await;
        let _ = say(&test, &id, 10).await;
    }
    assert_eq!(names(&test, "log").await.len(), 500);
    for number in 0..40 {
        let id = hold(&test, &format!("{p}.7.a-{number}@d/wide")).await;
        end(&test, &id, ("succeeded", "")).await;
    }
    // The root's record is gone; a page of its subtasks goes with each look.
    for _ in 0..4 {
        sizes(&test, p, budget(1_000_000)).await;
    }
    assert_eq!(names(&test, "log").await.len(), 0);
    assert_eq!(names(&test, "subtraced").await.len(), 0);
    assert_eq!(sizes(&test, p, budget(1_000_000)).await.logs, 0);
}

#[tokio::test]
async fn budgets_are_checked() {
    let Some(test) = fresh().await else { return };
    let args = ["65536", "65536", "65536", "1000"];
    let changes = [
        (1, "65535", "logs"),
        (2, "x", "results"),
        (3, "-1", "dead"),
        (4, "999", "keep_ms"),
    ];
    test.assert_refused("history/tend", partition(1), &args, &changes)
        .await;
}
