//! Those that die: each comes into the running cluster with its point, and does what everyone does until it comes by there.

use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tickwheel_tests::harness::rig::died;
use tickwheel_tests::harness::{Client, Rig, WorkerOptions};
use tokio::time::{MissedTickBehavior, interval};

use crate::crash_points::load::{self, Load};

/// A victim that lives longer has not come by at its point.
const LIMIT: Duration = Duration::from_secs(20);
/// Between two rounds of requests.
const PAUSE: Duration = Duration::from_millis(150);
/// Rounds between two workers that are killed for a tracker to notice.
const ROUNDS_OF_A_WORKER: u64 = 12;

/// A tracker dies at `point`.
pub(crate) async fn tracker(rig: &Rig, load: &Load, point: &str) -> Result<()> {
    // The first heartbeat is part of its start.
    let armed = match point {
        "after_heartbeat" => "after_heartbeat:3",
        other => other,
    };
    let mut victim = rig.doomed_tracker(armed).await?;
    let url = victim.url.clone();
    let asking = pin!(ask(rig, load, &url, point));
    tokio::select! {
        dead = died(&mut victim.process, point, LIMIT) => dead,
        asked = asking => asked,
    }
}

/// A worker dies at `point`.
pub(crate) async fn worker(rig: &Rig, load: &Load, point: &str) -> Result<()> {
    let options = WorkerOptions {
        permits: 16,
        ..WorkerOptions::default()
    };
    let mut victim = rig.doomed_worker(point, &load.trackers, options).await?;
    let url = load.trackers.first().context("a tracker")?.url.clone();
    let asking = pin!(ask(rig, load, &url, point));
    tokio::select! {
        dead = died(&mut victim.process, point, LIMIT) => dead?,
        asked = asking => asked?,
    }
    // What ran there runs no longer.
    rig.book.worker_gone(victim.process.name());
    Ok(())
}

/// Asks the tracker at `url` for whatever brings a process past `point`, without end. It may die at any time.
async fn ask(rig: &Rig, load: &Load, url: &str, point: &str) -> Result<()> {
    let mut rounds = interval(PAUSE);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut client = None;
    let mut passing = None;
    for round in 0_u64.. {
        rounds.tick().await;
        if client.is_none() {
            client = Client::connect(url).await.ok();
        }
        if let Some(connected) = &mut client
            && load.ask(connected).await.is_err()
        {
            client = None;
        }
        let too_much = [("release", load::TIGHT), ("share", load::CAPPED)];
        for (what, group) in too_much {
            if point.contains(what)
                && let Some(connected) = &mut client
            {
                load.ask_too_much(connected, group).await.ok();
            }
        }
        if point.contains("plan") && round.is_multiple_of(4) {
            load.add_short_plan(rig, &format!("{point}-{round}"))
                .await?;
        }
        if point.contains("retire") && round.is_multiple_of(ROUNDS_OF_A_WORKER) {
            // The one before is killed now that every tracker has a stream of it.
            let next = rig.worker(&load.trackers, WorkerOptions::default()).await?;
            if let Some(mut worker) = passing.replace(next) {
                worker.kill().await?;
            }
        }
    }
    Ok(())
}
