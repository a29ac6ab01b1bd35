//! Contexts that are split by their own handlers: what fan/split takes and refuses, and what follows from the ends of subtasks.

use crate::call::{Offer, Part, T};
use crate::fan_pages::{ALL, PAGE, Page, ROOT, claims, fan, split, succeed};
use crate::harness::fresh;

#[tokio::test]
async fn items_become_subtasks_that_are_claimed_in_their_order() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "-").await;
    assert_eq!(split(&part, &PAGE, &["a", "b c"]).await, ["TAKEN", "2"]);
    let state = part.state().await;
    assert_eq!(
        state.lists[&format!("parts:leaf:{ROOT}")],
        ["0 0:0 a", "1 0:0 b c"]
    );
    assert_eq!(state.field("fans", ROOT), "map");
    assert_eq!(
        state.zset("backlog"),
        [(format!("g leaf /{ROOT}").as_str(), 0)]
    );
    let turned = part.turn(T, 100, &[("w", "g", 1, "leaf")]).await;
    assert_eq!(
        turned.claims,
        [(
            "w".to_owned(),
            format!("{ROOT}~0 1:0 g leaf 2 b=f:0:0:0,p=m:0 a")
        )]
    );
    assert_eq!(turned.backlog["g leaf"], 1);
    let state = part.state().await;
    let held = state.field("held", &format!("{ROOT}~0"));
    assert!(held.starts_with("1:0 w ") && held.ends_with(" a"), "{held}");
    assert_eq!(fan(&part).await["out"], "1");
}

#[tokio::test]
async fn a_handler_that_runs_again_maps_again_and_nothing_twice() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "-").await;
    assert_eq!(split(&part, &PAGE, &["a", "b"]).await, ["TAKEN", "2"]);
    assert_eq!(split(&part, &PAGE, &["a", "b"]).await, ["TAKEN", "2"]);
    // Its worker dies; the second attempt maps from the beginning.
    part.reap(T, &["w"]).await;
    assert_eq!(
        claims(&part, T, &[("w", "g", 1, "h")]).await,
        [format!("{ROOT} 2:1")]
    );
    let again = Page {
        attempt: "2",
        ..PAGE
    };
    assert_eq!(split(&part, &PAGE, &["a"]).await, ["STALE"]);
    assert_eq!(split(&part, &again, &["a"]).await, ["TAKEN", "2"]);
    let on = Page {
        offset: "1",
        ..again
    };
    assert_eq!(split(&part, &on, &["b", "c"]).await, ["TAKEN", "3"]);
    assert_eq!(
        part.state().await.lists[&format!("parts:leaf:{ROOT}")],
        ["0 0:0 a", "1 0:0 b", "2 0:0 c"]
    );
    assert_eq!(part.state().await.field("stats", "stale"), "1");
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_with_field_rule_and_value_and_changes_nothing() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "-").await;
    let reduce = Page {
        reduce: "sum 2 p=r:0",
        ..PAGE
    };
    let refused = split(&part, &reduce, &[]).await;
    assert_eq!(refused[..2], ["REFUSED", "reduce"]);
    let gap = Page {
        offset: "3",
        ..PAGE
    };
    let before = part.state().await;
    let refused = split(&part, &gap, &["d"]).await;
    assert_eq!(
        refused,
        [
            "REFUSED",
            "offset",
            "is at most the number of items taken so far, 0",
            "3"
        ]
    );
    assert_eq!(part.state().await, before);
    assert_eq!(split(&part, &reduce, &["a"]).await, ["TAKEN", "1"]);
    let other = Page {
        offset: "1",
        reduce: "other 2 p=r:0",
        ..PAGE
    };
    let before = part.state().await;
    assert_eq!(
        split(&part, &other, &["b"]).await[..2],
        ["REFUSED", "reduce"]
    );
    part.test
        .command(&[
            "HSET",
            &part.key(&format!("fan:{ROOT}")),
            "total",
            "9999999",
        ])
        .await;
    let next = Page {
        offset: "1",
        ..PAGE
    };
    let refused = split(&part, &next, &["b", "c"]).await;
    assert_eq!(
        refused,
        [
            "REFUSED",
            "items",
            "are at most 10000000 for one context",
            "10000001"
        ]
    );
    part.test
        .command(&["HSET", &part.key(&format!("fan:{ROOT}")), "total", "1"])
        .await;
    assert_eq!(part.state().await, before);
}

#[tokio::test]
async fn a_map_of_nothing_is_reduced_once_over_no_results() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "-").await;
    // A map of nothing alone leaves nothing to wait for.
    assert_eq!(split(&part, &PAGE, &[]).await, ["TAKEN", "0"]);
    assert!(part.state().await.hash("fans").is_empty());
    let reduce = Page {
        reduce: "sum 2 p=r:0 mapped",
        ..PAGE
    };
    for _ in 0..2 {
        assert_eq!(split(&part, &reduce, &[]).await, ["TAKEN", "0"]);
    }
    assert_eq!(part.state().await.field("fans", ROOT), "map");
    assert!(claims(&part, T, &[ALL]).await.is_empty(), "its root maps");
    assert_eq!(succeed(&part, &[ROOT]).await, "S");
    assert!(part.state().await.ends().is_empty());
    let reduces = format!("{ROOT}~r");
    assert_eq!(claims(&part, T, &[ALL]).await, [format!("{reduces} 1:0")]);
    assert!(claims(&part, T, &[ALL]).await.is_empty(), "it runs once");
    let holder = part.holder(&reduces, "1").await;
    let page = part
        .answer("fan/results", &[&reduces, &holder, "0", "100"])
        .await;
    assert_eq!(page[0], "PAGE", "{page:?}");
    assert_eq!(
        part.settle(T, &[[&reduces, "1", "succeeded", "0"]]).await,
        "S"
    );
    let state = part.state().await;
    assert_eq!(state.ends(), [(ROOT, "succeeded", "")]);
    assert!(state.hash("fans").is_empty() && !state.hashes.contains_key(&format!("fan:{ROOT}")));
}

#[tokio::test]
async fn an_attempt_that_maps_after_one_that_had_nothing_is_reduced_with_its_items() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "-").await;
    let reduce = Page {
        reduce: "sum 2 p=r:0 mapped",
        ..PAGE
    };
    assert_eq!(split(&part, &reduce, &[]).await, ["TAKEN", "0"]);
    part.reap(T, &["w"]).await;
    claims(&part, T, &[("w", "g", 1, "h")]).await;
    let again = Page {
        attempt: "2",
        ..PAGE
    };
    assert_eq!(split(&part, &again, &["a"]).await, ["TAKEN", "1"]);
    let reduce = Page {
        attempt: "2",
        offset: "1",
        ..reduce
    };
    assert_eq!(split(&part, &reduce, &[]).await, ["TAKEN", "1"]);
    let ended = part.settle(T, &[[ROOT, "2", "succeeded", ""]]).await;
    assert_eq!(ended, "S");
    assert_eq!(claims(&part, T, &[ALL]).await, [format!("{ROOT}~0 1:0")]);
    assert_eq!(succeed(&part, &[&format!("{ROOT}~0")]).await, "S");
    assert_eq!(claims(&part, T, &[ALL]).await, [format!("{ROOT}~r 1:0")]);
}

#[tokio::test]
async fn a_cancelled_subtask_fails_alone_wherever_it_is() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "r=1").await;
    let later = Page {
        options: "2 b=f:9000:9000:0,p=m:0",
        ..PAGE
    };
    split(&part, &later, &["a", "b", "c", "d"]).await;
    claims(&part, T, &[("w", "g", 2, "leaf")]).await;
    let id = |n: u32| format!("{ROOT}~{n}");
    part.settle(T, &[[&id(0), "1", "failed", "0 0 later"]])
        .await;
    assert_eq!(part.cancel(T, &id(0)).await, ["ENDED"], "in the wheel");
    assert_eq!(part.cancel(T, &id(1)).await, ["RUNNING", "w", "1"]);
    assert_eq!(part.cancel(T, &id(3)).await, ["ENDED"], "in its list");
    assert_eq!(part.cancel(T, &id(3)).await, ["NOWHERE"]);
    assert_eq!(part.cancel(T, &id(9)).await, ["NOWHERE"]);
    part.settle(T, &[[&id(1), "1", "cancelled", "0 0 told"]])
        .await;
    assert_eq!(fan(&part).await["failed"], "3");
    assert_eq!(claims(&part, T, &[ALL]).await, [format!("{} 1:0", id(2))]);
    succeed(&part, &[&id(2), ROOT]).await;
    assert_eq!(
        part.state().await.ends(),
        [(
            ROOT,
            "failed",
            "3 of 4 subtasks failed; 0: cancelled on request"
        )]
    );
}

#[tokio::test]
async fn a_subtask_that_takes_workers_along_fails_alone() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "r=1").await;
    let many = Page {
        options: "2 r=9,p=m:0",
        ..PAGE
    };
    split(&part, &many, &["poison", "b"]).await;
    part.settle(T, &[[ROOT, "1", "succeeded", ""]]).await;
    for worker in ["v1", "v2", "v3"] {
        assert_eq!(claims(&part, T, &[(worker, "g", 1, "leaf")]).await.len(), 1);
        part.reap(T, &[worker]).await;
    }
    let fan = fan(&part).await;
    assert_eq!((fan["failed"].as_str(), fan["out"].as_str()), ("1", "0"));
    let error = &fan["error"];
    assert!(
        error.starts_with("0: its worker is gone; the leases of 2 attempts"),
        "{error}"
    );
}

#[tokio::test]
async fn a_subtask_may_map_again_and_its_items_are_the_roots() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "-").await;
    split(&part, &PAGE, &["a"]).await;
    let first = format!("{ROOT}~0");
    claims(&part, T, &[ALL]).await;
    succeed(&part, &[ROOT]).await;
    let deeper = Page { id: &first, ..PAGE };
    assert_eq!(split(&part, &deeper, &["x", "y"]).await, ["TAKEN", "2"]);
    assert_eq!(split(&part, &deeper, &["x", "y"]).await, ["TAKEN", "2"]);
    succeed(&part, &[&first]).await;
    assert_eq!(split(&part, &deeper, &["z"]).await, ["STALE"]);
    assert!(!fan(&part).await.contains_key("m:0"), "it maps no more");
    assert_eq!(
        claims(&part, T, &[ALL]).await,
        [format!("{ROOT}~1 1:0"), format!("{ROOT}~2 1:0")]
    );
    succeed(&part, &[&format!("{ROOT}~1"), &format!("{ROOT}~2")]).await;
    assert_eq!(part.state().await.ends(), [(ROOT, "succeeded", "")]);
}

#[tokio::test]
async fn no_more_run_at_once_than_the_first_page_says() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "-").await;
    let two = Page {
        parallelism: "2",
        ..PAGE
    };
    split(&part, &two, &["a", "b", "c"]).await;
    let turned = part.turn(T, 100, &[ALL]).await;
    assert_eq!((turned.claims.len(), turned.backlog.len()), (2, 0));
    assert!(claims(&part, T, &[ALL]).await.is_empty());
    succeed(&part, &[&format!("{ROOT}~0")]).await;
    assert_eq!(claims(&part, T, &[ALL]).await, [format!("{ROOT}~2 1:0")]);
}

#[tokio::test]
async fn a_root_of_many_does_not_hold_up_what_becomes_due_later() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "-").await;
    split(&part, &PAGE, &["a", "b", "c", "d", "e"]).await;
    // Due 2 ms behind the root: between its third and its fourth subtask.
    part.submit(T, &[["902", "b-1", "g h 2 - x", ""]]).await;
    let offer: Offer<'_> = ("w", "g", 4, "h,leaf");
    let claimed = claims(&part, T, &[offer]).await;
    assert!(claimed.contains(&"3.902.b-1 1:0".to_owned()), "{claimed:?}");
    assert_eq!(claimed.len(), 4);
}

#[tokio::test]
async fn arguments_out_of_range_are_refused() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "-").await;
    let good = [
        "1", ROOT, "1 w", "0", "leaf", "2 p=m:0", "0", "", "ended", "item",
    ];
    let long = "x".repeat(262_145);
    test.assert_refused(
        "fan/split",
        part.id,
        &good,
        &[
            (1, "x", "now_ms"),
            (2, "", "id"),
            (3, "1", "holder"),
            (4, "10000001", "offset"),
            (5, "two words", "handler"),
            (6, "9 -", "handler"),
            (7, "-1", "parallelism"),
            (8, "sum", "reduce"),
            (8, "sum 2 p=r:0 later", "reduce"),
            (9, "later", "reduce_on"),
            (10, &long, "items"),
        ],
    )
    .await;
    test.assert_refused(
        "fan/results",
        part.id,
        &["3.900.a-1~r", "1 w", "0", "10"],
        &[
            (1, "", "id"),
            (2, "x", "holder"),
            (3, "-1", "cursor"),
            (4, "1001", "limit"),
        ],
    )
    .await;
}
