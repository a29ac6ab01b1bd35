//! job/get: jobs, their ledgers and their runs read back.

use crate::harness::{Harness, alone, fresh, job, ms, name, partition};
use tickwheel_core::job::Trigger;
use tickwheel_core::ledger::LedgerVerdict;
use tickwheel_store::job::{LedgerRange, Plan};

async fn registered(test: &Harness, names: &[&str]) {
    for name in names {
        let spec = job(name, Trigger::Manual);
        drop(
            test.store
                .apply_job(
                    &spec,
                    &Plan {
                        dues: Vec::new(),
                        end: true,
                    },
                )
                .await
                .unwrap(),
        );
    }
}

#[tokio::test]
async fn jobs_are_listed_in_the_order_of_their_names_over_all_partitions() {
    let Some(test) = fresh().await else { return };
    let names = ["a/0", "a/1", "a/10", "a/2", "ab/1", "b/1", "default/x"];
    registered(&test, &names).await;
    let list = async |prefix: &str, after: Option<&str>, limit| {
        let after = after.map(name);
        let views = test
            .store
            .list_jobs(prefix, after.as_ref(), limit)
            .await
            .unwrap();
        views
            .iter()
            .map(|view| view.spec.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(list("", None, 100).await, names);
    assert_eq!(list("a/", None, 100).await, ["a/0", "a/1", "a/10", "a/2"]);
    assert_eq!(list("a/1", None, 100).await, ["a/1", "a/10"]);
    assert_eq!(list("", None, 3).await, ["a/0", "a/1", "a/10"]);
    assert_eq!(list("", Some("a/10"), 3).await, ["a/2", "ab/1", "b/1"]);
    assert_eq!(list("a/", Some("a/1"), 9).await, ["a/10", "a/2"]);
    assert_eq!(list("b/", Some("a/1"), 9).await, ["b/1"]);
    assert_eq!(list("c", None, 9).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_job_shows_what_it_has_under_way() {
    let Some(test) = fresh().await else { return };
    registered(&test, &["a/b"]).await;
    let id = format!("{}.7.f@a/b", test.store.partition_of_job(&name("a/b")));
    test.command(&["HSET", &test.job_key("a/b", "active:a/b"), &id, "s"])
        .await;
    test.command(&[
        "ZADD",
        &test.job_key("a/b", "queue:a/b"),
        "8",
        "0.8.f@a/b 0:0 default work 2 - ",
    ])
    .await;
    let view = test.store.get_job(&name("a/b")).await.unwrap().unwrap();
    assert_eq!((view.active, view.queued), (vec![id.parse().unwrap()], 1));
    assert_eq!(test.store.get_job(&name("a/c")).await.unwrap(), None);
    assert_eq!(test.store.ledger(&name("a/c"), 9).await.unwrap(), []);
}

#[tokio::test]
async fn the_runs_of_a_job_come_newest_first() {
    let Some(test) = fresh().await else { return };
    let key = test.job_key("a/b", "runs:a/b");
    for due in 1..=3 {
        test.command(&[
            "RPUSH",
            &key,
            &format!("0.{due}.f@a/b\tsucceeded\t1\t-\t0\t{due}\t\tdefault\twork\t0"),
        ])
        .await;
    }
    let runs = test.store.runs(&name("a/b"), 2).await.unwrap();
    assert_eq!(
        runs.iter().map(|run| run.ended).collect::<Vec<_>>(),
        [ms(3), ms(2)]
    );
    assert_eq!(test.store.runs(&name("a/b"), 0).await.unwrap(), []);
}

#[tokio::test]
async fn every_bad_argument_is_refused() {
    let Some(test) = fresh().await else { return };
    registered(&test, &["a/b"]).await;
    let p = test.store.partition_of_job(&name("a/b"));
    test.assert_refused(
        "job/get",
        p,
        &["a/b"],
        &[(1, "", "job"), (101, "x", "jobs")],
    )
    .await;
}

#[tokio::test]
async fn it_costs_the_same_however_much_is_active() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    registered(&test, &["a/b"]).await;
    let p = partition(0);
    for size in [10_u32, 1_000, 100_000] {
        let fill = format!(
            "for i = 1, {size} do redis.call('HSET', KEYS[1], '0.' .. i .. '.x@a/b', 'm') end"
        );
        test.text(&["EVAL", &fill, "1", &test.key(p, "active:a/b")])
            .await;
        let cost = test.cost("job/get", p, &["a/b"]).await;
        assert!(cost <= 4, "{cost} commands with {size} active");
        assert!(
            test.store
                .get_job(&name("a/b"))
                .await
                .unwrap()
                .unwrap()
                .active
                .len()
                <= 1_000
        );
    }
}

/// The due times of all pages of a range, each page the newest first.
async fn pages(test: &Harness, mut range: LedgerRange) -> Vec<Vec<u64>> {
    let mut pages = Vec::new();
    loop {
        let page = test.store.ledger_page(&name("a/b"), &range).await.unwrap();
        assert_eq!(page.unreadable, 0);
        pages.push(page.iter().map(|record| record.from.as_u64()).collect());
        if page.next.is_empty() {
            return pages;
        }
        range.cursor = page.next;
    }
}

#[tokio::test]
async fn a_ledger_is_read_in_pages_of_what_is_wanted() {
    let Some(test) = fresh().await else { return };
    let key = test.job_key("a/b", "ledger:a/b");
    for due in 1..=2_500 {
        let verdict = if due % 100 == 0 {
            "M misfire_skip"
        } else {
            "F +1"
        };
        let record = format!("{due} {verdict}");
        test.command(&["RPUSH", &key, &record]).await;
    }
    let all = pages(
        &test,
        LedgerRange {
            limit: 1_100,
            ..LedgerRange::default()
        },
    )
    .await;
    assert_eq!(
        all.iter().map(Vec::len).collect::<Vec<_>>(),
        [1_100, 1_100, 300]
    );
    let expected: Vec<u64> = (1..=2_500).rev().collect();
    assert_eq!(all.concat(), expected, "each once, in their order");
    let range = LedgerRange {
        from: Some(ms(150)),
        to: Some(ms(1_000)),
        verdicts: vec![LedgerVerdict::Missed],
        limit: 3,
        cursor: String::new(),
    };
    let missed = pages(&test, range.clone()).await;
    assert_eq!(missed.concat(), [900, 800, 700, 600, 500, 400, 300, 200]);
    // More are written between two pages, and the oldest are dropped.
    let first = test.store.ledger_page(&name("a/b"), &range).await.unwrap();
    for due in 2_501..=4_000 {
        test.command(&["RPUSH", &key, &format!("{due} F +1")]).await;
    }
    test.command(&["LTRIM", &key, "550", "-1"]).await;
    let behind = LedgerRange {
        cursor: first.next,
        limit: 100,
        ..range.clone()
    };
    let behind = test.store.ledger_page(&name("a/b"), &behind).await.unwrap();
    let dues: Vec<u64> = behind.iter().map(|record| record.from.as_u64()).collect();
    assert_eq!(dues, [600], "those before were dropped");
    // One that was dropped itself has nothing behind it, and one of no ledger is refused.
    let gone = LedgerRange {
        cursor: "300 M misfire_skip".to_owned(),
        ..range.clone()
    };
    let gone = test.store.ledger_page(&name("a/b"), &gone).await.unwrap();
    assert!(gone.is_empty() && gone.next.is_empty());
    for cursor in ["x", "300", &"1".repeat(5_000)] {
        let wrong = LedgerRange {
            cursor: cursor.to_owned(),
            ..range.clone()
        };
        let refused = test.store.ledger_page(&name("a/b"), &wrong).await;
        assert!(
            refused.unwrap_err().to_string().contains("cursor"),
            "{cursor}"
        );
    }
}

#[tokio::test]
async fn pages_of_a_ledger_that_is_written_meanwhile_have_each_record_once() {
    let Some(test) = fresh().await else { return };
    let key = test.job_key("a/b", "ledger:a/b");
    let record = async |due: u64| {
        let text = format!("{due} F +1");
        test.command(&["RPUSH", &key, &text]).await;
    };
    for due in 1..=300 {
        record(due).await;
    }
    let mut newest = 300;
    for limit in [1, 7, 100, 1_200] {
        let range = LedgerRange {
            limit,
            ..LedgerRange::default()
        };
        let read = tokio::select! {
            read = pages(&test, range) => read,
            () = async {
                loop {
                    newest += 1;
                    record(newest).await;
                }
            } => Vec::new(),
        };
        let old = read.concat().into_iter().filter(|due| *due <= 300);
        let expected: Vec<u64> = (1..=300).rev().collect();
        assert_eq!(old.collect::<Vec<_>>(), expected, "pages of {limit}");
    }
}
