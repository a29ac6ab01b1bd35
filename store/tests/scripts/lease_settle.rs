//! lease/settle: the end of an attempt, and of its context or not.

use crate::call::{Part, T, ready_score};
use crate::harness::{fresh, partition};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tickwheel_core::id::WorkerId;
use tickwheel_core::job::{Backoff, RetryPolicy};
use tickwheel_reference::backoff::delay_after;
use tickwheel_store::lease::{AttemptRef, Outcome, Settlement, Verdict};

const ID: &str = "3.900.a-1";

#[tokio::test]
async fn success_ends_a_context_and_keeps_its_result() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "2:1", "-").await;
    part.hold("3.900.a-2", "1:0", "-").await;
    assert_eq!(
        part.settle(
            T,
            &[
                [ID, "2", "succeeded", "a result"],
                ["3.900.a-2", "1", "succeeded", ""]
            ]
        )
        .await,
        "SS"
    );
    let state = part.state().await;
    assert_eq!(state.keys(), ["events", "result:3.900.a-1"]);
    // What ended without a result is written first.
    assert_eq!(
        state.settled,
        [
            format!("3.900.a-2\tsucceeded\t1\tw\t{T}\t{T}\t\tg\th\t0"),
            format!("{ID}\tsucceeded\t2\tw\t{T}\t{T}\t\tg\th\t1")
        ]
    );
    assert_eq!(state.strings["result:3.900.a-1"], "a result");
    let kept: u64 = test
        .text(&["PTTL", &part.key("result:3.900.a-1")])
        .await
        .parse()
        .unwrap();
    assert!((1..=86_400_000).contains(&kept));
    assert_eq!(
        part.settle(T, &[[ID, "2", "succeeded", "another"]]).await,
        "G"
    );
    let state = part.state().await;
    assert_eq!(
        (state.field("stats", "stale"), state.settled.len()),
        ("1", 2)
    );
    assert_eq!(state.strings["result:3.900.a-1"], "a result");
}

#[tokio::test]
async fn an_older_or_unknown_attempt_changes_nothing() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "3:0", "-").await;
    let before = part.state().await;
    for outcome in [
        "succeeded",
        "failed",
        "fatal",
        "retry_after",
        "cancelled",
        "timed_out",
    ] {
        let payload = if outcome == "succeeded" { "" } else { "0 0 no" };
        let settlements = [
            [ID, "2", outcome, payload],
            [ID, "4", outcome, payload],
            ["3.1.b-1", "1", outcome, payload],
        ];
        assert_eq!(part.settle(T, &settlements).await, "LLG");
    }
    let mut state = part.state().await;
    assert_eq!(state.field("stats", "stale"), "18");
    state.hashes.remove("stats");
    assert_eq!(state, before);
}

#[tokio::test]
async fn one_call_settles_a_context_once() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "1:0", "r=1").await;
    let settlements = [
        [ID, "1", "failed", "0 0 no"],
        [ID, "1", "succeeded", "late"],
        [ID, "1", "failed", "0 0 no"],
    ];
    assert_eq!(part.settle(T, &settlements).await, "SGG");
    assert_eq!(part.state().await.ends(), [(ID, "failed", "no")]);
}

#[tokio::test]
async fn each_outcome_ends_or_retries_as_its_policy_says() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let fixed = "b=f:70:70:0";
    let table = [
        ("failed", "0 0 no", fixed, "1:0", "R", Some(T + 70)),
        ("failed", "0 0 no", fixed, "9:2", "S", None),
        ("failed", "0 0 no", "r=1", "1:0", "S", None),
        ("timed_out", "0 0 no", fixed, "1:1", "R", Some(T + 70)),
        ("timed_out", "0 0 no", fixed, "1:2", "S", None),
        (
            "retry_after",
            "0 5000 no",
            fixed,
            "1:1",
            "R",
            Some(T + 5_000),
        ),
        ("retry_after", "0 5000 no", fixed, "1:2", "S", None),
        ("fatal", "0 0 no", fixed, "1:0", "S", None),
        ("cancelled", "0 0 no", fixed, "1:0", "S", None),
    ];
    for (outcome, payload, options, attempt, verdict, again) in table {
        part.hold(ID, attempt, options).await;
        let number = attempt.split(':').next().unwrap();
        assert_eq!(
            part.settle(T, &[[ID, number, outcome, payload]]).await,
            verdict,
            "{outcome} {attempt}"
        );
        let state = part.state().await;
        assert!(!state.hashes.contains_key("held"));
        let failures: u32 = attempt.split(':').nth(1).unwrap().parse().unwrap();
        let member = format!("{ID} {number}:{} g h 2 {options} body", failures + 1);
        if let Some(at) = again {
            assert_eq!(
                state.zset("wheel"),
                [(member.as_str(), at)],
                "{outcome} {attempt}"
            );
            assert_eq!(state.hash("retry"), [(ID, at.to_string().as_str())]);
            let kept = ["attempted", "attempts:3.900.a-1"];
            assert_eq!(state.keys()[..2], kept);
            assert_eq!(state.keys()[2..], ["retry", "wheel"]);
        } else {
            let word = if ["failed", "fatal", "retry_after"].contains(&outcome) {
                "failed"
            } else {
                outcome
            };
            assert_eq!(state.ends(), [(ID, word, "no")], "{outcome} {attempt}");
            let how = &state.settled[0];
            let dead_member = format!("{how}\n{} g h 2 {options} body", failures + 1);
            let dead = if outcome == "cancelled" {
                vec![]
            } else {
                vec![(dead_member.as_str(), T)]
            };
            assert_eq!(state.zset("dead"), dead);
        }
        test.command(&[
            "DEL",
            &part.key("wheel"),
            &part.key("retry"),
            &part.key("events"),
            &part.key("dead"),
        ])
        .await;
    }
}

#[tokio::test]
async fn a_retry_without_delay_is_ready_at_once() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "1:0", "-").await;
    assert_eq!(
        part.settle(T, &[[ID, "1", "retry_after", "0 0 no"]]).await,
        "R"
    );
    let state = part.state().await;
    assert_eq!(state.keys()[2..], ["backlog", "ready:g:h"]);
    assert_eq!(
        state.zset("ready:g:h"),
        [("3.900.a-1 1:1 g h 2 - body", ready_score(2, 900))]
    );
}

#[tokio::test]
async fn a_cancelled_attempt_ends_its_context_and_a_timed_out_one_may_retry() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for (cancel, outcome, verdict) in [
        ("REQUESTED@9", "failed", "S"),
        ("REPLACED@9", "timed_out", "S"),
        ("REQUESTED@9", "retry_after", "S"),
        ("TIMED_OUT@9", "timed_out", "R"),
        ("TIMED_OUT@9", "failed", "R"),
        ("REQUESTED@9", "succeeded", "S"),
    ] {
        let value = format!("1:0 w {T} {T} 0 {cancel} g h 2 - body");
        test.command(&["HSET", &part.key("held"), ID, &value]).await;
        assert_eq!(
            part.settle(T, &[[ID, "1", outcome, "0 7 no"]]).await,
            verdict,
            "{cancel} {outcome}"
        );
        let state = part.state().await;
        let word = if outcome == "succeeded" {
            "succeeded"
        } else {
            "cancelled"
        };
        let ends: Vec<&str> = state.ends().iter().map(|(_, state, _)| *state).collect();
        assert_eq!(
            ends,
            if verdict == "S" { vec![word] } else { vec![] },
            "{cancel} {outcome}"
        );
        test.command(&[
            "DEL",
            &part.key("wheel"),
            &part.key("retry"),
            &part.key("events"),
            &part.key("backlog"),
        ])
        .await;
    }
}

#[tokio::test]
async fn messages_are_cleaned_and_cut() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "1:0", "r=1").await;
    let message = format!("0 0 a\tb\nc\r{}", "x".repeat(3_000));
    assert_eq!(part.settle(T, &[[ID, "1", "failed", &message]]).await, "S");
    let state = part.state().await;
    let fields: Vec<&str> = state.settled[0].split('\t').collect();
    assert_eq!(
        (fields.len(), fields[6].len(), &fields[6][..6]),
        (10, 1_024, "a b c ")
    );
}

#[tokio::test]
async fn the_contexts_of_a_job_leave_a_bounded_history() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        9 * T,
        &[
            ("overlap", "parallel"),
            ("overlap_limit", "9"),
            ("runs_limit", "3"),
        ],
    )
    .await;
    for i in 0..40 {
        let id = part.fire(T, "d/j", &format!("a-{i}")).await[1].clone();
        part.turn(T, 9, &[("w", "g", 9, "h")]).await;
        assert_eq!(part.settle(T, &[[&id, "1", "succeeded", ""]]).await, "S");
    }
    let state = part.state().await;
    assert!(
        state.list("runs:d/j").len() <= 3 + 16
            && state.list("runs:d/j").last().unwrap().contains("a-39")
    );
    assert!(state.hash("active:d/j").is_empty());
}

#[tokio::test]
async fn a_job_that_is_gone_gets_no_history() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold("3.900.f@d/j", "1:0", "-").await;
    assert_eq!(
        part.settle(T, &[["3.900.f@d/j", "1", "succeeded", ""]])
            .await,
        "S"
    );
    assert_eq!(part.state().await.keys(), ["events"]);
}

#[tokio::test]
async fn the_store_reads_the_verdicts() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let settlement = |id: &str, outcome: Outcome| Settlement {
        attempt: AttemptRef {
            context: id.parse().unwrap(),
            attempt: 1.into(),
        },
        worker: WorkerId::new("w").unwrap(),
        outcome,
        random: 0,
    };
    part.hold(ID, "1:0", "-").await;
    part.hold("3.900.a-2", "1:0", "-").await;
    part.hold("3.900.a-3", "2:0", "-").await;
    let settlements = [
        settlement(ID, Outcome::Succeeded("x".into())),
        settlement(
            "3.900.a-2",
            Outcome::RetryAfter(std::time::Duration::from_secs(9), "later".to_owned()),
        ),
        settlement("3.900.a-3", Outcome::Fatal("no".to_owned())),
        settlement(ID, Outcome::Cancelled("no".to_owned())),
    ];
    let verdicts = test.store.settle(partition(3), &settlements).await.unwrap();
    assert_eq!(
        verdicts,
        [
            Verdict::Settled,
            Verdict::Retrying,
            Verdict::LeaseLost,
            Verdict::Gone
        ]
    );
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "1:0", "-").await;
    part.hold("3.900.a-2", "1:0", "-").await;
    let args = [
        "",
        "w",
        "1",
        ID,
        "1 1",
        "1",
        "3.900.a-2",
        "1 1",
        "failed",
        "0 0 no",
    ];
    let changes = [
        (1, "-1", "now_ms"),
        (2, "", "workers"),
        (3, "-1", "plain"),
        (3, "1001", "plain"),
        (3, "0", "others"),
        (6, "", "others"),
        (6, "0", "settlements"),
        (6, "1000", "others"),
        (9, "lost", "outcome"),
        (10, "", "payload"),
        (10, "0 no", "payload"),
        (10, "x 0 no", "payload"),
        (10, "1000000 0 no", "payload"),
    ];
    test.assert_refused("lease/settle", partition(3), &args, &changes)
        .await;
}

fn policies() -> impl Strategy<Value = (RetryPolicy, u32, u32)> {
    let backoff = prop_oneof![
        (0_u64..1 << 32).prop_map(|delay_ms| Backoff::Fixed { delay_ms }),
        (0_u64..1 << 32, 0_u64..1 << 32)
            .prop_map(|(delay_ms, cap_ms)| Backoff::Exponential { delay_ms, cap_ms }),
    ];
    let policy =
        (1_u32..1_000, backoff, any::<bool>()).prop_map(|(max_attempts, backoff, full_jitter)| {
            RetryPolicy {
                max_attempts,
                backoff,
                full_jitter,
            }
        });
    (
        policy,
        prop_oneof![1_u32..12, 1_u32..1_000],
        0_u32..1_000_000,
    )
}

#[test]
fn the_delay_of_a_retry_is_that_of_the_reference() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let Some(test) = runtime.block_on(fresh()) else {
        return;
    };
    let part = Part::new(&test);
    let mut runner = TestRunner::new(Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    });
    let run = |(policy, failures, random): (RetryPolicy, u32, u32)| {
        let options = match policy.backoff {
            Backoff::Fixed { delay_ms } => format!("b=f:{delay_ms}:{delay_ms}"),
            Backoff::Exponential { delay_ms, cap_ms } => format!("b=e:{delay_ms}:{cap_ms}"),
        };
        let options = format!(
            "r={},{options}:{}",
            policy.max_attempts,
            u8::from(policy.full_jitter)
        );
        let (verdict, state) = runtime.block_on(async {
            test.command(&[
                "DEL",
                &part.key("wheel"),
                &part.key("retry"),
                &part.key("ready:g:h"),
                &part.key("backlog"),
            ])
            .await;
            part.hold(ID, &format!("1:{}", failures - 1), &options)
                .await;
            let verdict = part
                .settle(T, &[[ID, "1", "failed", &format!("{random} 0 no")]])
                .await;
            (verdict, part.state().await)
        });
        let expected = delay_after(&policy, failures, f64::from(random) / 1e6);
        let found = match verdict.as_str() {
            "S" => None,
            _ => Some(state.zset("wheel").first().map_or(0, |(_, at)| at - T)),
        };
        prop_assert_eq!(found, expected);
        Ok(())
    };
    runner.run(&policies(), run).unwrap();
}
