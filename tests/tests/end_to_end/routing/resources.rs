//! Resources: what a context takes of its worker is reserved while it runs, and never promised twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_core::model::{Indexed, Model};
use tickwheel_core::routing::Units;
use tickwheel_proto::v1;
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::harness::jobs::{job_of, submission};
use tickwheel_tests::harness::{until, until_clock, wall_ms};
use tickwheel_worker::{Context, Worker, WorkerBuilder};
use tokio::sync::Semaphore;

use crate::routing::cluster::Cluster;

const LIMIT: Duration = Duration::from_secs(60);

/// What handlers count themselves.
#[derive(Debug, Default)]
struct Gauge {
    now: AtomicU64,
    most: AtomicU64,
    runs: AtomicU64,
}

/// A worker whose handler `take` counts how many run at once, and ends with a permit of `gate`.
fn worker(
    cluster: &Cluster,
    name: &str,
    gauge: &Arc<Gauge>,
    gate: &Arc<Semaphore>,
) -> WorkerBuilder {
    let (gauge, gate) = (Arc::clone(gauge), Arc::clone(gate));
    Worker::builder(cluster.urls().join(","))
        .name(name)
        .concurrency(64)
        .handle_raw("take", move |_: Context, _: Bytes| {
            let (gauge, gate) = (Arc::clone(&gauge), Arc::clone(&gate));
            let now = gauge.now.fetch_add(1, Ordering::SeqCst) + 1;
            gauge.most.fetch_max(now, Ordering::SeqCst);
            gauge.runs.fetch_add(1, Ordering::SeqCst);
            async move {
                let permit = gate.acquire().await;
                until_clock(wall_ms() + 3).await;
                drop(permit);
                gauge.now.fetch_sub(1, Ordering::SeqCst);
                Ok(Bytes::new())
            }
        })
}

fn taking(amounts: &[(&str, u64)]) -> v1::Submission {
    let resources: HashMap<String, u64> = amounts
        .iter()
        .map(|(name, amount)| ((*name).to_owned(), *amount))
        .collect();
    v1::Submission {
        options: Some(v1::ContextOptions {
            resources,
            ..v1::ContextOptions::default()
        }),
        ..submission("take", 1)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_cores_are_found_where_they_are_and_once() -> Result<()> {
    let Some(mut cluster) = Cluster::start(3).await? else {
        return Ok(());
    };
    let gate = Arc::new(Semaphore::new(0));
    let (small, large): (Arc<Gauge>, Arc<Gauge>) = Default::default();
    let builder = worker(&cluster, "small", &small, &gate).resource("cpu", 1.9);
    cluster.add("small", builder.start()?).await?;
    let builder = worker(&cluster, "large", &large, &gate).resource("cpu", 2.1);
    let id = cluster.add("large", builder.start()?).await?;
    let two = [taking(&[("cpu", 2_000)]), taking(&[("cpu", 2_000)])];
    let ids = cluster.client.submit(two.to_vec()).await?;
    let [first, second] = ids.as_slice() else {
        anyhow::bail!("{ids:?}");
    };
    until(
        "one runs and the other says why it waits",
        LIMIT,
        async || {
            let mut found = Vec::new();
            for id in [first, second] {
                let context = cluster.client.context(id).await?;
                found.push((context.state(), context.waiting_reason));
            }
            found.sort();
            ensure!(
                found
                    .first()
                    .is_some_and(|(state, reason)| *state == ContextState::Ready
                        && reason == "none of the 1 workers that fit has cpu 2 free"),
                "{found:?}"
            );
            ensure!(
                found
                    .last()
                    .is_some_and(|(state, _)| *state == ContextState::Running),
                "{found:?}"
            );
            Ok(())
        },
    )
    .await?;
    until("the reservation is in Redis", LIMIT, async || {
        let workers = cluster.rig.store.list_workers(None).await?;
        let large = workers.iter().find(|worker| worker.id.as_str() == id);
        let resources = &large.context("it is gone")?.report.resources;
        let cpu = resources.iter().find(|one| one.name == "cpu");
        let cpu = cpu.map(|cpu| (cpu.used, cpu.total, cpu.reserved));
        ensure!(cpu == Some((2_000, 2_100, 2_000)), "{resources:?}");
        Ok(())
    })
    .await?;
    gate.add_permits(2);
    for id in [first, second] {
        let ended = cluster.client.end_of(id).await?;
        ensure!(
            ended.state() == ContextState::Succeeded && ended.failures == 0,
            "{ended:?}"
        );
    }
    let seen = |gauge: &Gauge| {
        (
            gauge.runs.load(Ordering::SeqCst),
            gauge.most.load(Ordering::SeqCst),
        )
    };
    ensure!(
        seen(&small) == (0, 0) && seen(&large) == (2, 1),
        "{small:?} {large:?}"
    );
    cluster.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_worker_has_is_said_otherwise() -> Result<()> {
    let Some(mut cluster) = Cluster::start(1).await? else {
        return Ok(());
    };
    let gate = Arc::new(Semaphore::new(1));
    let gauge: Arc<Gauge> = Arc::default();
    let builder = worker(&cluster, "small", &gauge, &gate).resource("cpu", 1.9);
    cluster.add("small", builder.start()?).await?;
    let id = cluster
        .client
        .submit_one(taking(&[("cpu", 3_000), ("tpu", 1)]))
        .await?;
    until("it says why it waits", LIMIT, async || {
        let reason = cluster.client.context(&id).await?.waiting_reason;
        ensure!(
            reason.contains("the resources are too small of 1: cpu 3, tpu 0.001"),
            "{reason}"
        );
        Ok(())
    })
    .await?;
    cluster.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_at_once_never_take_more_than_there_is() -> Result<()> {
    let Some(mut cluster) = Cluster::start(3).await? else {
        return Ok(());
    };
    // Everything may run.
    let gate = Arc::new(Semaphore::new(100));
    let mut gauges = Vec::new();
    for name in ["a", "b", "c"] {
        let gauge: Arc<Gauge> = Arc::default();
        let builder = worker(&cluster, name, &gauge, &gate).resource("unit", 4);
        cluster.add(name, builder.start()?).await?;
        gauges.push(gauge);
    }
    // From several partitions, so that turns run beside each other.
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.extend(
            cluster
                .client
                .submit(vec![taking(&[("unit", 1_000)]); 100])
                .await?,
        );
    }
    for id in &ids {
        let ended = cluster.client.end_of(id).await?;
        ensure!(
            ended.state() == ContextState::Succeeded && ended.failures == 0,
            "{ended:?}"
        );
    }
    let seen: Vec<(u64, u64)> = gauges
        .iter()
        .map(|gauge| {
            (
                gauge.runs.load(Ordering::SeqCst),
                gauge.most.load(Ordering::SeqCst),
            )
        })
        .collect();
    ensure!(seen.iter().all(|(_, most)| *most <= 4), "{seen:?}");
    ensure!(
        seen.iter().map(|(runs, _)| runs).sum::<u64>() == 1_000,
        "{seen:?}"
    );
    ensure!(
        seen.iter().any(|(_, most)| *most == 4),
        "nothing ran side by side: {seen:?}"
    );
    for name in ["a", "b", "c"] {
        ensure!(
            cluster
                .worker(name)
                .is_some_and(|worker| worker.stats().running == 0)
        );
    }
    cluster.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subtasks_never_take_more_than_there_is() -> Result<()> {
    let Some(mut cluster) = Cluster::start(3).await? else {
        return Ok(());
    };
    let gate = Arc::new(Semaphore::new(100));
    let mut gauges = Vec::new();
    for name in ["a", "b"] {
        let gauge: Arc<Gauge> = Arc::default();
        let builder = worker(&cluster, name, &gauge, &gate).resource("unit", 4);
        cluster.add(name, builder.start()?).await?;
        gauges.push(gauge);
    }
    let spec = JobSpec {
        model: Model::Indexed(Indexed {
            completions: 300,
            parallelism: 50,
            max_failed: None,
            success: None,
        }),
        resources: Units::of([("unit".to_owned(), 1_000)]),
        ..job_of("parts", "take", 1, Trigger::Manual)?
    };
    cluster.client.apply(&[spec]).await?;
    let id = cluster.client.run("parts").await?.id;
    let ended = cluster.client.end_of(&id).await?;
    ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
    let of = |count: fn(&Gauge) -> &AtomicU64| -> Vec<u64> {
        let counts = gauges
            .iter()
            .map(|gauge| count(gauge).load(Ordering::SeqCst));
        counts.collect()
    };
    let (runs, most) = (of(|gauge| &gauge.runs), of(|gauge| &gauge.most));
    ensure!(runs.iter().sum::<u64>() == 300, "{runs:?}");
    ensure!(most == [4, 4], "at once: {most:?}");
    cluster.rig.check().await
}
