//! context/cancel: wherever a context is.

use crate::call::{Part, T};
use crate::harness::{alone, fresh, partition};
use tickwheel_store::{Cancelled, Heard};

const W: (&str, &str, u64, &str) = ("w", "g", 50, "h");
const WHY: &str = "cancelled on request";

#[tokio::test]
async fn a_waiting_context_ends_wherever_it_waits() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        9 * T,
        &[("overlap", "queue"), ("overlap_limit", "9")],
    )
    .await;
    part.submit(
        T,
        &[
            ["+500", "a-1", "g h 2 s=9 x", ""],
            ["+500", "a-11", "g h 2 - x", ""],
            ["+0", "b-1", "g h 0 - x", ""],
        ],
    )
    .await;
    part.hold("3.5.c-1", "1:0", "b=f:700:700:0").await;
    part.settle(T, &[["3.5.c-1", "1", "failed", "0 0 no"]])
        .await;
    part.fire(T, "d/j", "e-1").await;
    part.fire(T + 1, "d/j", "e-2").await;
    for id in [
        "3.1000500.a-1",
        "3.1000000.b-1",
        "3.5.c-1",
        "3.1000001.e-2@d/j",
    ] {
        assert_eq!(part.cancel(T + 2, id).await, ["ENDED"], "{id}");
        let state = part.state().await;
        assert_eq!(state.ends().last(), Some(&(id, "cancelled", WHY)));
        assert_eq!(part.cancel(T + 2, id).await, ["NOWHERE"], "{id}");
        assert_eq!(part.state().await, state);
    }
    let state = part.state().await;
    assert!(
        !state.zsets.contains_key("dead")
            && !state.hashes.contains_key("retry")
            && !state.zsets.contains_key("queue:d/j")
    );
    let wheel: Vec<&str> = state
        .zset("wheel")
        .iter()
        .map(|(entry, _)| *entry)
        .collect();
    assert_eq!(
        wheel,
        [
            "3.1000500.a-11 0:0 g h 2 - x",
            "#3.1000500.a-1 g h 2",
            "@d/j"
        ]
    );
    part.turn(T + 509, 9, &[W]).await;
    assert_eq!(
        part.state().await.ends().len(),
        4,
        "the entry of the start deadline finds nothing"
    );
}

#[tokio::test]
async fn the_last_of_a_ready_set_leaves_no_backlog() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+0", "a-1", "g h 4 - x", ""],
            ["+0", "a-2", "k i 1 - x", ""],
        ],
    )
    .await;
    assert_eq!(part.cancel(T, "3.1000000.a-1").await, ["ENDED"]);
    assert_eq!(part.state().await.zset("backlog"), [("k i", 0)]);
}

#[tokio::test]
async fn a_running_one_is_told_once_more_and_its_grace_counts_from_the_first_call() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let channel = part.key("wake");
    let mut heard = test
        .store
        .redis()
        .subscribe(vec![channel.clone()])
        .await
        .unwrap();
    part.hold("3.5.a-1", "2:1", "g=300").await;
    for now in [T, T + 100] {
        assert_eq!(part.cancel(now, "3.5.a-1").await, ["RUNNING", "w", "2"]);
        let state = part.state().await;
        assert_eq!(state.keys(), ["held", "wheel"]);
        assert!(
            state
                .field("held", "3.5.a-1")
                .contains(" REQUESTED@1000300 ")
        );
        assert_eq!(state.zset("wheel"), [("!reap", T + 300)]);
        let message = loop {
            if let Heard::Message(_, message) = heard.recv().await.unwrap() {
                break message;
            }
        };
        assert_eq!(message, "cancel w 3.5.a-1 2 REQUESTED");
    }
}

#[tokio::test]
async fn a_request_overrules_a_timeout_so_that_nothing_is_retried() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(T, &[["+0", "a-1", "g h 2 t=100,g=300 x", ""]])
        .await;
    part.turn(T, 9, &[W]).await;
    part.reap(T + 100, &[]).await;
    assert_eq!(part.cancel(T + 200, "3.1000000.a-1").await[0], "RUNNING");
    assert!(
        part.state()
            .await
            .field("held", "3.1000000.a-1")
            .contains(" REQUESTED@1000400 "),
        "the grace is that of the timeout"
    );
    assert_eq!(
        part.settle(T + 201, &[["3.1000000.a-1", "1", "timed_out", "0 0 no"]])
            .await,
        "S"
    );
    assert_eq!(
        part.state().await.ends(),
        [("3.1000000.a-1", "cancelled", "no")]
    );
}

#[tokio::test]
async fn the_next_of_the_queue_starts_when_its_predecessor_is_cancelled() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job("d/j", 9 * T, &[("overlap", "queue_one")])
        .await;
    part.fire(T, "d/j", "a-1").await;
    part.fire(T, "d/j", "a-2").await;
    assert_eq!(part.cancel(T, "3.1000000.a-1@d/j").await, ["ENDED"]);
    let state = part.state().await;
    assert_eq!(state.hash("active:d/j"), [("3.1000000.a-2@d/j", "m")]);
    assert_eq!(state.zset("ready:g:h").len(), 1);
}

#[tokio::test]
async fn the_store_knows_what_it_met() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold("3.5.a-1", "2:1", "-").await;
    let met = test
        .store
        .cancel_context(&"3.5.a-1".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(
        met,
        Cancelled::Running {
            worker: "w".parse().unwrap(),
            attempt: 2.into()
        }
    );
    assert_eq!(
        test.store
            .cancel_context(&"3.6.a-1".parse().unwrap())
            .await
            .unwrap(),
        Cancelled::Nowhere
    );
    assert!(
        test.store
            .cancel_context(&"4.6.a-1".parse().unwrap())
            .await
            .is_err(),
        "there are four partitions"
    );
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    let changes = [
        (1, "-1", "now_ms"),
        (2, "", "id"),
        (2, "x", "id"),
        (2, "3.x.a", "id"),
    ];
    test.assert_refused("context/cancel", partition(3), &["", "3.5.a-1"], &changes)
        .await;
}

#[tokio::test]
async fn it_costs_what_its_header_says_however_much_waits() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = Part::new(&test);
    for size in [10_u32, 1_000, 100_000] {
        test.command(&["FLUSHALL"]).await;
        let fill = format!(
            "for i = 1, {size} do
               for priority = 0, 4 do
                 redis.call('ZADD', KEYS[1] .. 'ready:g:h', (4 - priority) * 2^44 + 5, '3.5.b-' .. i .. 'p' .. priority .. ' 0:0 g h 2 - ')
               end
               redis.call('ZADD', KEYS[1] .. 'wheel', 5, '3.5.d-' .. i .. ' 0:0 g h 2 - ')
               redis.call('ZADD', KEYS[1] .. 'queue:d/j', 5, '3.5.e-' .. i .. '@d/j 0:0 g h 2 - ')
             end
             redis.call('ZADD', KEYS[1] .. 'backlog', 0, 'g h')"
        );
        test.text(&["EVAL", &fill, "1", &part.key("")]).await;
        part.put_job(
            "d/j",
            9 * T,
            &[("kind", "fixed_delay"), ("followers", "d/k:ended")],
        )
        .await;
        for (place, id) in [
            ("wheel", "3.5.d-7"),
            ("ready", "3.5.b-7p0"),
            ("queue", "3.5.e-7@d/j"),
            ("nowhere", "3.5.f@d/j"),
        ] {
            let cost = test.cost("context/cancel", part.id, &["", id]).await;
            assert!(
                cost <= 60 + 170,
                "{place}: {cost} commands with {size} entries"
            );
            println!("context/cancel in {place} with {size} entries: {cost} commands");
        }
    }
}
