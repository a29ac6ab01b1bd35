//! lease/release: an attempt that did not start gives its context back, without a failure.

use crate::call::{Part, T, ready_score};
use crate::harness::{fresh, partition};
use tickwheel_core::id::WorkerId;
use tickwheel_store::lease::{AttemptRef, Holding, Released};

const ID: &str = "3.900.a-1";

#[tokio::test]
async fn a_released_context_is_ready_with_its_attempt_number_used() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "2:1", "-").await;
    part.hold("3.900.a-2", "1:0", "-").await;
    assert_eq!(
        part.release(T, &[[ID, "1"], [ID, "3"], ["3.1.b-1", "1"]])
            .await,
        "0"
    );
    assert_eq!(part.state().await.keys(), ["held"]);
    assert_eq!(part.release(T, &[[ID, "2"], [ID, "2"]]).await, "1");
    let state = part.state().await;
    assert_eq!(state.keys(), ["backlog", "held", "ready:g:h"]);
    assert_eq!(
        state.zset("ready:g:h"),
        [("3.900.a-1 2:1 g h 2 - body", ready_score(2, 900))]
    );
    assert_eq!(part.release(T, &[[ID, "2"]]).await, "0");
    assert_eq!(part.state().await, state);
    let turned = part.turn(T, 9, &[("w", "g", 1, "h")]).await;
    assert_eq!(turned.claims[0].1, "3.900.a-1 3:1 g h 2 - body");
    let holding = |worker: &str| Holding {
        attempt: AttemptRef {
            context: ID.parse().unwrap(),
            attempt: 3.into(),
        },
        worker: WorkerId::new(worker).unwrap(),
    };
    let both = [holding("v"), holding("w")];
    assert_eq!(
        test.store.release(partition(3), &both).await.unwrap(),
        Released {
            released: 1,
            foreign: 1
        }
    );
}

#[tokio::test]
async fn a_context_that_was_cancelled_meanwhile_ends_instead_of_running_again() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job("d/j", T, &[("kind", "fixed_delay"), ("period", "3000")])
        .await;
    part.turn(T, 9, &[("w", "g", 1, "h")]).await;
    let id = "3.1000000.f@d/j";
    assert_eq!(part.cancel(T, id).await, ["RUNNING", "w", "1"]);
    assert_eq!(part.release(T + 1, &[[id, "1"]]).await, "1");
    let state = part.state().await;
    assert_eq!(
        state.ends(),
        [(id, "cancelled", "cancelled before it started")]
    );
    assert!(
        state.hash("held").is_empty()
            && state.hash("active:d/j").is_empty()
            && state.zset("ready:g:h").is_empty()
    );
    assert!(
        state.zset("wheel").contains(&("@d/j", T + 3_001)),
        "the delay goes on"
    );
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    Part::new(&test).hold(ID, "1:0", "-").await;
    let changes = [
        (1, "-1", "now_ms"),
        (2, "", "workers"),
        (3, "0", "count"),
        (3, "1001", "count"),
        (3, "2", "attempts"),
        (6, "x", "attempts"),
    ];
    let args = ["", "w", "1", ID, "1 1"];
    test.assert_refused("lease/release", partition(3), &args, &changes)
        .await;
}
