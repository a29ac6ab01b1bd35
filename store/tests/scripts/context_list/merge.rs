//! Pages of any size join into the one list of all partitions: in order, each context once, also while more come.

use rand::RngExt as _;
use tickwheel_core::run::ContextState;
use tickwheel_store::context::{ContextFilter, ListOrder};

use super::of_state;
use super::rows::{
    PARTITIONS, Row, bury, draw, earliest_first, newest_first, pages, random, run, schedule,
    settled,
};
use crate::harness::{Harness, fresh, partition};

const SEEDS: u64 = 12;

async fn clear(test: &Harness) {
    for kind in ["wheel", "dead", "held", "events", "backlog"] {
        for p in 0..PARTITIONS {
            test.command(&["DEL", &test.key(partition(p), kind)]).await;
        }
    }
}

#[tokio::test]
async fn what_has_a_time_comes_with_the_earliest_first() {
    let Some(test) = fresh().await else { return };
    for seed in 0..SEEDS {
        clear(&test).await;
        let mut random = random(seed);
        let rows = draw(&mut random, 60, 15);
        for row in &rows {
            schedule(&test, row).await;
        }
        let filter = of_state(ContextState::Scheduled);
        let listed = pages(&test, &filter, &mut random, async |_| {}).await;
        assert_eq!(listed, earliest_first(rows), "seed {seed}");
    }
}

#[tokio::test]
async fn the_dead_come_with_the_newest_first_while_more_die() {
    let Some(test) = fresh().await else { return };
    for seed in 0..SEEDS {
        clear(&test).await;
        let mut random = random(seed);
        let rows = draw(&mut random, 60, 15);
        for row in &rows {
            bury(&test, row).await;
        }
        let filter = of_state(ContextState::Failed);
        // Of the first round nothing comes meanwhile.
        let more = seed % 2 == 1;
        let listed = pages(&test, &filter, &mut random, async |n| {
            let row = Row {
                partition: u16::try_from(n % u64::from(PARTITIONS)).unwrap(),
                time: 16 + n,
                id: format!("{}.5.new-{n}", n % u64::from(PARTITIONS)),
            };
            if more {
                bury(&test, &row).await;
            }
        })
        .await;
        let old: Vec<String> = listed
            .into_iter()
            .filter(|id| !id.contains("new"))
            .collect();
        assert_eq!(old, newest_first(rows), "seed {seed}");
    }
}

#[tokio::test]
async fn what_runs_comes_with_the_earliest_first() {
    let Some(test) = fresh().await else { return };
    for seed in 0..SEEDS {
        clear(&test).await;
        let mut random = random(seed);
        let rows = draw(&mut random, 60, 15);
        for row in &rows {
            run(&test, row).await;
        }
        let filter = of_state(ContextState::Running);
        let listed = pages(&test, &filter, &mut random, async |_| {}).await;
        assert_eq!(listed, earliest_first(rows), "seed {seed}");
    }
}

#[tokio::test]
async fn what_runs_in_great_numbers_comes_once() {
    let Some(test) = fresh().await else { return };
    let fill = "for i = 1, 1500 do redis.call('HSET', KEYS[1], '1.' .. i .. '.h-' .. i, '1:0 w-1 1 2 0 - g h 2 - body') end";
    test.text(&["EVAL", fill, "1", &test.key(partition(1), "held")])
        .await;
    let few = draw(&mut random(1), 20, 5);
    for row in few.iter().filter(|row| row.partition != 1) {
        run(&test, row).await;
    }
    let filter = of_state(ContextState::Running);
    let mut listed = pages(&test, &filter, &mut random(2), async |_| {}).await;
    let all = 1_500 + few.iter().filter(|row| row.partition != 1).count();
    assert_eq!(listed.len(), all);
    listed.sort();
    listed.dedup();
    assert_eq!(listed.len(), all);
}

/// Events of a partition, one entry for each row and sometimes two rows in one, and what the list has of them.
async fn write_events(test: &Harness, rows: &mut [Row]) {
    rows.sort_by_key(|row| (row.partition, row.time));
    for row in rows.iter() {
        let events = test.key(partition(row.partition), "events");
        let entry = format!("{}-*", row.time);
        test.text(&["XADD", &events, &entry, "s", &settled(row, "succeeded")])
            .await;
    }
}

#[tokio::test]
async fn what_has_ended_comes_from_the_events_and_behind_them_from_the_dead() {
    let Some(test) = fresh().await else { return };
    for seed in 0..SEEDS {
        clear(&test).await;
        let mut random = random(seed);
        let mut ended = draw(&mut random, 40, 15);
        for row in &mut ended {
            row.time += 10;
        }
        write_events(&test, &mut ended).await;
        let mut dead = draw(&mut random, 40, 20);
        for row in &mut dead {
            row.id = row.id.replace(".r-", ".d-");
            bury(&test, row).await;
        }
        // The newest entry of a time first, and of the dead what is older than every event of its partition.
        let mut expected: Vec<(u64, u16, usize, String)> = Vec::new();
        for p in 0..PARTITIONS {
            let of_events: Vec<&Row> = ended.iter().filter(|row| row.partition == p).collect();
            let oldest = of_events.first().map_or(u64::MAX, |row| row.time);
            let older = dead
                .iter()
                .filter(|row| row.partition == p && row.time < oldest);
            let older = newest_first(older.cloned().collect());
            let events = of_events.iter().rev().map(|row| row.id.clone());
            let time_of = |id: &str| {
                let mut all = ended.iter().chain(&dead);
                all.find(|row| row.id == id).unwrap().time
            };
            let all = events.chain(older).enumerate();
            expected.extend(all.map(|(n, id)| (time_of(&id), p, n, id)));
        }
        expected.sort_by(|a, b| (b.0, a.1, a.2).cmp(&(a.0, b.1, b.2)));
        let expected: Vec<String> = expected.into_iter().map(|one| one.3).collect();
        let filter = ContextFilter {
            order: Some(ListOrder::Ended),
            ..ContextFilter::default()
        };
        let listed = pages(&test, &filter, &mut random, async |_| {}).await;
        assert_eq!(listed, expected, "seed {seed}");
    }
}

#[tokio::test]
async fn what_is_ready_comes_queue_by_queue_as_permits_take_it() {
    let Some(test) = fresh().await else { return };
    for seed in 0..SEEDS {
        clear(&test).await;
        let mut random = random(seed);
        let mut expected: Vec<(String, u64, u16, String)> = Vec::new();
        for (n, handler) in ["a", "b", "c"].into_iter().enumerate() {
            for p in 0..PARTITIONS {
                let set = test.key(partition(p), &format!("ready:g:{handler}"));
                test.command(&["DEL", &set]).await;
                for i in 0..random.random_range(0..30) {
                    let score: u64 = random.random_range(1..9);
                    let id = format!("{p}.{score}.q{n}-{i}");
                    let member = format!("{id} 0:0 g {handler} 2 - body");
                    test.text(&["ZADD", &set, &score.to_string(), &member])
                        .await;
                    let backlog = test.key(partition(p), "backlog");
                    let queue = format!("g {handler}");
                    test.text(&["ZADD", &backlog, "0", &queue]).await;
                    expected.push((queue, score, p, id));
                }
            }
        }
        expected.sort();
        let expected: Vec<String> = expected.into_iter().map(|one| one.3).collect();
        let filter = of_state(ContextState::Ready);
        let listed = pages(&test, &filter, &mut random, async |_| {}).await;
        assert_eq!(listed, expected, "seed {seed}");
    }
}

#[tokio::test]
async fn what_has_not_ended_comes_before_what_has() {
    let Some(test) = fresh().await else { return };
    let mut random = random(7);
    let runs = draw(&mut random, 10, 5);
    for row in &runs {
        run(&test, row).await;
    }
    let mut timed = draw(&mut random, 10, 5);
    for row in &mut timed {
        row.id = row.id.replace(".r-", ".w-");
        schedule(&test, row).await;
    }
    let mut dead = draw(&mut random, 10, 5);
    for row in &mut dead {
        row.id = row.id.replace(".r-", ".d-");
        bury(&test, row).await;
    }
    let live = [earliest_first(runs), earliest_first(timed)].concat();
    let ended = newest_first(dead);
    let any = ContextFilter::default();
    let cases = [
        (None, [live.clone(), ended.clone()].concat()),
        (Some(ListOrder::Due), live),
        (Some(ListOrder::Ended), ended),
    ];
    for (order, expected) in cases {
        let filter = ContextFilter {
            order,
            ..any.clone()
        };
        let listed = pages(&test, &filter, &mut random, async |_| {}).await;
        assert_eq!(listed, expected, "{order:?}");
    }
}
