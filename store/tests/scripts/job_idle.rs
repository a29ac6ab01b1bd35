//! job/delete of what is idle: a job of which something has begun stays as it is, and whoever asked is told what runs.

use crate::call::{Part, T};
use crate::harness::{Harness, fresh, name};
use tickwheel_core::id::ContextId;
use tickwheel_store::job::{Deleted, IdleDeletion};

const W: (&str, &str, u64, &str) = ("w-1", "g", 9, "h");
/// Each attempt a second after the one before.
const AGAIN: (&str, &str) = ("tmpl", "g h 2 b=f:1000:1000:0 body");

/// Names of jobs that belong into the partition.
fn names(part: &Part<'_>) -> impl Iterator<Item = String> {
    let all = (0..).map(|number| format!("d/j{number}"));
    let (store, id) = (part.test.store.clone(), part.id);
    all.filter(move |job| store.partition_of_job(&name(job)) == id)
}

async fn put(part: &Part<'_>, job: &str, kind: &str, changes: &[(&str, &str)]) {
    let period = if kind == "once" { "" } else { "60000" };
    let fields = [&[("kind", kind), ("period", period)][..], changes].concat();
    part.put_job(job, T, &fields).await;
    part.test
        .command(&["ZADD", &part.key("jobs"), "0", job])
        .await;
}

async fn delete(test: &Harness, job: &str) -> IdleDeletion {
    test.store.delete_idle_job(&name(job)).await.unwrap()
}

fn deleted(cancelled: u64) -> IdleDeletion {
    IdleDeletion::Deleted(Deleted {
        cancelled,
        running: 0,
    })
}

fn begun(ids: &[&str]) -> IdleDeletion {
    IdleDeletion::Begun(ids.iter().map(|id| id.parse().unwrap()).collect())
}

/// The context that a turn at `T` gives to the worker.
async fn claim(part: &Part<'_>) -> String {
    let turned = part.turn(T, 9, &[W]).await;
    let id = turned.claims[0].1.split(' ').next().unwrap();
    assert!(id.parse::<ContextId>().is_ok());
    id.to_owned()
}

#[tokio::test]
async fn a_once_job_goes_only_while_nothing_of_it_has_begun() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let job = &names(&part).next().unwrap();
    put(&part, job, "once", &[]).await;
    assert_eq!(delete(&test, job).await, deleted(0), "not due yet");

    put(&part, job, "once", &[]).await;
    drop(part.turn(T, 9, &[]).await);
    assert_eq!(delete(&test, job).await, deleted(1), "nobody took it");

    put(&part, job, "once", &[AGAIN]).await;
    let id = claim(&part).await;
    let before = part.state().await;
    assert_eq!(delete(&test, job).await, begun(&[&id]), "it runs");
    assert_eq!(part.state().await, before, "nothing was written");

    let failed = part.settle(T + 1, &[[&id, "1", "failed", "0 0 no"]]).await;
    assert!(failed.starts_with('R'), "{failed}");
    let before = part.state().await;
    assert_eq!(delete(&test, job).await, begun(&[&id]), "it ran before");
    assert_eq!(part.state().await, before, "nothing was written");

    let turned = part.turn(T + 2_000, 9, &[W]).await;
    assert_eq!(turned.claims.len(), 1);
    assert_eq!(
        part.settle(T + 2_001, &[[&id, "2", "succeeded", ""]]).await,
        "S"
    );
    let before = part.state().await;
    assert_eq!(delete(&test, job).await, begun(&[]), "it ran and ended");
    assert_eq!(part.state().await, before, "nothing was written");
}

#[tokio::test]
async fn a_recurring_job_goes_when_nothing_of_it_runs() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let job = &names(&part).next().unwrap();
    put(&part, job, "fixed_rate", &[AGAIN]).await;
    let id = claim(&part).await;
    let before = part.state().await;
    assert_eq!(delete(&test, job).await, begun(&[&id]), "it runs");
    assert_eq!(part.state().await, before, "nothing was written");
    // What waits for its next attempt goes with it.
    let failed = part.settle(T + 1, &[[&id, "1", "failed", "0 0 no"]]).await;
    assert!(failed.starts_with('R'), "{failed}");
    assert_eq!(delete(&test, job).await, deleted(1));
    assert_eq!(test.store.get_job(&name(job)).await.unwrap(), None);
}

#[tokio::test]
async fn a_deletion_that_began_comes_to_its_end_and_what_is_nowhere_has_begun() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let mut names = names(&part);
    let (job, once) = (names.next().unwrap(), names.next().unwrap());
    put(&part, &job, "fixed_rate", &[]).await;
    claim(&part).await;
    let key = part.key(&format!("job:{job}"));
    test.command(&["HSET", &key, "state", "deleting"]).await;
    let ended = IdleDeletion::Deleted(Deleted {
        cancelled: 0,
        running: 1,
    });
    assert_eq!(delete(&test, &job).await, ended);

    let lost = format!("{}.{T}.f@{once}", part.id);
    put(&part, &once, "once", &[]).await;
    let active = part.key(&format!("active:{once}"));
    test.command(&["HSET", &active, &lost, "m"]).await;
    assert_eq!(delete(&test, &once).await, begun(&[&lost]));
}

#[tokio::test]
async fn followers_do_not_hold_it_and_their_edges_wait_for_a_job_of_its_name() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let followed = [("followers", "d/f:ended")];
    let job = &names(&part).next().unwrap();
    put(&part, job, "fixed_rate", &followed).await;
    assert_eq!(delete(&test, job).await, deleted(0));
    let awaited = part.key(&format!("awaited:{job}"));
    let awaited = test.text(&["GET", &awaited]).await;
    assert_eq!(awaited, "d/f:ended");
}
