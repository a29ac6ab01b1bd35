//! Lists of what has ended say since when they are complete.

use tickwheel_core::run::ContextState;
use tickwheel_store::context::{ContextFilter, ContextList, ListOrder};
use tickwheel_store::dead::DeadFilter;

use super::of_state;
use super::rows::{Row, bury, settled};
use crate::harness::{Harness, fresh, name, partition};

/// Ends in one partition, one of each millisecond from 1 on, of which the events keep the newest.
async fn end(test: &Harness, p: u16, count: u64) {
    let record = settled(
        &Row {
            partition: p,
            time: 0,
            id: String::new(),
        },
        "succeeded",
    );
    let record = record
        .replace("\t0\t", "\t' .. i .. '\t")
        .replace('\t', "\\t");
    let fill = format!(
        "for i = 1, {count} do redis.call('XADD', KEYS[1], 'MAXLEN', '~', 1000, i .. '-1', 's', '{p}.' .. i .. '.e-' .. i .. '{record}') end"
    );
    let events = test.key(partition(p), "events");
    test.text(&["EVAL", &fill, "1", &events]).await;
}

async fn ended(test: &Harness) -> ContextList {
    let filter = ContextFilter {
        order: Some(ListOrder::Ended),
        ..ContextFilter::default()
    };
    test.store.list_contexts(&filter, "", 1_000).await.unwrap()
}

#[tokio::test]
async fn the_events_are_complete_since_the_oldest_that_is_left() {
    let Some(test) = fresh().await else { return };
    let none = ended(&test).await.horizon.unwrap();
    assert_eq!(
        (none.complete_since.as_u64(), none.reason.as_str()),
        (0, "")
    );
    end(&test, 0, 300).await;
    end(&test, 1, 900).await;
    assert_eq!(ended(&test).await.horizon.unwrap(), none);
    end(&test, 2, 1_500).await;
    let horizon = ended(&test).await.horizon.unwrap();
    let kept = test
        .text(&["XLEN", &test.key(partition(2), "events")])
        .await;
    let kept: u64 = kept.parse().unwrap();
    assert!((1_000..1_500).contains(&kept), "{kept}");
    // The oldest that is left may have had others of its millisecond.
    assert_eq!(horizon.complete_since.as_u64(), 1_500 - kept + 2);
    assert!(horizon.reason.contains("newest 1,000"), "{horizon:?}");
    // Each page of the list says so, and all that the horizon promises is there.
    let filter = ContextFilter {
        order: Some(ListOrder::Ended),
        ..ContextFilter::default()
    };
    let (mut of_third, mut cursor) = (0, String::new());
    loop {
        let page = test
            .store
            .list_contexts(&filter, &cursor, 700)
            .await
            .unwrap();
        assert_eq!(page.horizon.as_ref(), Some(&horizon));
        let third = page.items.iter().filter(|view| {
            view.id.partition() == partition(2) && view.ended.unwrap() >= horizon.complete_since
        });
        of_third += third.count();
        if page.next.is_empty() {
            break;
        }
        cursor = page.next;
    }
    assert_eq!(of_third, usize::try_from(kept).unwrap() - 1);
}

#[tokio::test]
async fn the_dead_are_complete_unless_their_bound_let_some_go() {
    let Some(test) = fresh().await else { return };
    for time in [5, 7] {
        let row = Row {
            partition: 1,
            time,
            id: format!("1.{time}.d"),
        };
        bury(&test, &row).await;
    }
    let horizon = async || {
        let page = test.store.list_dead(&DeadFilter::default(), "", 10).await;
        page.unwrap().horizon.unwrap()
    };
    assert_eq!(horizon().await.complete_since.as_u64(), 0);
    let stats = test.key(partition(1), "stats");
    test.text(&["HSET", &stats, "dead_dropped", "3"]).await;
    let found = horizon().await;
    assert_eq!(found.complete_since.as_u64(), 6);
    assert!(found.reason.contains("10,000 dead"), "{found:?}");
    // Where nothing is left, nobody knows when what went had ended.
    let stats = test.key(partition(2), "stats");
    test.text(&["HSET", &stats, "dead_dropped", "3"]).await;
    assert!(horizon().await.complete_since.as_u64() > 1_000_000_000_000);
}

#[tokio::test]
async fn the_runs_of_a_job_are_complete_until_it_has_as_many_as_it_keeps() {
    let Some(test) = fresh().await else { return };
    let p = test.store.partition_of_job(&name("a/b"));
    let runs = test.key(p, "runs:a/b");
    let filter = ContextFilter {
        job: Some(name("a/b")),
        ..of_state(ContextState::Succeeded)
    };
    let horizon = async || {
        let page = test.store.list_contexts(&filter, "", 10).await.unwrap();
        page.horizon.unwrap().complete_since.as_u64()
    };
    assert_eq!(horizon().await, 0);
    for time in 4..8 {
        let row = Row {
            partition: p.as_u16(),
            time,
            id: format!("{p}.{time}.f@a/b"),
        };
        test.text(&["RPUSH", &runs, &settled(&row, "succeeded")])
            .await;
    }
    assert_eq!(horizon().await, 0);
    test.text(&["HSET", &test.key(p, "job:a/b"), "runs_limit", "4"])
        .await;
    assert_eq!(horizon().await, 5);
}

#[tokio::test]
async fn a_list_of_what_has_not_ended_has_no_horizon() {
    let Some(test) = fresh().await else { return };
    let filter = of_state(ContextState::Running);
    let page = test.store.list_contexts(&filter, "", 10).await.unwrap();
    assert_eq!(page.horizon, None);
}
