//! job/apply: registering, changing and leaving jobs as they are.

mod plans;
mod revisions;
mod room;

use crate::harness::{Harness, alone, fresh, job, ms, name, partition};
use tickwheel_core::job::Trigger;
use tickwheel_core::ledger::LedgerVerdict;
use tickwheel_store::Error;
use tickwheel_store::job::{Applied, Change, JobState, Plan};

/// Far enough that no due time of a test comes while it runs.
const FAR: u64 = 5_000_000_000_000;
const DAY: u64 = 86_400_000;

fn nightly() -> Trigger {
    Trigger::Cron {
        expression: "@daily".to_owned(),
        time_zone: String::new(),
    }
}

fn plan(dues: &[u64]) -> Plan {
    Plan {
        dues: dues.iter().copied().map(ms).collect(),
        end: false,
    }
}

async fn entry(test: &Harness, job: &str) -> String {
    test.text(&["ZSCORE", &test.job_key(job, "wheel"), &format!("@{job}")])
        .await
}

/// Arguments of a valid call.
const ARGS: [&str; 44] = [
    "1000",
    "a/b",
    "digest",
    "spec",
    "2000 3000",
    "0",
    "",
    "",
    "kind",
    "cron",
    "period",
    "",
    "anchor",
    "",
    "start_at",
    "",
    "end_at",
    "",
    "max_runs",
    "",
    "jitter",
    "0",
    "misfire",
    "skip",
    "misfire_limit",
    "1",
    "tolerance",
    "5000",
    "catch_up",
    "",
    "overlap",
    "discard",
    "overlap_limit",
    "",
    "tmpl",
    "default work 2 - ",
    "ledger_limit",
    "10",
    "runs_limit",
    "10",
    "after",
    "",
    "followed_by",
    "",
];

#[tokio::test]
async fn a_new_job_has_its_place_in_the_wheel() {
    let Some(test) = fresh().await else { return };
    let mut spec = job("billing/nightly", nightly());
    spec.body = bytes::Bytes::from_static(b"a \0 body");
    let applied = test
        .store
        .apply_job(&spec, &plan(&[FAR, FAR + DAY]))
        .await
        .unwrap();
    assert_eq!(
        applied,
        Applied {
            revision: 1,
            change: Change::Created,
            next_due: Some(ms(FAR)),
            followers: Vec::new(),
        }
    );
    let wheel = test
        .texts(&[
            "ZRANGE",
            &test.job_key("billing/nightly", "wheel"),
            "0",
            "-1",
            "WITHSCORES",
        ])
        .await;
    assert_eq!(wheel, ["@billing/nightly", "5000000000000"]);
    let jobs = test
        .texts(&[
            "ZRANGE",
            &test.job_key("billing/nightly", "jobs"),
            "0",
            "-1",
            "WITHSCORES",
        ])
        .await;
    assert_eq!(jobs, ["billing/nightly", "0"]);
    let view = test.store.get_job(&spec.name).await.unwrap().unwrap();
    assert_eq!(view.spec, spec);
    assert_eq!(
        (view.state, view.planned),
        (JobState::Active, vec![ms(FAR + DAY)])
    );
    assert_eq!(
        (view.next_due, view.last_due, view.plan_end),
        (Some(ms(FAR)), None, false)
    );
    assert_eq!(
        (view.fired, view.manual, view.queued, view.note.as_str()),
        (0, 0, 0, "")
    );
    assert!(view.created == view.updated && view.created.as_u64() + 60_000 > test.now().await);
}

#[tokio::test]
async fn an_equal_definition_changes_nothing_and_another_one_is_a_revision() {
    let Some(test) = fresh().await else { return };
    let mut spec = job("a/b", nightly());
    drop(test.store.apply_job(&spec, &plan(&[FAR])).await.unwrap());
    let before = test.dump().await;
    let again = test
        .store
        .apply_job(&spec, &plan(&[FAR + 1]))
        .await
        .unwrap();
    assert_eq!(
        again,
        Applied {
            revision: 1,
            change: Change::Unchanged,
            next_due: Some(ms(FAR)),
            followers: Vec::new(),
        }
    );
    assert_eq!(test.dump().await, before);
    spec.description = "another".to_owned();
    let changed = test
        .store
        .apply_job(&spec, &plan(&[FAR + 1]))
        .await
        .unwrap();
    assert_eq!(
        changed,
        Applied {
            revision: 2,
            change: Change::Updated,
            next_due: Some(ms(FAR + 1)),
            followers: Vec::new(),
        }
    );
    assert_eq!(entry(&test, "a/b").await, (FAR + 1).to_string());
    let ledger = test.store.ledger(&spec.name, 10).await.unwrap();
    assert_eq!(ledger.len(), 1);
    assert_eq!(
        (ledger[0].verdict, ledger[0].revision),
        (LedgerVerdict::Redefined, Some(2))
    );
}

#[tokio::test]
async fn due_times_that_were_decided_are_not_planned_again() {
    let Some(test) = fresh().await else { return };
    let mut spec = job("a/b", nightly());
    drop(test.store.apply_job(&spec, &plan(&[FAR])).await.unwrap());
    test.command(&[
        "HSET",
        &test.job_key("a/b", "job:a/b"),
        "last",
        &FAR.to_string(),
        "fired",
        "7",
    ])
    .await;
    spec.description = "another".to_owned();
    let applied = test
        .store
        .apply_job(&spec, &plan(&[FAR - 1, FAR, FAR + 1, FAR + 2]))
        .await
        .unwrap();
    assert_eq!(applied.next_due, Some(ms(FAR + 1)));
    let view = test.store.get_job(&spec.name).await.unwrap().unwrap();
    assert_eq!(
        (view.fired, view.last_due, view.planned),
        (7, Some(ms(FAR)), vec![ms(FAR + 2)])
    );
}

#[tokio::test]
async fn a_fixed_rate_stays_on_its_grid_behind_what_was_decided() {
    let Some(test) = fresh().await else { return };
    let mut spec = job(
        "a/b",
        Trigger::FixedRate {
            period_ms: 1_000,
            anchor_ms: None,
        },
    );
    drop(test.store.apply_job(&spec, &plan(&[FAR])).await.unwrap());
    test.command(&[
        "HSET",
        &test.job_key("a/b", "job:a/b"),
        "last",
        &(FAR + 2_500).to_string(),
    ])
    .await;
    spec.description = "another".to_owned();
    let applied = test
        .store
        .apply_job(&spec, &plan(&[FAR + 300]))
        .await
        .unwrap();
    assert_eq!(applied.next_due, Some(ms(FAR + 3_300)));
    let period = test
        .text(&[
            "HMGET",
            &test.job_key("a/b", "job:a/b"),
            "period",
            "anchor",
            "kind",
        ])
        .await;
    assert_eq!(period, format!("1000 {} fixed_rate", FAR + 300));
}

#[tokio::test]
async fn a_paused_job_stays_paused_with_its_new_plan() {
    let Some(test) = fresh().await else { return };
    let mut spec = job("a/b", nightly());
    drop(test.store.apply_job(&spec, &plan(&[FAR])).await.unwrap());
    test.store.pause_job(&spec.name, "holiday").await.unwrap();
    spec.description = "another".to_owned();
    drop(
        test.store
            .apply_job(&spec, &plan(&[FAR + 1]))
            .await
            .unwrap(),
    );
    let view = test.store.get_job(&spec.name).await.unwrap().unwrap();
    assert_eq!(
        (view.state, view.note.as_str(), view.next_due),
        (JobState::Paused, "holiday", Some(ms(FAR + 1)))
    );
    assert_eq!(entry(&test, "a/b").await, "");
}

#[tokio::test]
async fn a_job_without_due_times_is_finished_until_a_definition_has_some() {
    let Some(test) = fresh().await else { return };
    let mut spec = job("a/b", Trigger::Once { at_ms: ms(FAR) });
    let ended = Plan {
        dues: vec![ms(FAR)],
        end: true,
    };
    drop(test.store.apply_job(&spec, &ended).await.unwrap());
    test.command(&[
        "HSET",
        &test.job_key("a/b", "job:a/b"),
        "last",
        &FAR.to_string(),
        "fired",
        "1",
    ])
    .await;
    spec.description = "the same instant again".to_owned();
    assert_eq!(
        test.store.apply_job(&spec, &ended).await.unwrap().next_due,
        None
    );
    assert_eq!(
        test.store.get_job(&spec.name).await.unwrap().unwrap().state,
        JobState::Finished
    );
    assert_eq!(entry(&test, "a/b").await, "");
    spec.trigger = Trigger::Once { at_ms: ms(FAR + 1) };
    drop(
        test.store
            .apply_job(
                &spec,
                &Plan {
                    dues: vec![ms(FAR + 1)],
                    end: true,
                },
            )
            .await
            .unwrap(),
    );
    assert_eq!(
        test.store.get_job(&spec.name).await.unwrap().unwrap().state,
        JobState::Active
    );
    assert_eq!(entry(&test, "a/b").await, (FAR + 1).to_string());
    spec.max_runs = Some(1);
    drop(
        test.store
            .apply_job(&spec, &plan(&[FAR + 2]))
            .await
            .unwrap(),
    );
    assert_eq!(
        test.store.get_job(&spec.name).await.unwrap().unwrap().state,
        JobState::Finished
    );
}

#[tokio::test]
async fn a_job_that_others_fire_has_no_place_in_the_wheel() {
    let Some(test) = fresh().await else { return };
    let after = Trigger::After {
        job: name("a/b"),
        on: tickwheel_core::job::AfterOn::Failed,
    };
    for spec in [job("a/b", Trigger::Manual), job("a/c", after)] {
        let applied = test
            .store
            .apply_job(
                &spec,
                &Plan {
                    dues: Vec::new(),
                    end: true,
                },
            )
            .await
            .unwrap();
        assert_eq!((applied.change, applied.next_due), (Change::Created, None));
        assert_eq!(
            test.store.get_job(&spec.name).await.unwrap().unwrap().state,
            JobState::Active
        );
        assert_eq!(entry(&test, spec.name.as_str()).await, "");
    }
}

#[tokio::test]
async fn a_job_that_is_being_deleted_is_refused() {
    let Some(test) = fresh().await else { return };
    let mut spec = job("a/b", nightly());
    drop(test.store.apply_job(&spec, &plan(&[FAR])).await.unwrap());
    test.command(&["HSET", &test.job_key("a/b", "job:a/b"), "state", "deleting"])
        .await;
    spec.description = "another".to_owned();
    let before = test.dump().await;
    let refused = test.store.apply_job(&spec, &plan(&[FAR])).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert_eq!(test.dump().await, before);
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    let p = partition(0);
    let long = "x".repeat(129);
    let many = (1..=1_001)
        .map(|due| due.to_string())
        .collect::<Vec<_>>()
        .join(" ");
    let changes = [
        (1, "soon", "now_ms"),
        (2, "", "job"),
        (2, long.as_str(), "job"),
        (3, "", "digest"),
        (4, "", "spec"),
        (5, "2000 x", "dues"),
        (5, "2000 2000", "dues"),
        (5, "2000.5", "dues"),
        (5, many.as_str(), "dues"),
        (6, "2", "plan_end"),
        (6, "", "plan_end"),
        (7, "-1", "jobs_most"),
        (7, "many", "jobs_most"),
        (8, "-1", "if_revision"),
        (8, "1.5", "if_revision"),
        (9, "sort", "fields"),
        (46, "more", "fields"),
    ];
    test.assert_refused("job/apply", p, &ARGS, &changes).await;
    assert_eq!(
        test.eval("job/apply", p, &ARGS).await.unwrap(),
        ["CREATED", "1", "2000", ""]
    );
    assert_eq!(
        test.eval("job/apply", p, &ARGS).await.unwrap(),
        ["UNCHANGED", "1", "2000", ""]
    );
}

#[tokio::test]
async fn it_costs_the_same_however_full_the_wheel_is() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let p = partition(0);
    for (round, size) in [(0, 10_u32), (1, 1_000), (2, 100_000)] {
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], i, '0.' .. i .. '.x 0:0 g h 2 - ') end"
        );
        test.text(&["EVAL", &fill, "1", &test.key(p, "wheel")])
            .await;
        for revision in 0..2 {
            let digest = format!("{round}-{revision}");
            let mut args = ARGS;
            args[2] = &digest;
            args[6] = "100";
            let cost = test.cost("job/apply", p, &args).await;
            assert!(cost <= 48, "{cost} commands with {size} entries");
        }
    }
}
