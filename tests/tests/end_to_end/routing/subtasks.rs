//! Subtasks run where their job may run, and take of their workers what it takes.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_core::model::{Allocation, Broadcast, Model, ShardItem, Sharding};
use tickwheel_core::routing::{Routing, RoutingPolicy, Selection};
use tickwheel_proto::v1;
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::harness::fan::Mapping;
use tickwheel_tests::harness::jobs::{job_of, tries};
use tickwheel_tests::harness::until;

use crate::routing::cluster::Cluster;
use crate::routing::worker;

const LIMIT: Duration = Duration::from_secs(60);

fn east() -> Result<Selection> {
    Ok(Selection {
        select: Some(r#"zone == "east""#.parse()?),
        ..Selection::default()
    })
}

/// Registers the job, runs it once and waits for its end.
async fn run(cluster: &mut Cluster, spec: JobSpec) -> Result<v1::Context> {
    let name = spec.name.to_string();
    cluster.client.apply(&[spec]).await?;
    let id = cluster.client.run(&name).await?.id;
    until("the root has ended", LIMIT, async || {
        let context = cluster.client.end_of(&id).await?;
        ensure!(context.ended_ms > 0, "{context:?}");
        Ok(context)
    })
    .await
}

/// Two workers in the east and two in the west, with streams to three trackers.
async fn zones() -> Result<Option<Cluster>> {
    let Some(mut cluster) = Cluster::start(3).await? else {
        return Ok(None);
    };
    for (name, zone) in [
        ("e1", "east"),
        ("e2", "east"),
        ("w1", "west"),
        ("w2", "west"),
    ] {
        let tag = format!("zone={zone}");
        cluster.hire(name, &worker(512, &[&tag])).await?;
    }
    Ok(Some(cluster))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_reaches_the_workers_that_fit_and_no_other() -> Result<()> {
    let Some(mut cluster) = zones().await? else {
        return Ok(());
    };
    let spec = |name: &str, quorum: Option<u32>| -> Result<JobSpec> {
        Ok(JobSpec {
            model: Model::Broadcast(Broadcast { quorum }),
            workers: east()?,
            options: tries(1, 10),
            ..job_of(name, "part", 1, Trigger::Manual)?
        })
    };
    let ended = run(&mut cluster, spec("all", None)?).await?;
    ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
    let counts = cluster.counts()?;
    ensure!(
        counts == [("e1".to_owned(), 1), ("e2".to_owned(), 1)].into(),
        "{counts:?}"
    );
    // Four are alive, two fit.
    let ended = run(&mut cluster, spec("three", Some(3))?).await?;
    ensure!(
        ended.state() == ContextState::Failed && ended.error.contains("quorum"),
        "{ended:?}"
    );
    cluster.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_are_dealt_to_the_workers_that_fit() -> Result<()> {
    let Some(mut cluster) = zones().await? else {
        return Ok(());
    };
    let items: Result<Vec<ShardItem>, _> = (0..4)
        .map(|item| format!("{item}=r{item}").parse())
        .collect();
    let spec = JobSpec {
        model: Model::Sharding(Sharding {
            items: items?,
            allocation: Allocation::Average,
        }),
        workers: east()?,
        ..job_of("regions", "part", 1, Trigger::Manual)?
    };
    let ended = run(&mut cluster, spec).await?;
    ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
    let counts = cluster.counts()?;
    ensure!(
        counts == [("e1".to_owned(), 2), ("e2".to_owned(), 2)].into(),
        "{counts:?}"
    );
    cluster.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_maps_follows_the_routing_of_its_job() -> Result<()> {
    let Some(mut cluster) = zones().await? else {
        return Ok(());
    };
    let mapping = Mapping {
        items: 400,
        leaf: "ok".to_owned(),
        reduce: "count".to_owned(),
        ..Mapping::default()
    };
    let spec = JobSpec {
        body: serde_json::to_vec(&mapping)?.into(),
        workers: east()?,
        routing: Routing::new(RoutingPolicy::RoundRobin),
        ..job_of("map", "map", 0, Trigger::Manual)?
    };
    let ended = run(&mut cluster, spec).await?;
    ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
    // The root, 400 subtasks, and the reduce.
    let counts = cluster.counts()?;
    ensure!(
        counts == [("e1".to_owned(), 201), ("e2".to_owned(), 201)].into(),
        "{counts:?}"
    );
    cluster.rig.check().await
}
