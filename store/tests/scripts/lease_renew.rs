//! lease/renew: a dispatch lease becomes a running one, and a running one goes on.

use std::time::Duration;
use tickwheel_core::cancel::CancelReason;

use crate::call::{Part, T};
use crate::harness::{fresh, partition};
use tickwheel_core::id::WorkerId;
use tickwheel_store::lease::{AttemptRef, Holding, Renewal};

const ID: &str = "3.900.a-1";

#[tokio::test]
async fn a_held_attempt_is_kept_for_its_lease_from_now() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "2:1", "-").await;
    part.hold("3.900.a-2", "1:0", "l=700").await;
    for now in [T + 5, T + 9, T + 9] {
        let (verdicts, details) = part.renew(now, &[[ID, "2"], ["3.900.a-2", "1"]]).await;
        assert_eq!(
            (verdicts.as_str(), details),
            ("KK", vec!["10000".to_owned(), "700".to_owned()])
        );
        let state = part.state().await;
        assert_eq!(state.keys(), ["held"]);
        assert_eq!(
            state.field("held", ID),
            format!("2:1 w {T} {} 0 - g h 2 - body", now + 10_000)
        );
        assert_eq!(
            state.field("held", "3.900.a-2"),
            format!("1:0 w {T} {} 0 - g h 2 l=700 body", now + 700)
        );
    }
}

#[tokio::test]
async fn a_lost_attempt_is_told_so_and_changes_nothing() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "3:0", "-").await;
    let before = part.state().await;
    let (verdicts, details) = part
        .renew(T, &[[ID, "2"], ["3.1.b-1", "1"], [ID, "4"]])
        .await;
    assert_eq!((verdicts.as_str(), details.len()), ("LLL", 0));
    let mut state = part.state().await;
    assert_eq!(state.hashes.remove("stats").unwrap()["stale"], "3");
    assert_eq!(state, before);
}

#[tokio::test]
async fn a_cancelled_attempt_is_kept_until_its_grace_ends_at_most() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for (grace, expires) in [(T + 300, T + 300), (T + 90_000, T + 10_000)] {
        let value = format!("1:0 w {T} {T} 0 REPLACED@{grace} g h 2 - body");
        test.command(&["HSET", &part.key("held"), ID, &value]).await;
        part.hold("3.900.a-2", "1:0", "-").await;
        let (verdicts, details) = part.renew(T, &[[ID, "1"], ["3.900.a-2", "1"]]).await;
        assert_eq!(
            (verdicts.as_str(), details),
            ("CK", vec!["REPLACED".to_owned(), "10000".to_owned()])
        );
        let expected = format!("1:0 w {T} {expires} 0 REPLACED@{grace} g h 2 - body");
        assert_eq!(part.state().await.field("held", ID), expected);
    }
    let attempt = |id: &str| Holding {
        attempt: AttemptRef {
            context: id.parse().unwrap(),
            attempt: 1.into(),
        },
        worker: WorkerId::new("w").unwrap(),
    };
    let renewals = test
        .store
        .renew(
            partition(3),
            &[attempt(ID), attempt("3.1.b-1"), attempt("3.900.a-2")],
        )
        .await
        .unwrap();
    let expected = [
        Renewal::Cancelling(CancelReason::Replaced),
        Renewal::Lost,
        Renewal::Kept(Duration::from_secs(10)),
    ];
    assert_eq!(renewals, expected);
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
    test.assert_refused("lease/renew", partition(3), &args, &changes)
        .await;
}
