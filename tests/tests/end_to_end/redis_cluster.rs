//! The whole way on a Redis Cluster of three primaries with three trackers, and slots that move between nodes under load: nothing is
//! lost, and nothing runs twice for it.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_core::job::JobSpec;
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::bins;
use tickwheel_tests::harness::jobs::{delayed, every, job, submission, tries, with_options};
use tickwheel_tests::harness::{
    Layout, Registered, Rig, RigOptions, WorkerOptions, until, wall_ms,
};

const LIMIT: Duration = Duration::from_secs(40);

fn cluster() -> RigOptions {
    RigOptions {
        layout: Layout::Cluster,
        ..RigOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contexts_are_fired_retried_cancelled_and_survive_a_worker() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), cluster()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(3).await?;
    let mut doomed = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let rate = job("rate", "ok", every(200))?;
    let jobs = Registered::apply(&mut client, vec![rate]).await?;
    client.fired("rate", 3, LIMIT).await?;

    let failing = with_options(submission("fail", 1), tries(3, 100));
    let failing = client.submit_one(failing).await?;
    let far = client
        .submit_one(delayed(submission("ok", 0), Duration::from_secs(3600)))
        .await?;
    client.cancel(&far).await?;
    let cancelled = client.end_of(&far).await?;
    ensure!(
        cancelled.state() == ContextState::Cancelled,
        "{cancelled:?}"
    );

    let long = client.submit_one(submission("sleep", 3_000)).await?;
    until("the long one runs", LIMIT, async || {
        let context = client.context(&long).await?;
        ensure!(context.state() == ContextState::Running, "{context:?}");
        Ok(())
    })
    .await?;
    doomed.kill().await?;
    let _worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let ended = client.end_of(&long).await?;
    ensure!(
        ended.state() == ContextState::Succeeded && ended.attempt >= 2,
        "{ended:?}"
    );
    let retried = client.end_of(&failing).await?;
    ensure!(
        retried.state() == ContextState::Succeeded && retried.attempt == 2,
        "{retried:?}"
    );
    client.pause("rate").await?;
    let snapshot = rig.drained(LIMIT).await?;
    jobs.check_quiet(&rig, &snapshot).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_move_under_load_and_nothing_is_lost() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), cluster()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(3).await?;
    let _workers = [
        rig.worker(&trackers, WorkerOptions::default()).await?,
        rig.worker(&trackers, WorkerOptions::default()).await?,
    ];
    let mut client = rig.client(&trackers[0]).await?;
    let jobs: Vec<JobSpec> = (0..8)
        .map(|number| job(&format!("rate{number}"), "ok", every(100)))
        .collect::<Result<_>>()?;
    let jobs = Registered::apply(&mut client, jobs).await?;
    client.fired("rate0", 3, LIMIT).await?;
    let mut ids = Vec::new();
    let mut moved = 0;
    let began = wall_ms();
    for round in 0..2 {
        for partition in 0..rig.options.partitions {
            // Some are due while the slot moves, some later.
            let batch = (0..50).map(|number| {
                let delay = Duration::from_millis(number * 20);
                delayed(submission("sleep", 20), delay)
            });
            ids.extend(client.submit(batch.collect()).await?);
            moved += rig
                .redis
                .move_slot_of(&format!("{{tw:{partition}}}:wheel"))
                .await?;
        }
        if round == 0 {
            moved += rig.redis.move_slot_of("{tw}:meta").await?;
        }
    }
    println!(
        "{moved} keys of {} slots moved in {} ms, under {} contexts and 8 jobs",
        2 * rig.options.partitions + 1,
        wall_ms() - began,
        ids.len()
    );
    let mut orphaned = 0;
    for id in &ids {
        let ended = client.end_of(id).await?;
        ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
        orphaned += usize::from(ended.attempt > 1);
    }
    println!("{orphaned} of {} needed a second attempt", ids.len());
    // A busy machine may lose a lease or two; calls that were refused half way would lose one with each slot.
    ensure!(
        20 * orphaned <= ids.len(),
        "{orphaned} of {} were orphaned",
        ids.len()
    );
    // Wake messages arrive where the channels are now: no tracker waits for its minute.
    let woken = client.submit(vec![submission("ok", 0); 40]).await?;
    for id in &woken {
        let ended = client.end_of(id).await?;
        ensure!(
            ended.ended_ms.saturating_sub(ended.due_ms) < 20_000,
            "it waited for a look: {ended:?}"
        );
    }
    for spec in jobs.specs() {
        client.pause(spec.name.as_str()).await?;
    }
    let snapshot = rig.drained(LIMIT).await?;
    jobs.check_quiet(&rig, &snapshot).await?;
    rig.check().await
}
