//! Plans of an older table of time zones are made anew.

use tickwheel_core::id::JobName;
use tickwheel_core::ledger::LedgerVerdict;
use tickwheel_core::time::TimestampMs;
use tickwheel_core::zone::table;
use tickwheel_store::Store;
use tickwheel_store::job::{JobView, Plan};
use tickwheel_tracker::planning::renew::{Renewed, renew};

use crate::harness::{Caller, caller, cron, job};

const DAY: u64 = 86_400_000;
const HOUR: u64 = 3_600_000;

fn name() -> JobName {
    JobName::new("default/nine").unwrap()
}

async fn view(store: &Store) -> JobView {
    store.get_job(&name()).await.unwrap().unwrap()
}

/// The job as a tracker with another table planned it: `shift` tells the due times of that table from the right ones.
async fn planned_by_an_old_table(
    caller: &mut Caller,
    shift: impl Fn(u64) -> u64,
) -> (Store, JobView) {
    let spec = job("nine", cron("0 9 * * *", "America/Vancouver"));
    caller.apply(vec![spec]).await.unwrap();
    let store = caller.store().await;
    let right = view(&store).await;
    assert_eq!(right.zones, table().edition().as_str());
    let old = store.clone().with_zones("2025b".parse().unwrap());
    let dues = right.next_due.iter().chain(&right.planned);
    let dues = dues
        .map(|due| TimestampMs::new(shift(due.as_u64())))
        .collect();
    store.pause_job(&name(), "").await.unwrap();
    old.resume_job(&name(), &Plan { dues, end: false }, Vec::new())
        .await
        .unwrap();
    let wrong = view(&store).await;
    assert_eq!(wrong.zones, "2025b");
    assert_ne!(wrong.next_due, right.next_due);
    (store, right)
}

#[tokio::test]
async fn due_times_of_an_old_table_are_replaced_by_right_ones() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let (store, right) = planned_by_an_old_table(&mut caller, |due| due + HOUR).await;
    let partition = store.partition_of_job(&name());
    assert_eq!(renew(&store, partition).await.unwrap(), Renewed::Planned(1));
    let renewed = view(&store).await;
    assert_eq!(
        (renewed.next_due, &renewed.planned),
        (right.next_due, &right.planned)
    );
    assert_eq!(
        (renewed.zones, renewed.revision),
        (right.zones, right.revision)
    );
    assert_eq!(renew(&store, partition).await.unwrap(), Renewed::Planned(0));
    // A tracker with the old table learns that it is behind, and touches nothing.
    let old = store.clone().with_zones("2025b".parse().unwrap());
    let newest = table().edition().to_string();
    assert_eq!(
        renew(&old, partition).await.unwrap(),
        Renewed::Outdated(newest)
    );
    assert_eq!(view(&store).await.next_due, right.next_due);
}

#[tokio::test]
async fn the_plan_begins_where_the_job_was_changed_last() {
    let Some(mut caller) = caller().await else {
        return;
    };
    // The old table skipped ten days; nothing of them has passed, so nothing was missed.
    let (store, right) = planned_by_an_old_table(&mut caller, |due| due + 10 * DAY).await;
    assert_eq!(
        renew(&store, store.partition_of_job(&name()))
            .await
            .unwrap(),
        Renewed::Planned(1)
    );
    let renewed = view(&store).await;
    assert_eq!((renewed.next_due, renewed.fired), (right.next_due, 0));
    let records = store.ledger(&name(), 10).await.unwrap();
    assert!(
        records
            .iter()
            .all(|record| record.verdict != LedgerVerdict::Missed),
        "{records:?}"
    );
}

#[tokio::test]
async fn the_cluster_says_which_table_its_tracker_has() {
    let Some(mut caller) = caller().await else {
        return;
    };
    let cluster = caller
        .rpc
        .get_cluster(tickwheel_proto::v1::GetClusterRequest {})
        .await;
    let shown = cluster.unwrap().into_inner().zone_table;
    assert_eq!(shown, format!("{} (embedded)", table().edition()));
}
