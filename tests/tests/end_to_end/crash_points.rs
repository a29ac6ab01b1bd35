//! Every crash point once: a process dies there in the middle of a load, others go on, and then nothing is lost, doubled or stuck.
//!
//! The points are those of the crate `tickwheel-crash-points`. One that the code does not have, or that nobody comes by, fails here.

mod load;
mod victims;

use anyhow::{Result, ensure};
use load::Load;
use tickwheel_crash_points::{POINTS, Point, Process};
use tickwheel_tests::bins;
use tickwheel_tests::harness::{Rig, RigOptions};

/// How many die beside each other.
fn at_once(process: Process) -> usize {
    match process {
        Process::Tracker => 6,
        Process::Worker => 2,
    }
}

async fn rig() -> Result<Option<Rig>> {
    let options = RigOptions {
        partitions: load::PARTITIONS,
        dispatch_lease_ms: 700,
        ..RigOptions::default()
    };
    Rig::start(Some(bins!()), options).await
}

async fn walk(process: Process) -> Result<String> {
    let Some(rig) = rig().await? else {
        return Ok("skipped".to_owned());
    };
    let points: Vec<&Point> = POINTS
        .iter()
        .filter(|point| point.process == process)
        .collect();
    let load = Load::begin(&rig).await?;
    for together in points.chunks(at_once(process)) {
        let deaths = together.iter().map(|point| async {
            match process {
                Process::Tracker => victims::tracker(&rig, &load, point.name).await,
                Process::Worker => victims::worker(&rig, &load, point.name).await,
            }
        });
        futures::future::try_join_all(deaths).await?;
        // In the middle of everything: each partition is right at each instant.
        rig.check().await?;
    }
    let figures = load.end(&rig).await?;
    ensure!(points.len() > 5, "the list of points is not empty");
    Ok(format!(
        "{} crash points of a {process:?}: {figures}",
        points.len()
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tracker_may_die_at_every_point() -> Result<()> {
    println!("{}", walk(Process::Tracker).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_may_die_at_every_point() -> Result<()> {
    println!("{}", walk(Process::Worker).await?);
    Ok(())
}
