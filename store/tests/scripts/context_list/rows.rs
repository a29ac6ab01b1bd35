//! Contexts of four partitions as a test puts them into Redis, and as the list of all of them has to be.

use std::cmp::Reverse;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tickwheel_store::context::{ContextFilter, ContextList, PageBounds};

use crate::harness::{Harness, partition};

pub(super) const PARTITIONS: u16 = 4;

/// One context: its partition, its time, and what puts those of one time into their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) partition: u16,
    pub(super) time: u64,
    pub(super) id: String,
}

/// Draws that are the same in each run.
pub(super) fn random(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// Up to `most` contexts of each partition with times below `times`, so that many are equal.
pub(super) fn draw(random: &mut StdRng, most: u64, times: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for partition in 0..PARTITIONS {
        for n in 0..random.random_range(0..=most) {
            let time = random.random_range(1..=times);
            rows.push(Row {
                partition,
                time,
                id: format!("{partition}.{time}.r-{n}"),
            });
        }
    }
    rows
}

/// A page size and what it may look at.
pub(super) fn draw_bounds(random: &mut StdRng) -> PageBounds {
    PageBounds {
        items: random.random_range(1..=30),
        look: random.random_range(1..=200),
    }
}

/// A settled record of one that failed.
pub(super) fn settled(row: &Row, state: &str) -> String {
    format!(
        "{}\t{state}\t1\tw-1\t1\t{}\tno such host\tg\th\t1",
        row.id, row.time
    )
}

/// Puts a row among the dead.
pub(super) async fn bury(test: &Harness, row: &Row) {
    let member = format!("{}\n1 g h 2 - body", settled(row, "failed"));
    let dead = test.key(partition(row.partition), "dead");
    test.text(&["ZADD", &dead, &row.time.to_string(), &member])
        .await;
}

/// Puts a row into the wheel.
pub(super) async fn schedule(test: &Harness, row: &Row) {
    let member = format!("{} 0:0 g h 2 - body", row.id);
    let wheel = test.key(partition(row.partition), "wheel");
    test.text(&["ZADD", &wheel, &row.time.to_string(), &member])
        .await;
}

/// Has a row run.
pub(super) async fn run(test: &Harness, row: &Row) {
    let held = test.key(partition(row.partition), "held");
    test.text(&["HSET", &held, &row.id, "1:0 w-1 1 2 0 - g h 2 - body"])
        .await;
}

/// The earliest first.
pub(super) fn earliest_first(mut rows: Vec<Row>) -> Vec<String> {
    rows.sort_by(|a, b| (a.time, a.partition, &a.id).cmp(&(b.time, b.partition, &b.id)));
    rows.into_iter().map(|row| row.id).collect()
}

/// The newest first; those of one time and partition the last of their names first, as a sorted set has them backwards.
pub(super) fn newest_first(mut rows: Vec<Row>) -> Vec<String> {
    rows.sort_by_key(|row| (Reverse(row.time), row.partition, Reverse(row.id.clone())));
    rows.into_iter().map(|row| row.id).collect()
}

/// All pages of a list, each with bounds of its own; `between` happens after each.
pub(super) async fn pages(
    test: &Harness,
    filter: &ContextFilter,
    random: &mut StdRng,
    mut between: impl AsyncFnMut(u64),
) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    for n in 0..5_000 {
        let bounds = draw_bounds(random);
        let page = page(test, filter, &cursor, bounds).await;
        assert!(page.items.len() <= usize::try_from(bounds.items).unwrap());
        let least = u64::from(PARTITIONS) * 2;
        assert!(
            page.looked.entries <= u64::from(bounds.look).max(least),
            "{:?}",
            page.looked
        );
        assert_eq!(page.unreadable, 0);
        ids.extend(page.items.iter().map(|view| view.id.to_string()));
        if page.next.is_empty() {
            return ids;
        }
        assert_ne!(page.next, cursor, "a page gets on");
        cursor = page.next;
        between(n).await;
    }
    panic!("the list does not end: {cursor}");
}

pub(super) async fn page(
    test: &Harness,
    filter: &ContextFilter,
    cursor: &str,
    bounds: PageBounds,
) -> ContextList {
    let page = test.store.list_contexts(filter, cursor, bounds).await;
    page.unwrap()
}
