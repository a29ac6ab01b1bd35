//! job/zones and job/replan: plans from an older table of time zones are found and made anew, and newest wins.

use crate::harness::{Harness, fresh, job, ms, name};
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_store::Store;
use tickwheel_store::job::{JobView, Plan, PlanGuard, PlanOutcome, StalePlans};

const FAR: u64 = 5_000_000_000_000;
const HOUR: u64 = 3_600_000;
const JOB: &str = "a/b";

fn plan(dues: &[u64]) -> Plan {
    Plan {
        dues: dues.iter().copied().map(ms).collect(),
        end: false,
    }
}

fn cron(name: &str) -> JobSpec {
    let trigger = Trigger::Cron {
        expression: "@daily".to_owned(),
        time_zone: "America/Vancouver".to_owned(),
    };
    job(name, trigger)
}

/// The store as a process with another table has it.
fn with(test: &Harness, edition: &str) -> Store {
    test.store.clone().with_zones(edition.parse().unwrap())
}

async fn view(test: &Harness, job: &str) -> JobView {
    test.store.get_job(&name(job)).await.unwrap().unwrap()
}

fn seen(view: &JobView) -> PlanGuard {
    PlanGuard {
        next: view.next_due,
        last_planned: view.planned.last().copied().or(view.next_due),
    }
}

async fn mark(test: &Harness) -> String {
    test.text(&["GET", &test.job_key(JOB, "zones")]).await
}

async fn stale(store: &Store) -> Vec<String> {
    let partition = store.partition_of_job(&name(JOB));
    match store.stale_plans(partition, None).await.unwrap() {
        StalePlans::Page { jobs, after: None } => jobs.iter().map(ToString::to_string).collect(),
        other @ (StalePlans::None
        | StalePlans::Newer(_)
        | StalePlans::Page { .. }
        | StalePlans::Again) => panic!("{other:?}"),
    }
}

async fn done(store: &Store) -> StalePlans {
    let partition = store.partition_of_job(&name(JOB));
    store.plans_are_current(partition).await.unwrap()
}

#[tokio::test]
async fn a_newer_table_replaces_the_due_times_of_an_older_one() {
    let Some(test) = fresh().await else { return };
    let (old, new) = (with(&test, "2025b"), with(&test, "2026f"));
    drop(
        old.apply_job(&cron(JOB), &plan(&[FAR, FAR + 24 * HOUR]))
            .await
            .unwrap(),
    );
    assert_eq!(
        (
            view(&test, JOB).await.zones.as_str(),
            mark(&test).await.as_str()
        ),
        ("2025b", "2025b")
    );
    assert_eq!(stale(&new).await, [JOB]);
    assert_eq!(mark(&test).await, "2025b 2026f");
    let picture = view(&test, JOB).await;
    let dues = plan(&[FAR - HOUR, FAR + 23 * HOUR]);
    let lay = async || {
        new.replan_job(&name(JOB), 1, seen(&picture), &dues, Vec::new())
            .await
            .unwrap()
    };
    assert_eq!(lay().await, PlanOutcome::Planned);
    let planned = view(&test, JOB).await;
    assert_eq!(
        (planned.next_due, planned.planned),
        (Some(ms(FAR - HOUR)), vec![ms(FAR + 23 * HOUR)])
    );
    assert_eq!(planned.zones, "2026f");
    let entry = test
        .text(&["ZSCORE", &test.job_key(JOB, "wheel"), "@a/b"])
        .await;
    assert_eq!(entry, (FAR - HOUR).to_string());
    assert_eq!(lay().await, PlanOutcome::Stale, "it is done");
    assert_eq!(done(&new).await, StalePlans::None);
    assert_eq!(mark(&test).await, "2026f");
    // The older one finds nothing to do, and that it is behind.
    let partition = old.partition_of_job(&name(JOB));
    assert_eq!(
        old.stale_plans(partition, None).await.unwrap(),
        StalePlans::Newer("2026f".to_owned())
    );
    assert_eq!(
        new.stale_plans(partition, None).await.unwrap(),
        StalePlans::None
    );
}

#[tokio::test]
async fn an_older_table_adds_to_a_plan_and_is_put_right_afterwards() {
    let Some(test) = fresh().await else { return };
    let (old, new) = (with(&test, "2025b"), with(&test, "2026f"));
    drop(new.apply_job(&cron(JOB), &plan(&[FAR])).await.unwrap());
    assert_eq!(mark(&test).await, "2026f");
    let picture = view(&test, JOB).await;
    // It never replaces what a newer one planned.
    let replaced = old
        .replan_job(&name(JOB), 1, seen(&picture), &plan(&[FAR + 1]), Vec::new())
        .await;
    assert_eq!(replaced.unwrap(), PlanOutcome::Stale);
    let added = old
        .plan_job(
            &name(JOB),
            1,
            seen(&picture),
            &plan(&[FAR + HOUR]),
            Vec::new(),
        )
        .await;
    assert_eq!(added.unwrap(), PlanOutcome::Planned);
    let mixed = view(&test, JOB).await;
    assert_eq!(
        (mixed.next_due, mixed.zones.as_str()),
        (Some(ms(FAR)), "2025b")
    );
    assert_eq!(stale(&new).await, [JOB]);
    // What a newer one adds makes the older part no newer.
    let added = new
        .plan_job(
            &name(JOB),
            1,
            seen(&mixed),
            &plan(&[FAR + 2 * HOUR]),
            Vec::new(),
        )
        .await;
    assert_eq!(added.unwrap(), PlanOutcome::Planned);
    assert_eq!(view(&test, JOB).await.zones, "2025b");
    let picture = view(&test, JOB).await;
    let anew = new
        .replan_job(&name(JOB), 1, seen(&picture), &plan(&[FAR]), Vec::new())
        .await;
    assert_eq!(anew.unwrap(), PlanOutcome::Planned);
    // Meanwhile the older one registers another job of the partition: it may have been passed.
    let partition = test.store.partition_of_job(&name(JOB));
    let other = (0..)
        .map(|number| format!("a/other{number}"))
        .find(|job| test.store.partition_of_job(&name(job)) == partition)
        .unwrap();
    drop(old.apply_job(&cron(&other), &plan(&[FAR])).await.unwrap());
    assert_eq!(done(&new).await, StalePlans::Again);
    assert_eq!(stale(&new).await, [other]);
}

#[tokio::test]
async fn what_does_not_fire_by_a_table_is_left_alone() {
    let Some(test) = fresh().await else { return };
    let (old, new) = (with(&test, "2025b"), with(&test, "2026f"));
    let rate = Trigger::FixedRate {
        period_ms: HOUR,
        anchor_ms: None,
    };
    drop(old.apply_job(&job(JOB, rate), &plan(&[FAR])).await.unwrap());
    assert_eq!(
        (
            view(&test, JOB).await.zones.as_str(),
            mark(&test).await.as_str()
        ),
        ("", "")
    );
    let partition = test.store.partition_of_job(&name(JOB));
    assert_eq!(
        new.stale_plans(partition, None).await.unwrap(),
        StalePlans::None
    );
    // Paused: the plan after the pause is made by whoever resumes it.
    drop(old.apply_job(&cron(JOB), &plan(&[FAR])).await.unwrap());
    old.pause_job(&name(JOB), "").await.unwrap();
    assert!(stale(&new).await.is_empty());
    let picture = view(&test, JOB).await;
    let anew = new
        .replan_job(&name(JOB), 2, seen(&picture), &plan(&[FAR]), Vec::new())
        .await;
    assert_eq!(anew.unwrap(), PlanOutcome::Stale);
    new.resume_job(&name(JOB), &plan(&[FAR]), Vec::new())
        .await
        .unwrap();
    assert_eq!(view(&test, JOB).await.zones, "2026f");
}

#[tokio::test]
async fn a_plan_for_another_picture_or_from_no_table_is_refused() {
    let Some(test) = fresh().await else { return };
    let (old, new) = (with(&test, "2025b"), with(&test, "2026f"));
    drop(old.apply_job(&cron(JOB), &plan(&[FAR])).await.unwrap());
    let picture = seen(&view(&test, JOB).await);
    let other = PlanGuard {
        next: Some(ms(FAR + 1)),
        ..picture
    };
    for (revision, guard) in [(2, picture), (1, other)] {
        let outcome = new
            .replan_job(&name(JOB), revision, guard, &plan(&[FAR]), Vec::new())
            .await;
        assert_eq!(outcome.unwrap(), PlanOutcome::Stale);
    }
    let partition = test.store.partition_of_job(&name(JOB));
    let (with, without) = (format!("2026f {FAR}"), FAR.to_string());
    let changes = [
        (2, "", "job"),
        (3, "0", "revision"),
        (6, without.as_str(), "dues"),
        (6, "2026f 5 4", "dues"),
        (7, "2", "plan_end"),
        (8, "x", "record"),
    ];
    test.assert_refused(
        "job/replan",
        partition,
        &["", JOB, "1", &without, &without, &with, "0"],
        &changes,
    )
    .await;
    let changes = ["", "2026", "2026F", "latest"].map(|edition| (1, edition, "edition"));
    test.assert_refused("job/zones", partition, &["2026f", "", "0"], &changes)
        .await;
    test.assert_refused(
        "job/zones",
        partition,
        &["2026f", "", "0"],
        &[(3, "2", "done")],
    )
    .await;
}
