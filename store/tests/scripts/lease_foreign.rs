//! Reports of an attempt by another worker than the one that holds it: refused and counted, and nothing else changes.

use crate::call::{Part, T};
use crate::fan_pages::{ALL, PAGE, claims, split};
use crate::harness::{alone, fresh, partition};

const ID: &str = "3.900.a-1";

/// What is in the partition but for its counters, and those.
async fn seen(part: &Part<'_>) -> (crate::call::State, Option<String>) {
    let mut state = part.state().await;
    let stats = state.hashes.remove("stats").unwrap_or_default();
    (state, stats.get("foreign").cloned())
}

#[tokio::test]
async fn a_settlement_of_another_workers_attempt_changes_nothing() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for id in [ID, "3.900.a-2", "3.900.f@d/j"] {
        part.hold(id, "1:0", "-").await;
    }
    let (before, _) = seen(&part).await;
    let mut forged = 0;
    for (outcome, payload) in [
        ("succeeded", ""),
        ("succeeded", "forged result"),
        ("failed", "0 0 forged"),
        ("fatal", "0 0 forged"),
        ("retry_after", "0 9 forged"),
        ("cancelled", "0 0 forged"),
        ("timed_out", "0 0 forged"),
    ] {
        let all = [ID, "3.900.a-2", "3.900.f@d/j"].map(|id| [id, "1", outcome, payload]);
        assert_eq!(part.settle_by(T, &["x", "y", "x"], &all).await, "FFF");
        forged += 3;
        assert_eq!(
            seen(&part).await,
            (before.clone(), Some(forged.to_string())),
            "{outcome}"
        );
    }
    // In one batch with its holder's, of which it changes nothing: claimed together, they have the same head.
    let mixed = [
        [ID, "1", "succeeded", ""],
        ["3.900.a-2", "1", "succeeded", ""],
        ["3.900.f@d/j", "2", "succeeded", ""],
    ];
    assert_eq!(part.settle_by(T, &["x", "w", "x"], &mixed).await, "FSL");
    assert_eq!(part.settle_by(T, &["w", "x", "w"], &mixed).await, "SGL");
    let state = part.state().await;
    assert_eq!(state.hashes["stats"]["stale"], "3");
    assert_eq!(state.settled.len(), 2);
    // What ended beside a report that is refused is not held any more.
    part.hold(ID, "2:0", "b=f:9:9:0").await;
    part.hold("3.900.a-2", "2:0", "-").await;
    let mixed = [
        [ID, "2", "failed", "0 0 no"],
        ["3.900.a-2", "2", "succeeded", "result"],
        ["3.900.f@d/j", "1", "succeeded", ""],
    ];
    assert_eq!(part.settle_by(T, &["w", "w", "x"], &mixed).await, "RSF");
    let held = part.state().await.hashes.remove("held").unwrap();
    assert_eq!(held.into_keys().collect::<Vec<_>>(), ["3.900.f@d/j"]);
}

#[tokio::test]
async fn leases_of_other_workers_are_neither_renewed_nor_released() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "2:1", "-").await;
    let (before, _) = seen(&part).await;
    assert_eq!(part.renew_by(T + 9, "x", &[[ID, "2"]]).await.0, "F");
    let released = part.release_by(T + 9, "x", &[[ID, "2"]]).await;
    assert_eq!(released, ("0".to_owned(), "1".to_owned()));
    assert_eq!(seen(&part).await, (before, Some("2".to_owned())));
    // The holder, whichever place it has in the call.
    let both = [[ID, "2"], [ID, "2"]];
    assert_eq!(part.renew_by(T + 9, "x w", &both).await.0, "FK");
    assert_eq!(
        part.release_by(T + 9, "x w", &both).await,
        ("1".to_owned(), "1".to_owned())
    );
}

#[tokio::test]
async fn another_worker_writes_no_log_and_no_progress() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "1:0", "-").await;
    let (before, _) = seen(&part).await;
    let note = |holder: &'static str| async move {
        let args = [ID, holder, "50", "half", "0", "i0", "forged line"];
        part.answer("context/append_log", &args).await
    };
    assert_eq!(note("1 x").await, ["FOREIGN"]);
    assert_eq!(note("1 ww").await, ["FOREIGN"]);
    assert_eq!(seen(&part).await, (before, Some("2".to_owned())));
    assert_eq!(note("2 w").await, ["STALE"]);
    assert_eq!(note("1 w").await, ["WRITTEN", "1"]);
}

#[tokio::test]
async fn another_worker_maps_nothing_and_reads_no_results() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "1:0", "-").await;
    let (before, _) = seen(&part).await;
    let now = T.to_string();
    let forged = [
        &now, ID, "1 x", "0", "leaf", "2 p=m:0", "0", "", "ended", "forged",
    ];
    assert_eq!(part.answer("fan/split", &forged).await, ["FOREIGN"]);
    assert_eq!(seen(&part).await, (before, Some("1".to_owned())));

    let page = crate::fan_pages::Page {
        reduce: "sum 2 b=f:0:0:0,p=r:0",
        ..PAGE
    };
    split(&part, &page, &["a"]).await;
    claims(&part, T, &[ALL]).await;
    crate::fan_pages::succeed(&part, &[ID, &format!("{ID}~0")]).await;
    let reduce = format!("{ID}~r");
    assert_eq!(claims(&part, T, &[ALL]).await, [format!("{reduce} 1:0")]);
    let read = |holder: &'static str| {
        let (part, reduce) = (part, reduce.clone());
        async move {
            part.answer("fan/results", &[&reduce, holder, "0", "9"])
                .await
        }
    };
    assert_eq!(read("1 x").await, ["FOREIGN"]);
    assert_eq!(read("2 w").await, ["STALE"]);
    assert_eq!(read("1 w").await, ["PAGE", "1", "0 s "]);
}

#[tokio::test]
async fn the_check_costs_a_plain_settlement_no_command() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = Part {
        test: &test,
        id: partition(0),
    };
    part.hold("0.900.a-1", "1:0", "-").await;
    let now = T.to_string();
    let args = [&now, "w", "1", "0.900.a-1", "1 1", "0"];
    // HMGET, EXISTS, HDEL, XADD.
    assert_eq!(test.cost("lease/settle", part.id, &args).await, 4);
}
