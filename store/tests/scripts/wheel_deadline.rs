//! wheel/turn, start deadlines: a context that did not start in time ends as expired, wherever it waits.

use crate::call::{Part, T};
use crate::harness::fresh;

const LATE: &str = "not started by its start deadline";

#[tokio::test]
async fn a_waiting_context_expires_at_its_deadline() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+0", "a-1", "g h 2 s=70 x", ""],
            ["+0", "a-2", "g h 2 - x", ""],
        ],
    )
    .await;
    assert_eq!(part.turn(T + 69, 9, &[]).await.backlog.len(), 1);
    part.turn(T + 70, 9, &[]).await;
    let state = part.state().await;
    assert_eq!(state.ends(), [("3.1000000.a-1", "expired", LATE)]);
    assert_eq!(
        state.zset("dead"),
        [(
            format!(
                "3.1000000.a-1\texpired\t0\t-\t0\t{}\t{LATE}\tg\th\t0\n0 g h 2 s=70 x",
                T + 70
            )
            .as_str(),
            T + 70
        )]
    );
    assert_eq!(state.zset("ready:g:h").len(), 1);
    part.turn(T + 70, 9, &[]).await;
    assert_eq!(part.state().await, state);
}

#[tokio::test]
async fn the_last_waiting_context_takes_its_ready_set_out_of_the_backlog() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(T, &[["+0", "a-1", "g h 2 s=70 x", ""]]).await;
    assert!(
        part.turn(T + 70, 9, &[("w", "g", 1, "h")])
            .await
            .claims
            .is_empty()
    );
    assert_eq!(part.state().await.keys(), ["dead", "events"]);
}

#[tokio::test]
async fn a_context_that_started_in_time_is_left_alone() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+0", "a-1", "g h 2 s=70,b=f:0:0:0 x", ""],
            ["+0", "a-2", "g h 2 s=70,b=f:500:500:0 x", ""],
        ],
    )
    .await;
    part.turn(T, 9, &[("w", "g", 9, "h")]).await;
    let ends = [
        ["3.1000000.a-1", "1", "failed", "0 0 no"],
        ["3.1000000.a-2", "1", "failed", "0 0 no"],
    ];
    assert_eq!(part.settle(T + 9, &ends).await, "RR");
    part.turn(T + 70, 9, &[]).await;
    let turned = part.turn(T + 600, 9, &[("w", "g", 9, "h")]).await;
    assert_eq!(
        (turned.claims.len(), part.state().await.ends().len()),
        (2, 0)
    );
}

#[tokio::test]
async fn a_context_whose_only_attempts_were_refused_did_not_start() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(T, &[["+0", "a-1", "g h 2 s=70 x", ""]]).await;
    part.turn(T, 9, &[("w", "g", 9, "h")]).await;
    assert_eq!(part.release(T + 1, &[["3.1000000.a-1", "1"]]).await, "1");
    part.turn(T + 70, 9, &[]).await;
    assert_eq!(
        part.state().await.ends(),
        [("3.1000000.a-1", "expired", LATE)]
    );
}

#[tokio::test]
async fn after_a_pause_of_all_trackers_nothing_starts_behind_its_deadline() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+5", "a-1", "g h 2 s=70 x", ""],
            ["+6", "a-2", "g h 2 s=71 x", ""],
            ["+7", "a-3", "g h 2 s=900 x", ""],
        ],
    )
    .await;
    let turned = part.turn(T + 800, 2, &[("w", "g", 9, "h")]).await;
    assert!(turned.claims.is_empty(), "{turned:?}");
    let turned = part.turn(T + 800, 9, &[("w", "g", 9, "h")]).await;
    assert_eq!(turned.claims.len(), 1);
    let state = part.state().await;
    assert_eq!(
        state.ends(),
        [
            ("3.1000005.a-1", "expired", LATE),
            ("3.1000006.a-2", "expired", LATE)
        ]
    );
}

#[tokio::test]
async fn a_ready_context_is_not_claimed_behind_its_deadline() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+0", "a-1", "g h 2 s=70 x", ""],
            ["+1", "a-2", "g h 2 - x", ""],
            ["+1", "a-3", "g h 2 - x", ""],
        ],
    )
    .await;
    // The limit leaves the entry of the deadline in the wheel, behind the two contexts.
    let turned = part.turn(T + 80, 2, &[("w", "g", 1, "h")]).await;
    assert_eq!(
        turned
            .claims
            .iter()
            .map(|(_, member)| &member[..13])
            .collect::<Vec<_>>(),
        ["3.1000001.a-2"]
    );
    assert_eq!(
        part.state().await.ends(),
        [("3.1000000.a-1", "expired", LATE)]
    );
}

#[tokio::test]
async fn a_firing_behind_its_deadline_expires_and_a_delay_goes_on() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let fields = [
        ("kind", "fixed_delay"),
        ("period", "500"),
        ("tmpl", "g h 2 s=70 x"),
    ];
    part.put_job("d/j", T, &fields).await;
    let turned = part.turn(T + 80, 9, &[("w", "g", 9, "h")]).await;
    assert!(turned.claims.is_empty());
    let state = part.state().await;
    assert_eq!(state.ends(), [("3.1000000.f@d/j", "expired", LATE)]);
    assert_eq!(state.field("job:d/j", "next"), "1000580");
    assert!(state.zset("wheel").contains(&("@d/j", T + 580)));
    assert!(state.hash("active:d/j").is_empty());
}

#[tokio::test]
async fn a_context_in_the_overlap_queue_expires_too() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        9 * T,
        &[
            ("overlap", "queue"),
            ("overlap_limit", "5"),
            ("tmpl", "g h 2 s=70 x"),
        ],
    )
    .await;
    assert_eq!(part.fire(T, "d/j", "a-1").await[0], "STARTED");
    part.turn(T, 9, &[("w", "g", 9, "h")]).await;
    assert_eq!(part.fire(T + 1, "d/j", "a-2").await[0], "QUEUED");
    part.turn(T + 71, 9, &[("w", "g", 9, "h")]).await;
    let state = part.state().await;
    assert_eq!(state.ends(), [("3.1000001.a-2@d/j", "expired", LATE)]);
    assert!(state.zset("queue:d/j").is_empty());
    assert_eq!(state.hash("active:d/j"), [("3.1000000.a-1@d/j", "m")]);
}

#[tokio::test]
async fn what_one_expiry_starts_may_expire_in_the_same_turn() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        9 * T,
        &[
            ("overlap", "queue"),
            ("overlap_limit", "5"),
            ("tmpl", "g h 2 s=70 x"),
        ],
    )
    .await;
    for (step, status) in (0..).zip(["STARTED", "QUEUED", "QUEUED"]) {
        assert_eq!(part.fire(T + step, "d/j", "a-1").await[0], status);
    }
    assert!(
        part.turn(T + 71, 9, &[("w", "g", 9, "h")]).await.claims[0]
            .1
            .starts_with("3.1000002.")
    );
    assert_eq!(part.state().await.ends().len(), 2);
}
