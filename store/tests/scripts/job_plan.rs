//! job/plan: due times added behind the planned ones, by one planner only.

use crate::harness::{Harness, alone, fresh, job, ms, name, partition};
use tickwheel_core::job::Trigger;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict, Reason};
use tickwheel_store::job::{JobState, JobView, Plan, PlanGuard, PlanOutcome};

const FAR: u64 = 5_000_000_000_000;

fn plan(dues: &[u64]) -> Plan {
    Plan {
        dues: dues.iter().copied().map(ms).collect(),
        end: false,
    }
}

fn seen(next: Option<u64>, last_planned: Option<u64>) -> PlanGuard {
    PlanGuard {
        next: next.map(ms),
        last_planned: last_planned.map(ms),
    }
}

fn missed(from: u64, to: u64, count: u64) -> LedgerRecord {
    LedgerRecord {
        from: ms(from),
        to: ms(to),
        count,
        verdict: LedgerVerdict::Missed,
        reason: Some(Reason::MisfireCollapsed),
        decided_ms: None,
        context_id: None,
        revision: None,
    }
}

async fn cron(test: &Harness, dues: &[u64]) {
    let spec = job(
        "a/b",
        Trigger::Cron {
            expression: "@daily".to_owned(),
            time_zone: String::new(),
        },
    );
    drop(test.store.apply_job(&spec, &plan(dues)).await.unwrap());
}

async fn view(test: &Harness) -> JobView {
    test.store.get_job(&name("a/b")).await.unwrap().unwrap()
}

async fn entry(test: &Harness) -> String {
    test.text(&["ZSCORE", &test.job_key("a/b", "wheel"), "@a/b"])
        .await
}

#[tokio::test]
async fn due_times_are_added_behind_the_planned_ones() {
    let Some(test) = fresh().await else { return };
    cron(&test, &[FAR, FAR + 1]).await;
    let outcome = test
        .store
        .plan_job(
            &name("a/b"),
            1,
            seen(Some(FAR), Some(FAR + 1)),
            &plan(&[FAR + 2, FAR + 3]),
            Vec::new(),
        )
        .await;
    assert_eq!(outcome.unwrap(), PlanOutcome::Planned);
    assert_eq!(
        view(&test).await.planned,
        [ms(FAR + 1), ms(FAR + 2), ms(FAR + 3)]
    );
    assert_eq!(entry(&test).await, FAR.to_string());
}

#[tokio::test]
async fn a_plan_for_another_picture_is_stale_and_changes_nothing() {
    let Some(test) = fresh().await else { return };
    cron(&test, &[FAR, FAR + 1]).await;
    let before = test.dump().await;
    let pictures = [
        (2, seen(Some(FAR), Some(FAR + 1))),
        (1, seen(Some(FAR + 1), Some(FAR + 1))),
        (1, seen(Some(FAR), Some(FAR))),
        (1, seen(None, None)),
    ];
    for (revision, guard) in pictures {
        let outcome = test
            .store
            .plan_job(
                &name("a/b"),
                revision,
                guard,
                &plan(&[FAR + 5]),
                vec![missed(1, 2, 2)],
            )
            .await
            .unwrap();
        assert_eq!(outcome, PlanOutcome::Stale, "{revision} {guard:?}");
    }
    assert_eq!(
        test.store
            .plan_job(&name("a/c"), 1, seen(None, None), &plan(&[]), Vec::new())
            .await
            .unwrap(),
        PlanOutcome::Stale
    );
    assert_eq!(test.dump().await, before);
}

#[tokio::test]
async fn a_job_without_a_next_due_time_gets_one() {
    let Some(test) = fresh().await else { return };
    cron(&test, &[]).await;
    let outcome = test
        .store
        .plan_job(
            &name("a/b"),
            1,
            seen(None, None),
            &plan(&[FAR, FAR + 1]),
            vec![missed(1_000, 3_000, 3)],
        )
        .await;
    assert_eq!(outcome.unwrap(), PlanOutcome::Planned);
    let view = view(&test).await;
    assert_eq!(
        (view.next_due, view.planned, view.last_due),
        (Some(ms(FAR)), vec![ms(FAR + 1)], Some(ms(3_000)))
    );
    assert_eq!(entry(&test).await, FAR.to_string());
    assert_eq!(
        test.store.ledger(&name("a/b"), 5).await.unwrap(),
        [missed(1_000, 3_000, 3)]
    );
}

#[tokio::test]
async fn missed_due_times_take_the_planned_ones_before_them_away() {
    let Some(test) = fresh().await else { return };
    cron(&test, &[1_000, 2_000, 3_000]).await;
    let (guard, missed) = (
        seen(Some(1_000), Some(3_000)),
        vec![missed(1_000, 5_000, 5)],
    );
    assert_eq!(
        test.store
            .plan_job(&name("a/b"), 1, guard, &plan(&[6_000, FAR]), missed)
            .await
            .unwrap(),
        PlanOutcome::Planned
    );
    let view = view(&test).await;
    assert_eq!(
        (view.next_due, view.planned),
        (Some(ms(6_000)), vec![ms(FAR)])
    );
    assert_eq!(entry(&test).await, "6000");
}

#[tokio::test]
async fn a_job_with_nothing_left_is_finished() {
    let Some(test) = fresh().await else { return };
    cron(&test, &[]).await;
    let end = Plan {
        dues: Vec::new(),
        end: true,
    };
    assert_eq!(
        test.store
            .plan_job(&name("a/b"), 1, seen(None, None), &end, Vec::new())
            .await
            .unwrap(),
        PlanOutcome::Planned
    );
    assert_eq!(view(&test).await.state, JobState::Finished);
    assert_eq!(entry(&test).await, "");
}

#[tokio::test]
async fn a_plan_for_a_paused_job_does_not_arm_it() {
    let Some(test) = fresh().await else { return };
    cron(&test, &[FAR]).await;
    test.store.pause_job(&name("a/b"), "").await.unwrap();
    let outcome = test
        .store
        .plan_job(
            &name("a/b"),
            1,
            seen(Some(FAR), Some(FAR)),
            &plan(&[FAR + 1]),
            Vec::new(),
        )
        .await
        .unwrap();
    assert_eq!(outcome, PlanOutcome::Planned);
    assert_eq!(
        (view(&test).await.state, entry(&test).await),
        (JobState::Paused, String::new())
    );
}

#[tokio::test]
async fn the_ledger_keeps_to_its_limit() {
    let Some(test) = fresh().await else { return };
    let mut spec = job(
        "a/b",
        Trigger::Cron {
            expression: "@daily".to_owned(),
            time_zone: String::new(),
        },
    );
    spec.ledger_limit = 3;
    drop(test.store.apply_job(&spec, &plan(&[])).await.unwrap());
    let records = (1..=5).map(|due| missed(due, due, 1)).collect();
    let _ = test
        .store
        .plan_job(&name("a/b"), 1, seen(None, None), &plan(&[FAR]), records)
        .await
        .unwrap();
    let ledger = test.store.ledger(&name("a/b"), 10).await.unwrap();
    assert_eq!(
        ledger
            .iter()
            .map(|record| record.from.as_u64())
            .collect::<Vec<_>>(),
        [5, 4, 3]
    );
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    cron(&test, &[FAR]).await;
    let far = FAR.to_string();
    let p = test.store.partition_of_job(&name("a/b"));
    let args = ["", "a/b", "1", &far, &far, "5000000000001", "0"];
    let changes = [
        (1, "-1", "now_ms"),
        (2, "", "job"),
        (3, "0", "revision"),
        (3, "x", "revision"),
        (6, "2 1", "dues"),
        (6, "5000000000000", "dues"),
        (7, "yes", "plan_end"),
        (8, "", "record"),
        (8, "M 12", "record"),
    ];
    test.assert_refused("job/plan", p, &args, &changes).await;
    assert_eq!(
        test.eval("job/plan", p, &args).await.unwrap(),
        ["PLANNED", &far]
    );
    assert_eq!(test.eval("job/plan", p, &args).await.unwrap(), ["STALE"]);
}

#[tokio::test]
async fn it_costs_the_same_however_full_the_wheel_is() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let p = partition(0);
    for size in [10_u32, 1_000, 100_000] {
        cron(&test, &[FAR]).await;
        let fill = format!(
            "for i = 1, {size} do redis.call('ZADD', KEYS[1], i, '0.' .. i .. '.x 0:0 g h 2 - ') end"
        );
        test.text(&["EVAL", &fill, "1", &test.key(p, "wheel")])
            .await;
        let next = view(&test).await.next_due.unwrap().as_u64().to_string();
        let last = view(&test)
            .await
            .planned
            .last()
            .map_or(next.clone(), |due| due.as_u64().to_string());
        let more = (last.parse::<u64>().unwrap() + 1).to_string();
        let cost = test
            .cost(
                "job/plan",
                p,
                &["", "a/b", "1", &next, &last, &more, "0", "1 M misfire_skip"],
            )
            .await;
        assert!(cost <= 40, "{cost} commands with {size} entries");
    }
}
