//! Workers that drain, die or freeze: what they ran runs elsewhere, and nothing counts twice.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_core::job::ContextOptions;
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::bins;
use tickwheel_tests::harness::jobs::{submission, tries, with_options};
use tickwheel_tests::harness::{Rig, RigOptions, WorkerOptions, until, wall_ms};

const LIMIT: Duration = Duration::from_secs(30);
const LEASE_MS: u64 = 2_000;
const COUNT: usize = 20;

fn leased(max_attempts: u32) -> ContextOptions {
    ContextOptions {
        lease_ms: LEASE_MS,
        ..tries(max_attempts, 50)
    }
}

/// Waits until `count` handlers run on the worker `name`.
async fn running_on(rig: &Rig, name: &str, count: usize) -> Result<()> {
    until(&format!("{count} run on {name}"), LIMIT, async || {
        let running = rig
            .book
            .read()?
            .iter()
            .filter(|run| run.worker == name && run.end_ms.is_none())
            .count();
        ensure!(running >= count, "{running} do");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_worker_ran_runs_elsewhere_within_its_lease_and_a_second() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let mut first = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let contexts = (0..COUNT)
        .map(|_| with_options(submission("sleep", 1_500), leased(3)))
        .collect();
    let ids = client.submit(contexts).await?;
    running_on(&rig, first.process.name(), COUNT).await?;
    let second = rig.worker(&trackers, WorkerOptions::default()).await?;
    // Sleeping handlers that began more than a second ago would end before they can be killed.
    first.kill().await?;
    let killed = wall_ms();
    let mut recovery = Vec::new();
    for id in &ids {
        let context = client.end_of(id).await?;
        ensure!(context.state() == ContextState::Succeeded, "{context:?}");
        let runs = rig.book.of(id)?;
        let again = runs.iter().find(|run| run.worker == second.process.name());
        if let Some(again) = again {
            ensure!(
                context.attempt == 2 && context.worker == second.id,
                "{context:?}"
            );
            recovery.push(again.start_ms.saturating_sub(killed));
        }
    }
    ensure!(
        !recovery.is_empty(),
        "every handler had ended before its worker was killed"
    );
    let slowest = recovery.iter().max().copied().unwrap_or(0);
    println!(
        "recovery after kill -9 of a worker: slowest {slowest} ms of {} contexts, lease {LEASE_MS} ms",
        recovery.len()
    );
    // A second after the lease, as the fault rig measures it on a machine of its own; this one may be busy.
    ensure!(slowest <= LEASE_MS + 10_000, "{recovery:?}");
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_once_means_that_a_lost_lease_ends_the_context() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let mut first = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let once = ContextOptions {
        fail_on_lease_lost: true,
        ..leased(5)
    };
    let id = client
        .submit_one(with_options(submission("sleep", 60_000), once))
        .await?;
    running_on(&rig, first.process.name(), 1).await?;
    let _second = rig.worker(&trackers, WorkerOptions::default()).await?;
    first.kill().await?;
    let context = client.end_of(&id).await?;
    ensure!(
        context.state() == ContextState::Failed && !context.error.is_empty(),
        "{context:?}"
    );
    ensure!(rig.book.of(&id)?.len() == 1, "it ran again");
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_drains_gives_back_what_does_not_end_in_time() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let options = WorkerOptions {
        drain_ms: 300,
        ..WorkerOptions::default()
    };
    let mut first = rig.worker(&trackers, options).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let quick = ContextOptions {
        cancel_grace_ms: 300,
        ..leased(1)
    };
    let long = client
        .submit_one(with_options(submission("cancel_aware", 2_500), quick))
        .await?;
    let short = client
        .submit_one(with_options(submission("sleep", 400), quick))
        .await?;
    running_on(&rig, first.process.name(), 2).await?;
    let second = rig.worker(&trackers, WorkerOptions::default()).await?;
    first.process.signal("TERM").await?;
    let status = first.process.ended(Duration::from_secs(10)).await?;
    ensure!(status.success(), "the worker ended with {status}");
    let context = client.end_of(&long).await?;
    // It has one attempt, and none of it was a failure: a drain costs nothing, and nobody waited for the end of a lease.
    ensure!(
        context.state() == ContextState::Succeeded && context.worker == second.id,
        "{context:?}"
    );
    let context = client.end_of(&short).await?;
    ensure!(context.state() == ContextState::Succeeded, "{context:?}");
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_froze_and_thawed_changes_nothing() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let first = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let id = client
        .submit_one(with_options(submission("sleep", 1_000), leased(3)))
        .await?;
    running_on(&rig, first.process.name(), 1).await?;
    first.freeze().await?;
    let second = rig.worker(&trackers, WorkerOptions::default()).await?;
    running_on(&rig, second.process.name(), 1).await?;
    let stale = rig.snapshot().await?.stat("stale");
    first.process.signal("CONT").await?;
    let context = client.end_of(&id).await?;
    ensure!(
        context.state() == ContextState::Succeeded
            && context.attempt == 2
            && context.worker == second.id,
        "{context:?}"
    );
    // It is back, with nothing that runs, and takes new work.
    rig.wait_for_worker(&first.id).await?;
    let more = client
        .submit((0..100).map(|_| submission("ok", 1)).collect())
        .await?;
    for id in &more {
        ensure!(
            client.end_of(id).await?.state() == ContextState::Succeeded,
            "{id}"
        );
    }
    let refused = rig.drained(LIMIT).await?.stat("stale") - stale;
    println!("a thawed worker: {refused} of its calls were refused");
    rig.check().await
}
