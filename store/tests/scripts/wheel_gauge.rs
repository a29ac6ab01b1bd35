//! wheel/gauge: how much a partition holds.

use std::time::Duration;

use tickwheel_core::id::GroupName;
use tickwheel_store::record::EndState;

use crate::call::{Part, T, field, text};
use crate::harness::{fresh, partition};

#[tokio::test]
async fn what_waits_runs_is_late_and_is_dead_is_counted() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let gauge = async |now: u64| {
        let now = now.to_string();
        let reply = part.call("wheel/gauge", "GAUGED", &[&now]).await;
        assert_eq!(text(field(&reply, "now_ms")), now);
        let names = [
            "entries",
            "overdue",
            "oldest_ms",
            "waiting",
            "running",
            "dead",
        ];
        names.map(|name| text(field(&reply, name)).parse::<u64>().unwrap())
    };
    assert_eq!(gauge(T).await, [0; 6]);
    for unique in ["a-1", "a-2", "a-3"] {
        part.submit(T, &[["+100", unique, "g h 2 - x", ""]]).await;
    }
    part.submit(
        T,
        &[
            ["+0", "b-1", "g h 2 - x", ""],
            ["+0", "b-2", "k i 2 - x", ""],
        ],
    )
    .await;
    part.hold("3.900.held", "1:0", "-").await;
    part.hold("3.900.dead", "1:0", "-").await;
    part.settle(T, &[["3.900.dead", "1", "fatal", "0 0 no"]])
        .await;
    // Entries of the wheel, and a lease scan where something runs.
    let before = gauge(T + 99).await;
    assert_eq!((before[1], before[2], before[3]), (0, 0, 2));
    assert_eq!((before[4], before[5]), (1, 1));
    assert!(before[0] >= 3);
    let late = gauge(T + 1_600).await;
    assert_eq!((late[1], late[2]), (3, 1_500));
}

#[tokio::test]
async fn many_queues_do_not_make_it_dear() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let backlog = part.key("backlog");
    for chunk in 0..20 {
        let queues: Vec<String> = (0..1_000)
            .map(|n| format!("g h{}", chunk * 1_000 + n))
            .collect();
        let mut words = vec!["ZADD", &backlog];
        queues
            .iter()
            .for_each(|queue| words.extend(["0", queue.as_str()]));
        test.command(&words).await;
    }
    let cost = test.cost("wheel/gauge", partition(3), &[""]).await;
    assert!(cost < 150, "{cost} commands");
}

#[tokio::test]
async fn what_waits_is_told_by_group_and_what_ended_by_state() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for (unique, queue) in [("a", "g h 2 - x"), ("b", "g i 2 - x"), ("c", "k h 2 - x")] {
        part.submit(T, &[["+0", unique, queue, ""]]).await;
    }
    for (unique, outcome) in [("d", "succeeded"), ("e", "succeeded"), ("f", "fatal")] {
        let id = format!("3.900.{unique}");
        part.hold(&id, "1:0", "-").await;
        let payload = if outcome == "fatal" { "0 0 no" } else { "" };
        part.settle(T, &[[&id, "1", outcome, payload]]).await;
    }
    let measured = test.store.measure(partition(3)).await.unwrap();
    let waiting: Vec<(&str, u64)> = measured
        .waiting
        .iter()
        .map(|(group, count)| (GroupName::as_str(group), *count))
        .collect();
    assert_eq!(waiting, [("g", 2), ("k", 1)]);
    assert_eq!(measured.gauges.waiting, 3);
    let of = |state: EndState| {
        let ends = EndState::ALL.iter().zip(measured.lately.ended);
        ends.filter(|(one, _)| **one == state)
            .map(|(_, count)| count)
            .sum::<u64>()
    };
    assert_eq!((of(EndState::Succeeded), of(EndState::Failed)), (2, 1));
    assert_eq!(measured.lately.within, Duration::from_secs(60));
}

#[tokio::test]
async fn of_many_ends_the_newest_are_counted_and_it_is_told_how_far_back() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let events = part.key("events");
    let now = test.now().await;
    let record = |name: u64| format!("3.900.{name}\tsucceeded\t1\tw\t{T}\t{T}\t\tg\th\t0");
    let add = async |ago: u64, records: u64| {
        let lines: Vec<String> = (0..records).map(record).collect();
        let entry = format!("{}-*", now - ago);
        let words = ["XADD", &events, &entry, "s", &lines.join("\n")];
        test.text(&words).await;
    };
    // Older than a minute.
    add(100_000, 1).await;
    for ago in 0..100 {
        add(50_000 - 500 * ago, 1).await;
    }
    let small = test.store.measure(partition(3)).await.unwrap().lately;
    assert_eq!(small.ended[0], 64);
    let within = small.within.as_millis();
    assert!((32_000..40_000).contains(&within), "{within}");
    for _ in 0..5 {
        add(0, 100).await;
    }
    let great = test.store.measure(partition(3)).await.unwrap().lately;
    assert_eq!(great.ended[0], 400);
    assert!(great.within < Duration::from_secs(10), "{great:?}");
    assert!(test.cost("wheel/gauge", partition(3), &[""]).await < 20);
}
