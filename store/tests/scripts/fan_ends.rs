//! How contexts end that are split by their own handlers: with their last subtask, by their reduce, by failure, by cancellation.

use crate::call::{Part, T};
use crate::fan_pages::{ALL, PAGE, Page, ROOT, claims, fan, split, succeed};
use crate::harness::fresh;

#[tokio::test]
async fn the_root_ends_with_the_last_of_its_subtasks_whoever_is_first() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let (first, second) = (format!("{ROOT}~0"), format!("{ROOT}~1"));
    // The subtasks are first.
    part.hold(ROOT, "1:0", "-").await;
    split(&part, &PAGE, &["a", "b"]).await;
    assert_eq!(claims(&part, T, &[ALL]).await.len(), 2);
    assert_eq!(succeed(&part, &[&first, &second]).await, "SS");
    assert_eq!(fan(&part).await["state"], "open");
    assert_eq!(succeed(&part, &[ROOT]).await, "S");
    assert_eq!(part.state().await.ends(), [(ROOT, "succeeded", "")]);
    // The root is first.
    part.hold(ROOT, "1:0", "-").await;
    split(&part, &PAGE, &["a", "b"]).await;
    claims(&part, T, &[ALL]).await;
    assert_eq!(succeed(&part, &[ROOT, &first]).await, "SS");
    assert_eq!(fan(&part).await["state"], "closed");
    assert_eq!(succeed(&part, &[&second, &first]).await, "SG");
    let state = part.state().await;
    assert_eq!(state.ends().len(), 2);
    assert_eq!(
        state.keys(),
        ["events", "stats", "wheel"],
        "nothing of it is left"
    );
}

#[tokio::test]
async fn the_reduce_runs_once_behind_all_others_and_its_result_is_the_roots() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "-").await;
    let page = Page {
        reduce: "sum 2 b=f:0:0:0,p=r:0",
        ..PAGE
    };
    split(&part, &page, &["a", "b"]).await;
    claims(&part, T, &[ALL]).await;
    succeed(&part, &[ROOT]).await;
    let (first, second, reduce) = (
        format!("{ROOT}~0"),
        format!("{ROOT}~1"),
        format!("{ROOT}~r"),
    );
    part.settle(T, &[[&first, "1", "succeeded", "one"]]).await;
    assert!(
        claims(&part, T, &[ALL]).await.is_empty(),
        "it waits for all"
    );
    part.settle(T, &[[&second, "1", "fatal", "0 0 no"]]).await;
    assert_eq!(claims(&part, T, &[ALL]).await, [format!("{reduce} 1:0")]);
    assert!(part.state().await.field("held", &reduce).ends_with(" body"));
    let page = |attempt: &'static str, cursor: &'static str, limit: &'static str| {
        let (part, reduce) = (&part, reduce.as_str());
        async move {
            let holder = part.holder(reduce, attempt).await;
            part.answer("fan/results", &[reduce, &holder, cursor, limit])
                .await
        }
    };
    assert_eq!(page("1", "0", "1").await, ["PAGE", "1", "0 s one"]);
    assert_eq!(page("1", "1", "9").await, ["PAGE", "2", "1 f no"]);
    assert_eq!(page("1", "2", "9").await, ["PAGE", "2"]);
    assert_eq!(page("2", "0", "9").await, ["STALE"]);
    // It fails, and is tried again by its own policy.
    part.settle(T, &[[&reduce, "1", "failed", "0 0 not yet"]])
        .await;
    assert_eq!(claims(&part, T, &[ALL]).await, [format!("{reduce} 2:1")]);
    let ended = [[reduce.as_str(), "2", "succeeded", "the sum"]];
    assert_eq!(part.settle(T, &ended).await, "S");
    let state = part.state().await;
    assert_eq!(state.ends(), [(ROOT, "succeeded", "")]);
    assert_eq!(state.strings[&format!("result:{ROOT}")], "the sum");
    assert_eq!(part.settle(T, &ended).await, "G");
}

#[tokio::test]
async fn a_reduce_that_wants_only_successes_does_not_run_behind_a_failure() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "r=1").await;
    let page = Page {
        reduce: "sum 2 p=r:0",
        reduce_on: "succeeded",
        ..PAGE
    };
    split(&part, &page, &["a"]).await;
    claims(&part, T, &[ALL]).await;
    succeed(&part, &[ROOT]).await;
    part.settle(T, &[[&format!("{ROOT}~0"), "1", "fatal", "0 0 no"]])
        .await;
    let state = part.state().await;
    assert_eq!(
        state.ends(),
        [(ROOT, "failed", "1 of 1 subtasks failed; 0: no")]
    );
    let mut left = state.keys();
    left.retain(|key| key.contains(ROOT));
    assert_eq!(left, [format!("attempts:{ROOT}")]);
}

#[tokio::test]
async fn a_root_that_fails_is_mapped_anew_with_ids_that_no_old_report_fits() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "r=2,b=f:0:0:0").await;
    let old = format!("{ROOT}~0");
    let once = Page {
        options: "2 r=1,p=m:0",
        ..PAGE
    };
    split(&part, &once, &["a"]).await;
    claims(&part, T, &[ALL]).await;
    succeed(&part, &[ROOT]).await;
    part.settle(T, &[[&old, "1", "failed", "0 0 no"]]).await;
    assert_eq!(claims(&part, T, &[ALL]).await, [format!("{ROOT} 2:1")]);
    let again = Page {
        attempt: "2",
        ..once
    };
    split(&part, &again, &["a"]).await;
    let new = format!("{ROOT}~2.0");
    assert_eq!(claims(&part, T, &[ALL]).await, [format!("{new} 1:0")]);
    // The first round's subtask reports again: nobody takes it for one of the second.
    assert_eq!(succeed(&part, &[&old]).await, "G");
    part.settle(T, &[[ROOT, "2", "succeeded", ""]]).await;
    assert_eq!(succeed(&part, &[&new]).await, "S");
    assert_eq!(part.state().await.ends(), [(ROOT, "succeeded", "")]);
}

#[tokio::test]
async fn subtasks_go_on_while_their_root_waits_for_its_next_attempt() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "b=f:5000:5000:0").await;
    split(&part, &PAGE, &["a", "b"]).await;
    part.settle(T, &[[ROOT, "1", "failed", "0 0 half way"]])
        .await;
    assert_eq!(claims(&part, T, &[ALL]).await.len(), 2);
    succeed(&part, &[&format!("{ROOT}~0")]).await;
    assert_eq!(
        claims(&part, T + 5_000, &[ALL]).await,
        [format!("{ROOT} 2:1")]
    );
    part.settle(T, &[[ROOT, "2", "succeeded", ""]]).await;
    assert_eq!(succeed(&part, &[&format!("{ROOT}~1")]).await, "S");
    assert_eq!(part.state().await.ends(), [(ROOT, "succeeded", "")]);
}

#[tokio::test]
async fn a_root_whose_attempts_are_used_up_drops_what_waits_and_stops_what_runs() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ROOT, "1:0", "r=1").await;
    split(&part, &PAGE, &["a", "b"]).await;
    assert_eq!(claims(&part, T, &[("w", "g", 1, "leaf")]).await.len(), 1);
    part.settle(T, &[[ROOT, "1", "failed", "0 0 boom"]]).await;
    let state = part.state().await;
    let running = format!("{ROOT}~0");
    assert!(state.field("held", &running).contains(" REQUESTED@"));
    assert!(!state.keys().iter().any(|key| key.starts_with("parts:")));
    assert!(state.ends().is_empty(), "it ends with the last of them");
    assert!(claims(&part, T, &[ALL]).await.is_empty());
    part.settle(T, &[[&running, "1", "cancelled", "0 0 told"]])
        .await;
    assert_eq!(part.state().await.ends(), [(ROOT, "failed", "boom")]);
}

#[tokio::test]
async fn a_cancelled_root_takes_its_subtasks_along_wherever_it_is() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let running = format!("{ROOT}~0");
    // Its own attempt runs.
    part.hold(ROOT, "1:0", "-").await;
    split(&part, &PAGE, &["a", "b"]).await;
    claims(&part, T, &[("w", "g", 1, "leaf")]).await;
    assert_eq!(part.cancel(T, ROOT).await, ["RUNNING", "w", "1"]);
    assert!(claims(&part, T, &[ALL]).await.is_empty());
    assert_eq!(split(&part, &PAGE, &["c"]).await, ["STALE"]);
    part.settle(T, &[[&running, "1", "succeeded", "too late"]])
        .await;
    part.settle(T, &[[ROOT, "1", "succeeded", ""]]).await;
    assert_eq!(
        part.state().await.ends(),
        [(ROOT, "cancelled", "cancelled on request")]
    );
    // It waits for its subtasks.
    part.hold(ROOT, "1:0", "-").await;
    split(&part, &PAGE, &["a", "b"]).await;
    claims(&part, T, &[("w", "g", 1, "leaf")]).await;
    succeed(&part, &[ROOT]).await;
    assert_eq!(part.cancel(T, ROOT).await, ["STOPPING"]);
    part.settle(T, &[[&running, "1", "cancelled", "0 0 told"]])
        .await;
    assert_eq!(part.state().await.ends().len(), 2);
    // Nothing of it runs.
    part.hold(ROOT, "1:0", "-").await;
    split(&part, &PAGE, &["a"]).await;
    succeed(&part, &[ROOT]).await;
    assert_eq!(part.cancel(T, ROOT).await, ["ENDED"]);
    let state = part.state().await;
    assert_eq!(state.ends().len(), 3);
    assert!(!state.keys().iter().any(|key| key.contains(ROOT)));
}
