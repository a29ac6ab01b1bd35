//! A record that no script can use goes aside, and nothing that the same call took is lost with it (W1).

use crate::call::{Offer, Part, T, ready_score};
use crate::harness::fresh;
use tickwheel_store::Counters;

const W: Offer<'_> = ("w", "g", 50, "h");

/// Texts that no script writes into the wheel, by what is wrong with them.
const BAD: [&str; 13] = [
    "3.1000000.a-9 0:0 g h",
    "3.1000000.a-9",
    "3x 0:0 g h 2 - x",
    "3.1000000.a-9 0 g h 2 - x",
    "3.1000000.a-9 x:0 g h 2 - x",
    "3.1000000.a-9 0:0 g h 7 - x",
    "3.1000000.a-9 0:0 g h two - x",
    "#3.1000000.a-9 g h",
    "#x g h 2",
    "&d/follower",
    "&d/follower 3.1000000.a-9",
    "!sweep",
    "?",
];

/// What lies in quarantine, without when it came there.
async fn put_aside(part: &Part<'_>) -> Vec<(String, String)> {
    let state = part.state().await;
    let one = |text: &&str| {
        let mut lines = text.splitn(3, '\n');
        let place = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
        (place, lines.nth(1).unwrap().to_owned())
    };
    state.list("quarantine").iter().map(one).collect()
}

#[tokio::test]
async fn what_is_due_beside_a_record_that_cannot_be_used_is_claimed() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for (round, bad) in (0..).zip(BAD) {
        let now = T + 1_000 * round;
        let (first, last) = (format!("a-{round}1"), format!("b-{round}1"));
        part.submit(
            now,
            &[
                ["+10", &first, "g h 2 - x", ""],
                ["+30", &last, "g h 2 - x", ""],
            ],
        )
        .await;
        let at = (now + 20).to_string();
        test.command(&["ZADD", &part.key("wheel"), &at, bad]).await;
        let turned = part.turn(now + 40, 10, &[W]).await;
        assert_eq!((turned.claims.len(), turned.aside), (2, 1), "{bad}");
        let aside = put_aside(&part).await;
        assert_eq!(aside.last().unwrap(), &("wheel".to_owned(), bad.to_owned()));
        let state = part.state().await;
        assert!(state.zset("wheel").iter().all(|(entry, _)| *entry != bad));
        for id in [first, last] {
            let id = format!("3.{}.{id}", now + if id.starts_with('a') { 10 } else { 30 });
            assert_eq!(
                part.settle(now + 50, &[[&id, "1", "succeeded", ""]]).await,
                "S"
            );
        }
    }
    let counted = test.store.counters().await.unwrap();
    assert_eq!(
        counted,
        Counters {
            put_aside: BAD.len() as u64,
            ..Counters::default()
        }
    );
}

#[tokio::test]
async fn what_waits_behind_a_ready_record_that_cannot_be_used_is_claimed() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for merged in [false, true] {
        part.submit(
            T,
            &[
                ["+0", "a-1", "g h 2 - x", ""],
                ["+0", "a-2", "g h 2 - x", ""],
            ],
        )
        .await;
        if merged {
            part.submit(T, &[["+0", "a-3", "g other 2 - x", ""]]).await;
        }
        let bad = "3.999999.a-9 0:0 g";
        let score = ready_score(2, T - 1).to_string();
        test.command(&["ZADD", &part.key("ready:g:h"), &score, bad])
            .await;
        let turned = part.turn(T + 5, 10, &[("w", "g", 50, "h,other")]).await;
        assert_eq!(turned.claims.len(), if merged { 3 } else { 2 });
        assert_eq!((turned.aside, turned.backlog.len()), (1, 0));
        let aside = put_aside(&part).await;
        assert_eq!(
            aside.last().unwrap(),
            &("ready:g:h".to_owned(), bad.to_owned())
        );
        for (id, _) in part.state().await.hash("held") {
            part.settle(T + 6, &[[id, "1", "succeeded", ""]]).await;
        }
    }
}

#[tokio::test]
async fn a_queue_lets_in_the_next_one_that_can_be_used() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        9 * T,
        &[("overlap", "queue"), ("overlap_limit", "9")],
    )
    .await;
    for unique in ["m-1", "m-2", "m-3"] {
        part.fire(T, "d/j", unique).await;
    }
    let queue = part.key("queue:d/j");
    for bad in ["x", "3.1000000.m-0@d/j 0:0 g"] {
        test.command(&["ZADD", &queue, "5", bad]).await;
    }
    part.turn(T, 10, &[W]).await;
    let first = "3.1000000.m-1@d/j";
    assert_eq!(
        part.settle(T + 1, &[[first, "1", "succeeded", ""]]).await,
        "S"
    );
    assert_eq!(
        put_aside(&part).await,
        [
            ("queue:d/j".to_owned(), "3.1000000.m-0@d/j 0:0 g".to_owned()),
            ("queue:d/j".to_owned(), "x".to_owned())
        ]
    );
    let turned = part.turn(T + 2, 10, &[W]).await;
    assert_eq!(turned.claims[0].1, "3.1000000.m-2@d/j 1:0 g h 2 - body");
    // The last one is no reason for an error either.
    test.command(&["ZADD", &queue, "5", "x"]).await;
    test.command(&["ZREM", &queue, "3.1000000.m-3@d/j 0:0 g h 2 - body"])
        .await;
    let second = "3.1000000.m-2@d/j";
    assert_eq!(
        part.settle(T + 3, &[[second, "1", "succeeded", ""]]).await,
        "S"
    );
    assert!(part.state().await.hash("active:d/j").is_empty());
    test.command(&["ZADD", &queue, "5", "y"]).await;
    let deleted = part.answer("job/delete", &["", "d/j"]).await;
    assert_eq!(deleted, ["DELETED", "0", "0"]);
}

#[tokio::test]
async fn leases_beside_a_held_value_that_cannot_be_read_are_taken_back() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold("3.7.a-1", "1:0", "-").await;
    for (id, value) in [
        ("3.7.a-2", "what"),
        ("3.7.a-3", "1:0 w 5 9 0 - g"),
        ("what", "1:0 w 5 9 0 - g h 2 - body"),
    ] {
        test.command(&["HSET", &part.key("held"), id, value]).await;
    }
    let (lost, _, _) = part.reap(T + 5_000, &[]).await;
    assert_eq!(lost, ["3.7.a-1 1 w RETRYING"]);
    assert_eq!(put_aside(&part).await.len(), 3);
    assert!(part.state().await.hash("held").is_empty());
}

#[tokio::test]
async fn a_job_whose_fields_cannot_be_used_stops_no_other() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for (field, value) in [
        ("tmpl", "what"),
        ("next", "soon"),
        ("period", "often"),
        ("end_at", "never"),
    ] {
        part.put_job("d/bad", T, &[(field, value)]).await;
        part.put_job("d/good", T, &[]).await;
        let turned = part.turn(T, 10, &[W]).await;
        assert_eq!((turned.claims.len(), turned.aside), (1, 1), "{field}");
        assert_eq!(
            part.settle(T, &[["3.1000000.f@d/good", "1", "succeeded", ""]])
                .await,
            "S"
        );
        let state = part.state().await;
        assert!(
            state.zset("wheel").contains(&("@d/bad", T + 60_000)),
            "it is tried again: its definition may be applied anew"
        );
    }
}
