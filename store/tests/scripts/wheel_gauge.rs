//! wheel/gauge: how much a partition holds.

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
