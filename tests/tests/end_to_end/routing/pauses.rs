//! A paused group: nothing of it starts on any tracker, what runs goes on, and its limits are there when it is resumed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use tickwheel_proto::v1;
use tickwheel_tests::harness::jobs::submission;
use tickwheel_tests::harness::{until, until_clock, wall_ms};
use tickwheel_worker::{Context, Worker, WorkerBuilder};

use crate::routing::cluster::Cluster;

const LIMIT: Duration = Duration::from_secs(60);

async fn group(cluster: &mut Cluster, name: &str) -> Result<v1::Group> {
    let listed = cluster.client.raw.list_groups(v1::ListGroupsRequest {});
    let mut groups = listed.await?.into_inner().groups.into_iter();
    groups
        .find(|group| group.name == name)
        .with_context(|| format!("no group {name}"))
}

/// A worker whose handler takes a while, and counts when it begins and when it ends.
fn worker(
    cluster: &Cluster,
    started: &Arc<AtomicUsize>,
    ended: &Arc<AtomicUsize>,
) -> WorkerBuilder {
    let counts = (Arc::clone(started), Arc::clone(ended));
    Worker::builder(cluster.urls().join(","))
        .name("one")
        .concurrency(8)
        .handle_raw("slow", move |_: Context, _: Bytes| {
            let (started, ended) = (Arc::clone(&counts.0), Arc::clone(&counts.1));
            async move {
                started.fetch_add(1, Ordering::SeqCst);
                until_clock(wall_ms() + 300).await;
                ended.fetch_add(1, Ordering::SeqCst);
                Ok(Bytes::new())
            }
        })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_paused_group_nothing_starts_and_its_limits_stay() -> Result<()> {
    let Some(mut cluster) = Cluster::start(3).await? else {
        return Ok(());
    };
    let (started, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let builder = worker(&cluster, &started, &ended);
    cluster.add("one", builder.start()?).await?;
    let limits = v1::GroupLimits {
        group: "default".to_owned(),
        all: Some(v1::Limit {
            concurrency: Some(4),
            rate: None,
        }),
        ..v1::GroupLimits::default()
    };
    cluster.client.raw.set_limits(limits).await?;
    cluster.submit_all(|_| submission("slow", 0), 4).await?;
    until("some run", LIMIT, async || {
        ensure!(started.load(Ordering::SeqCst) > 0, "none runs");
        Ok(())
    })
    .await?;
    let request = v1::PauseGroupRequest {
        name: "default".to_owned(),
        note: "the bank is down".to_owned(),
    };
    let paused = cluster.client.raw.pause_group(request).await?.into_inner();
    let pause = paused.pause.context("it says that it is paused")?;
    ensure!(
        pause.since_ms > 0 && pause.note == "the bank is down",
        "{pause:?}"
    );
    // The other trackers read it with their next heartbeat; what was granted before may start until then.
    until_clock(wall_ms() + 1_500).await;
    let before = started.load(Ordering::SeqCst);
    until("what ran ended", LIMIT, async || {
        let gone = ended.load(Ordering::SeqCst);
        ensure!(gone == before, "{gone} of {before} ended");
        Ok(())
    })
    .await?;
    let ids = cluster.submit_all(|_| submission("slow", 0), 40).await?;
    until_clock(wall_ms() + 700).await;
    ensure!(started.load(Ordering::SeqCst) == before, "one started");
    for id in &ids {
        let waits = cluster.client.context(id).await?.waiting_reason;
        ensure!(waits.contains("paused since"), "why it waits: {waits}");
        ensure!(waits.contains("the bank is down"), "why it waits: {waits}");
    }
    let shown = group(&mut cluster, "default").await?;
    ensure!(shown.pause.is_some(), "{shown:?}");
    ensure!((shown.workers, shown.permits) == (1, 8), "{shown:?}");
    ensure!(shown.handlers == ["slow"], "{shown:?}");
    let most = shown.limits.and_then(|limits| limits.all);
    ensure!(most.and_then(|all| all.concurrency) == Some(4), "{most:?}");
    let request = v1::GroupRef {
        name: "default".to_owned(),
    };
    let resumed = cluster.client.raw.resume_group(request).await?.into_inner();
    ensure!(resumed.pause.is_none(), "{resumed:?}");
    cluster.rig.drained(LIMIT).await?;
    let ran = ended.load(Ordering::SeqCst);
    ensure!(ran == 44, "{ran} of 44 ran");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_with_mistakes_changes_nothing() -> Result<()> {
    let Some(mut cluster) = Cluster::start(1).await? else {
        return Ok(());
    };
    for (name, note, field) in [
        ("no group", "", "name"),
        ("default", "two\nlines", "note"),
        ("default", &"x".repeat(101), "note"),
    ] {
        let request = v1::PauseGroupRequest {
            name: name.to_owned(),
            note: note.to_owned(),
        };
        let refused = cluster.client.raw.pause_group(request).await.err();
        let words = refused.context("it was taken")?.message().to_owned();
        ensure!(words.contains(field), "{field} is missing: {words}");
    }
    let listed = cluster.client.raw.list_groups(v1::ListGroupsRequest {});
    let listed = listed.await?.into_inner();
    ensure!(listed.groups.is_empty(), "{listed:?}");
    Ok(())
}
