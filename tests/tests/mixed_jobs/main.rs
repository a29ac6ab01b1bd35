//! The big one: three trackers, two workers, a thousand jobs of every kind, and processes that die in the middle.
//!
//! At the end every ledger is held against its calendar, and every invariant against Redis and the workers' run book: no gap, no double,
//! no attempt number twice. `TICKWHEEL_MIXED_SECONDS` says how long the first of them runs (20).

mod jobs;
mod show;

use anyhow::{Context as _, Result, ensure};
use show::{Show, worker_options};
use tickwheel_tests::harness::{until_clock, wall_ms};

fn seconds() -> u64 {
    let given = std::env::var("TICKWHEEL_MIXED_SECONDS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mixed_jobs_have_no_gap_and_no_double_while_a_tracker_and_a_worker_die()
-> Result<()> {
    let Some(mut show) = Show::begin(seconds(), false).await? else {
        return Ok(());
    };
    show.until_percent(40).await;
    let mut tracker = show.trackers.pop().context("a tracker to kill")?;
    tracker.process.kill().await?;
    show.until_percent(60).await;
    let mut worker = show.workers.pop().context("a worker to kill")?;
    worker.kill().await?;
    show.workers
        .push(show.rig.worker(&show.trackers, worker_options()).await?);
    // In the middle of everything: each partition is right at each instant.
    show.rig.check().await?;
    let outcome = show.end().await?;
    let recovery = outcome.recoveries(worker.process.name());
    println!("mixed jobs: {}", outcome.summary(&recovery));
    ensure!(
        outcome.late_starts().is_empty(),
        "started after their end: {:?}",
        outcome.late_starts()
    );
    let slowest = recovery.iter().max().copied().unwrap_or(0);
    if outcome.kept_up() {
        ensure!(
            slowest <= jobs::LEASE_MS + 1_000,
            "what the worker ran came back after {recovery:?} ms"
        );
    } else {
        println!("this machine is too busy to judge the recovery: {slowest} ms");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_while_everything_dies_once() -> Result<()> {
    let Some(mut show) = Show::begin(16, true).await? else {
        return Ok(());
    };
    show.until_percent(20).await;
    for tracker in &mut show.trackers {
        tracker.process.kill().await?;
    }
    until_clock(wall_ms() + 1_000).await;
    for tracker in &mut show.trackers {
        show.rig.restart_tracker(tracker).await?;
    }
    show.until_percent(45).await;
    show.rig.redis.kill().await?;
    until_clock(wall_ms() + 700).await;
    show.rig.redis.restart().await?;
    show.until_percent(60).await;
    // Longer than its leases: what it ran is given to the other one.
    show.workers[0].freeze().await?;
    show.trackers[2].process.signal("STOP").await?;
    until_clock(wall_ms() + jobs::LEASE_MS + 1_500).await;
    show.rig.check().await?;
    show.workers[0].process.signal("CONT").await?;
    show.trackers[2].process.signal("CONT").await?;
    let frozen = show.workers[0].process.name().to_owned();
    let outcome = show.end().await?;
    println!(
        "everything dies once: {}",
        outcome.summary(&outcome.recoveries(&frozen))
    );
    Ok(())
}
