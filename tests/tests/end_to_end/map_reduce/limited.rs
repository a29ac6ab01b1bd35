//! Subtasks keep to the limits of their group.

use anyhow::{Result, ensure};
use tickwheel_proto::v1;
use tickwheel_tests::bins;
use tickwheel_tests::harness::{Rig, RigOptions, Run, WorkerOptions, until_clock, wall_ms};

use super::{LIMIT, all_of, counted, ended, mapping, root, runs_of};

/// The most that ran at one instant.
fn most_at_once(runs: &[Run]) -> usize {
    let mut edges: Vec<(u64, i8)> = Vec::new();
    for run in runs {
        // Of two in one millisecond the end comes first: a permit that came back is there again.
        edges.push((run.start_ms, 1));
        edges.extend(run.end_ms.map(|end| (end, -1)));
    }
    edges.sort_unstable();
    let (mut running, mut most) = (0_usize, 0);
    for (_, step) in edges {
        running = if step > 0 {
            running + 1
        } else {
            running.saturating_sub(1)
        };
        most = most.max(running);
    }
    most
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subtasks_and_reduce_run_under_the_bound_of_their_group() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let limits = v1::GroupLimits {
        group: "default".to_owned(),
        all: Some(v1::Limit {
            concurrency: Some(4),
            rate: None,
        }),
        ..v1::GroupLimits::default()
    };
    client.raw.set_limits(limits).await?;
    // The other tracker reads them with its next heartbeat.
    until_clock(wall_ms() + 1_500).await;
    let _first = rig.worker(&trackers, WorkerOptions::default()).await?;
    let _second = rig.worker(&trackers, WorkerOptions::default()).await?;
    let id = client.submit_one(root(&mapping(200, "nap"))?).await?;
    let context = ended(&mut client, &id).await?;
    assert_eq!(counted(&context)?, all_of(200));
    let runs = rig.book.read()?;
    assert_eq!(runs_of(&runs, "nap").len(), 200);
    let most = most_at_once(&runs);
    ensure!(most == 4, "{most} ran at once where 4 may");
    rig.drained(LIMIT).await?;
    rig.check().await
}
