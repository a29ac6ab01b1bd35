//! lease/fate: what became of attempts that are not held, for many at once.

use crate::call::{Part, T, text};
use crate::harness::{Harness, fresh, partition};
use tickwheel_core::id::AttemptNo;
use tickwheel_store::lease::{AttemptRef, Fate};

fn attempt(id: &str, attempt: u32) -> AttemptRef {
    AttemptRef {
        context: id.parse().unwrap(),
        attempt: AttemptNo::new(attempt),
    }
}

async fn fates(test: &Harness, attempts: &[(&str, u32)]) -> Vec<Fate> {
    let attempts: Vec<AttemptRef> = attempts
        .iter()
        .map(|(id, number)| attempt(id, *number))
        .collect();
    test.store.fates(partition(3), &attempts).await.unwrap()
}

#[tokio::test]
async fn who_settled_is_told_from_who_lost_its_lease() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for unique in ["ended", "failed", "retried", "held", "later"] {
        part.hold(&format!("3.900.{unique}"), "2:0", "-").await;
    }
    part.settle(
        T,
        &[
            ["3.900.ended", "2", "succeeded", ""],
            ["3.900.failed", "2", "fatal", "0 0 a tab\tand a line\nbreak"],
            ["3.900.retried", "2", "failed", "0 0 no"],
            ["3.900.later", "2", "failed", "0 0 no"],
        ],
    )
    .await;
    part.hold("3.900.later", "3:1", "-").await;
    part.settle(T, &[["3.900.later", "3", "succeeded", ""]])
        .await;
    part.submit(T, &[["+0", "ready", "g h 2 - x", ""]]).await;
    let found = fates(
        &test,
        &[
            ("3.900.ended", 2),
            ("3.900.ended", 1),
            ("3.900.failed", 2),
            ("3.900.retried", 2),
            ("3.900.held", 1),
            ("3.900.later", 2),
            ("3.900.later", 3),
            ("3.1000000.ready", 1),
            ("3.900.nobody", 1),
            ("3.900.nobody~4@d/j", 1),
        ],
    )
    .await;
    use Fate::{Lost, Settled};
    let expected = [
        Settled, Lost, Settled, Lost, Lost, Lost, Settled, Lost, Lost, Settled,
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_root_that_was_split_is_settled_by_the_attempt_that_split_it() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let (fans, fan) = (part.key("fans"), part.key("fan:3.900.root"));
    test.command(&["HSET", &fans, "3.900.root", "map"]).await;
    test.command(&["HSET", &fan, "root", "4:1 g h 2 - x"]).await;
    let found = fates(&test, &[("3.900.root", 4), ("3.900.root", 3)]).await;
    assert_eq!(found, [Fate::Settled, Fate::Lost]);
}

#[tokio::test]
async fn many_stale_reports_beside_many_queues_cost_a_few_commands() {
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
    let events = part.key("events");
    let record = |n: u32| format!("3.900.b-{n}\tsucceeded\t1\tw\t{T}\t{T}\t");
    for entry in 0..1_000_u32 {
        let lines: Vec<String> = (0..10).map(|n| record(10 * entry + n)).collect();
        test.command(&["XADD", &events, "*", "s", &lines.join("\n")])
            .await;
    }
    let ids: Vec<String> = (0..300).map(|n| format!("3.900.stale-{n}")).collect();
    let stale: Vec<(&str, u32)> = ids.iter().map(|id| (id.as_str(), 1)).collect();
    let before = test.commands_run().await;
    let found = fates(&test, &stale).await;
    let commands = test.commands_run().await - before;
    assert_eq!(found, [Fate::Lost; 300]);
    assert!(commands < 250, "{commands} commands for 300 stale reports");
    // One that is found ends the walk.
    let before = test.commands_run().await;
    assert_eq!(fates(&test, &[("3.900.b-9999", 1)]).await, [Fate::Settled]);
    let commands = test.commands_run().await - before;
    assert!(commands < 10, "{commands} commands for one that ended last");
}

#[tokio::test]
async fn what_is_not_in_range_is_refused() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let args = ["", "1", "3.900.a", "1"];
    let changes = [
        (1, "x", "cursor"),
        (2, "0", "count"),
        (2, "1001", "count"),
        (2, "2", "attempts"),
        (3, "nothing", "id"),
    ];
    test.assert_refused("lease/fate", part.id, &args, &changes)
        .await;
    let reply = part
        .call("lease/fate", "FATES", &["", "1", "3.900.a", "1"])
        .await;
    assert_eq!(
        (text(&reply[0]), text(&reply[1])),
        (String::new(), "U".to_owned())
    );
}
