//! wheel/turn and wheel/fire, overlap: a firing while earlier contexts of its job are active (W6).

use crate::call::{Part, T};
use crate::harness::fresh;

const W: (&str, &str, u64, &str) = ("w", "g", 50, "h");

#[tokio::test]
async fn each_policy_decides_as_the_reference_does() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let table = [
        (
            "parallel",
            "2",
            "F,F,S overlap_parallel,S overlap_parallel",
            2,
            0,
        ),
        (
            "discard",
            "",
            "F,S overlap_discard,S overlap_discard,S overlap_discard",
            1,
            0,
        ),
        ("queue", "2", "F,F,F,S overlap_queue_full", 1, 2),
        (
            "queue_one",
            "",
            "F,F,S overlap_collapsed,S overlap_collapsed",
            1,
            1,
        ),
        ("replace", "", "F,F,F,F", 1, 1),
    ];
    for (policy, limit, verdicts, active, queued) in table {
        let verdicts: Vec<&str> = verdicts.split(',').collect();
        let job = format!("d/{policy}");
        part.put_job(&job, T, &[("overlap", policy), ("overlap_limit", limit)])
            .await;
        for step in 0..4 {
            part.turn(T + step * 1_000, 9, &[W]).await;
        }
        let state = part.state().await;
        let ledger = state.list(&format!("ledger:{job}"));
        for (record, verdict) in ledger.iter().zip(&verdicts) {
            assert!(
                record.contains(&format!(" {verdict}")),
                "{policy}: {ledger:?}"
            );
        }
        assert_eq!(
            state.hash(&format!("active:{job}")).len(),
            active,
            "{policy}"
        );
        assert_eq!(
            state.zset(&format!("queue:{job}")).len(),
            queued,
            "{policy}"
        );
        assert_eq!(
            state
                .hash("held")
                .iter()
                .filter(|(id, _)| id.ends_with(policy))
                .count(),
            active,
            "{policy}"
        );
        let fired = verdicts.iter().filter(|verdict| **verdict == "F").count();
        assert_eq!(
            state.field(&format!("job:{job}"), "fired"),
            fired.to_string(),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn the_queue_is_taken_in_the_order_of_due_times_as_contexts_end() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job("d/j", T, &[("overlap", "queue"), ("overlap_limit", "9")])
        .await;
    for step in 0..3 {
        part.turn(T + step * 1_000, 9, &[W]).await;
    }
    for step in 0..3 {
        let id = format!("3.{}.f@d/j", T + step * 1_000);
        assert_eq!(
            part.settle(T + 2_500, &[[&id, "1", "succeeded", ""]]).await,
            "S"
        );
        let claims = part.turn(T + 2_500, 9, &[W]).await.claims;
        assert_eq!(claims.len(), usize::from(step < 2), "{claims:?}");
    }
    let state = part.state().await;
    assert!(state.hash("active:d/j").is_empty() && state.zset("queue:d/j").is_empty());
    assert_eq!(state.list("runs:d/j").len(), 3);
}

#[tokio::test]
async fn a_replaced_context_is_told_to_stop_and_what_waited_for_it_ends() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        T,
        &[("overlap", "replace"), ("tmpl", "g h 2 g=700 body")],
    )
    .await;
    part.turn(T, 9, &[W]).await;
    part.turn(T + 1_000, 9, &[W]).await;
    let state = part.state().await;
    assert_eq!(
        state.hash("held"),
        [(
            "3.1000000.f@d/j",
            "1:0 w 1000000 1002000 0 REPLACED@1001700 g h 2 g=700 body"
        )]
    );
    assert!(state.zset("wheel").contains(&("!reap", T + 1_700)));
    part.turn(T + 2_000, 9, &[W]).await;
    let state = part.state().await;
    assert_eq!(
        state.ends(),
        [(
            "3.1001000.f@d/j",
            "cancelled",
            "replaced by 3.1002000.f@d/j"
        )]
    );
    assert_eq!(
        state.zset("queue:d/j"),
        [("3.1002000.f@d/j 0:0 g h 2 g=700 body", T + 2_000)]
    );
    assert_eq!(
        part.settle(
            T + 2_001,
            &[["3.1000000.f@d/j", "1", "failed", "0 0 stopped"]]
        )
        .await,
        "S"
    );
    assert_eq!(
        part.turn(T + 2_001, 9, &[W]).await.claims[0].1,
        "3.1002000.f@d/j 1:0 g h 2 g=700 body"
    );
    assert_eq!(
        part.state().await.ends()[1],
        ("3.1000000.f@d/j", "cancelled", "stopped")
    );
}

#[tokio::test]
async fn of_many_late_firings_that_replace_each_other_the_newest_runs() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job("d/j", T, &[("overlap", "replace"), ("misfire", "fire_all")])
        .await;
    let turned = part.turn(T + 3_000, 9, &[W]).await;
    let claims: Vec<&str> = turned
        .claims
        .iter()
        .map(|(_, member)| member.split(' ').next().unwrap())
        .collect();
    assert_eq!(claims, ["3.1003000.f@d/j"]);
    let state = part.state().await;
    assert!(
        state
            .ends()
            .iter()
            .all(|(_, state, _)| *state == "cancelled")
            && state.ends().len() == 3
    );
    assert_eq!(state.hash("active:d/j"), [("3.1003000.f@d/j", "s")]);
}

#[tokio::test]
async fn a_retry_that_is_due_together_with_the_next_firing_is_replaced_too() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        T,
        &[("overlap", "replace"), ("tmpl", "g h 2 b=f:100:100:0 x")],
    )
    .await;
    part.turn(T, 9, &[W]).await;
    assert_eq!(
        part.settle(T, &[["3.1000000.f@d/j", "1", "failed", "0 0 no"]])
            .await,
        "R"
    );
    let turned = part.turn(T + 1_000, 9, &[W]).await;
    assert_eq!(
        turned.claims[0].1,
        "3.1001000.f@d/j 1:0 g h 2 b=f:100:100:0 x"
    );
    let state = part.state().await;
    assert_eq!(
        state.ends(),
        [(
            "3.1000000.f@d/j",
            "cancelled",
            "replaced by 3.1001000.f@d/j"
        )]
    );
    assert!(!state.hashes.contains_key("retry"));
}

#[tokio::test]
async fn a_context_that_waits_for_a_retry_counts_as_active() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job("d/j", T, &[("tmpl", "g h 2 b=f:5000:5000:0 x")])
        .await;
    part.turn(T, 9, &[W]).await;
    assert_eq!(
        part.settle(T, &[["3.1000000.f@d/j", "1", "failed", "0 0 no"]])
            .await,
        "R"
    );
    assert_eq!(part.turn(T + 1_000, 9, &[W]).await.counts, [0, 1, 0]);
}
