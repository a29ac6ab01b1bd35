//! job/set_state: pause and resume.

use crate::harness::{Harness, alone, fresh, job, ms, name, partition};
use tickwheel_core::job::Trigger;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict, Reason};
use tickwheel_store::Error;
use tickwheel_store::job::{JobState, Plan};

const FAR: u64 = 5_000_000_000_000;

fn plan(dues: &[u64]) -> Plan {
    Plan {
        dues: dues.iter().copied().map(ms).collect(),
        end: false,
    }
}

async fn rate(test: &Harness) {
    let spec = job(
        "a/b",
        Trigger::FixedRate {
            period_ms: 1_000,
            anchor_ms: None,
        },
    );
    drop(test.store.apply_job(&spec, &plan(&[FAR])).await.unwrap());
}

async fn entry(test: &Harness) -> String {
    test.text(&["ZSCORE", &test.job_key("a/b", "wheel"), "@a/b"])
        .await
}

#[tokio::test]
async fn a_paused_job_leaves_the_wheel_and_keeps_its_due_times() {
    let Some(test) = fresh().await else { return };
    rate(&test).await;
    let view = test.store.pause_job(&name("a/b"), "holiday").await.unwrap();
    assert_eq!(
        (view.state, view.note.as_str(), view.next_due),
        (JobState::Paused, "holiday", Some(ms(FAR)))
    );
    assert_eq!(entry(&test).await, "");
    let view = test.store.pause_job(&name("a/b"), "longer").await.unwrap();
    assert_eq!(
        (view.state, view.note.as_str()),
        (JobState::Paused, "longer")
    );
}

#[tokio::test]
async fn a_resumed_job_fires_from_the_plan_on_and_its_pause_is_in_the_ledger() {
    let Some(test) = fresh().await else { return };
    rate(&test).await;
    test.store.pause_job(&name("a/b"), "holiday").await.unwrap();
    let skipped = LedgerRecord {
        from: ms(FAR),
        to: ms(FAR + 4_000),
        count: 5,
        verdict: LedgerVerdict::Skipped,
        reason: Some(Reason::Paused),
        decided_ms: None,
        context_id: None,
        revision: None,
    };
    let view = test
        .store
        .resume_job(&name("a/b"), &plan(&[FAR + 5_000]), vec![skipped.clone()])
        .await
        .unwrap();
    assert_eq!(
        (view.state, view.note.as_str(), view.next_due),
        (JobState::Active, "", Some(ms(FAR + 5_000)))
    );
    assert_eq!(view.last_due, Some(ms(FAR + 4_000)));
    assert_eq!(entry(&test).await, (FAR + 5_000).to_string());
    let ledger = test.store.ledger(&name("a/b"), 10).await.unwrap();
    assert_eq!(
        (ledger[0].verdict, ledger[0].revision, &ledger[1]),
        (LedgerVerdict::Redefined, Some(1), &skipped)
    );
    let before = test.dump().await;
    let again = test
        .store
        .resume_job(&name("a/b"), &plan(&[FAR + 9_000]), vec![skipped])
        .await
        .unwrap();
    assert_eq!(again.next_due, Some(ms(FAR + 5_000)));
    assert_eq!(test.dump().await, before);
}

#[tokio::test]
async fn a_job_resumed_after_its_last_due_time_is_finished() {
    let Some(test) = fresh().await else { return };
    rate(&test).await;
    test.store.pause_job(&name("a/b"), "").await.unwrap();
    let view = test
        .store
        .resume_job(
            &name("a/b"),
            &Plan {
                dues: Vec::new(),
                end: true,
            },
            Vec::new(),
        )
        .await
        .unwrap();
    assert_eq!(
        (view.state, view.next_due, entry(&test).await),
        (JobState::Finished, None, String::new())
    );
    let refused = test.store.pause_job(&name("a/b"), "").await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
}

#[tokio::test]
async fn a_delay_resumed_while_its_firing_runs_is_left_to_its_end() {
    let Some(test) = fresh().await else { return };
    let spec = job("a/b", Trigger::FixedDelay { delay_ms: 5_000 });
    drop(test.store.apply_job(&spec, &plan(&[FAR])).await.unwrap());
    test.command(&[
        "HSET",
        &test.job_key("a/b", "job:a/b"),
        "last",
        &FAR.to_string(),
        "next",
        "",
    ])
    .await;
    let id = format!("{}.{FAR}.f@a/b", test.store.partition_of_job(&spec.name));
    test.command(&["HSET", &test.job_key("a/b", "active:a/b"), &id, "s"])
        .await;
    test.store.pause_job(&name("a/b"), "").await.unwrap();
    let view = test
        .store
        .resume_job(&name("a/b"), &plan(&[FAR + 1]), Vec::new())
        .await
        .unwrap();
    assert_eq!(
        (view.state, view.next_due, entry(&test).await),
        (JobState::Active, None, String::new())
    );
}

#[tokio::test]
async fn a_job_that_is_not_there_is_not_found() {
    let Some(test) = fresh().await else { return };
    for answer in [
        test.store.pause_job(&name("a/b"), "").await,
        test.store
            .resume_job(&name("a/b"), &plan(&[]), Vec::new())
            .await,
    ] {
        assert!(
            matches!(answer, Err(Error::NotFound { kind: "job", .. })),
            "{answer:?}"
        );
    }
    assert!(test.keys().await.iter().all(|key| !key.contains("job:")));
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    rate(&test).await;
    let p = test.store.partition_of_job(&name("a/b"));
    let long = "x".repeat(4_097);
    let args = ["1000", "a/b", "paused", "note", "", "0"];
    let changes = [
        (1, "x", "now_ms"),
        (2, "", "job"),
        (3, "finished", "state"),
        (4, long.as_str(), "note"),
        (5, "1 1", "dues"),
        (6, "", "plan_end"),
        (7, "x", "record"),
    ];
    test.assert_refused("job/set_state", p, &args, &changes)
        .await;
    assert_eq!(
        test.eval("job/set_state", p, &args).await.unwrap(),
        ["PAUSED"]
    );
    assert_eq!(
        test.eval("job/set_state", p, &args).await.unwrap(),
        ["PAUSED"]
    );
}

#[tokio::test]
async fn it_costs_the_same_however_full_the_wheel_is() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    rate(&test).await;
    let p = partition(0);
    for size in [10_u32, 1_000, 100_000] {
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], i, '0.' .. i .. '.x 0:0 g h 2 - ') end"
        );
        test.text(&["EVAL", &fill, "1", &test.key(p, "wheel")])
            .await;
        let pause = test
            .cost("job/set_state", p, &["", "a/b", "paused", "", "", "0"])
            .await;
        let resume = test
            .cost(
                "job/set_state",
                p,
                &["", "a/b", "active", "", "5000000001000", "0"],
            )
            .await;
        assert!(
            pause <= 40 && resume <= 40,
            "{pause} and {resume} commands with {size} entries"
        );
    }
}
