//! Redis fails over to a replica under sentinels, and an old copy comes back: the cluster goes on with the first, and refuses the second.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::partition::PartitionCount;
use tickwheel_proto::v1::ContextState;
use tickwheel_store::{Redis, Store};
use tickwheel_tests::harness::jobs::{delayed, submission};
use tickwheel_tests::harness::small::tracker;
use tickwheel_tests::harness::{
    Client, Layout, Rig, RigOptions, Sentinel, Small, WorkerOptions, until, wall_ms,
};
use tickwheel_tracker::config::Access;
use tickwheel_tracker::{Config, Tracker};

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tracker_rides_out_a_failover_under_sentinels() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let Some(mut servers) = Sentinel::start(dir.path(), true).await? else {
        return Ok(());
    };
    let tracker = Tracker::start(Config {
        redis_url: servers.url(),
        partitions: 8,
        grpc_listen: ([127, 0, 0, 1], 0).into(),
        http_listen: None,
        access: Access::open(),
        ..Config::default()
    })
    .await?;
    let mut client = Client::connect(&format!("http://{}", tracker.grpc_addr())).await?;
    let far = Duration::from_secs(3_600);
    let id = client.submit_one(delayed(submission("ok", 0), far)).await?;
    servers.fail_over().await?;
    let promoted = wall_ms();
    until("submissions are accepted again", LIMIT, async || {
        client
            .submit_one(delayed(submission("ok", 1), far))
            .await
            .map(drop)
    })
    .await?;
    println!(
        "failover under a sentinel: accepted again {} ms after the promotion",
        wall_ms() - promoted
    );
    let context = client.context(&id).await?;
    ensure!(context.state() == ContextState::Scheduled, "{context:?}");
    // Wake messages come from the new primary: what is due at once is seen at once.
    let epoch = servers
        .replica
        .wire()
        .await?
        .command(&["HGET", "{tw}:epoch", "number"])
        .await?
        .text();
    ensure!(epoch == "2", "the epoch is {epoch}");
    tracker.stop().await;
    Ok(())
}

/// The append-only file of a killed server, put aside and put back.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        std::fs::remove_dir_all(to)?;
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

async fn dump(small: &Small) -> Result<Vec<String>> {
    let mut wire = small.rig.redis.wire().await?;
    let mut keys: Vec<String> = wire
        .command(&["KEYS", "*"])
        .await?
        .list()
        .into_iter()
        .map(|key| key.text())
        .collect();
    keys.sort();
    let mut dump = Vec::new();
    for key in keys {
        let value = wire.command(&["DUMP", &key]).await?.bytes();
        dump.push(format!("{key} {value:?}"));
    }
    Ok(dump)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_copy_of_the_store_is_refused_until_the_newer_one_is_back() -> Result<()> {
    let options = RigOptions {
        durable: true,
        layout: Layout::Single,
        ..RigOptions::default()
    };
    let Some(mut small) = Small::on(options).await? else {
        return Ok(());
    };
    small.add_worker(WorkerOptions::default()).await?;
    let file = small.rig.dir().join("appendonlydir");
    let (old, new) = (small.rig.dir().join("old"), small.rig.dir().join("new"));
    let first = small.client.submit_one(submission("ok", 0)).await?;
    small.client.end_of(&first).await?;

    // What the old primary has; then a newer one answers.
    small.rig.redis.kill().await?;
    copy(&file, &old)?;
    small.rig.redis.restart().await?;
    let soon = delayed(submission("ok", 1), Duration::from_secs(12));
    let id = until("the newer one takes submissions", LIMIT, async || {
        small.client.clone().submit_one(soon.clone()).await
    })
    .await?;
    small.rig.redis.kill().await?;
    copy(&file, &new)?;

    copy(&old, &file)?;
    small.rig.redis.restart().await?;
    let refused = until("the older one is refused", LIMIT, async || {
        let answer = small.client.clone().submit(vec![submission("ok", 2)]).await;
        match answer {
            Err(status) if status.message().contains("older copy") => Ok(status),
            other => anyhow::bail!("{other:?}"),
        }
    })
    .await?;
    println!("an older copy: {}", refused.message());
    let before = dump(&small).await?;
    for number in 0..20 {
        let answer = small.client.submit(vec![submission("ok", number)]).await;
        ensure!(answer.is_err(), "it was accepted: {answer:?}");
    }
    ensure!(dump(&small).await? == before, "something was written");

    small.rig.redis.kill().await?;
    copy(&new, &file)?;
    small.rig.redis.restart().await?;
    let ended = until("the newer one goes on", LIMIT, async || {
        let ended = small.client.clone().end_of(&id).await?;
        ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
        Ok(ended)
    })
    .await?;
    ensure!(ended.attempt == 1, "{ended:?}");
    Ok(())
}

/// A tracker that starts anew knows no newer store: a person has decided.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_tracker_takes_the_store_it_finds() -> Result<()> {
    let options = RigOptions {
        layout: Layout::Single,
        ..RigOptions::default()
    };
    let Some(rig) = Rig::start(None, options).await? else {
        return Ok(());
    };
    let before = tracker(&rig).await?;
    let mut wire = rig.redis.wire().await?;
    wire.command(&["FLUSHALL"]).await?;
    wire.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
        .await?;
    let mut client = Client::connect(&format!("http://{}", before.grpc_addr())).await?;
    until("an empty store is refused", LIMIT, async || {
        let answer = client.submit(vec![submission("ok", 0)]).await;
        let status = answer.err().context("it was accepted")?;
        ensure!(status.message().contains("emptied"), "{status:?}");
        Ok(())
    })
    .await?;
    before.stop().await;
    let partitions = PartitionCount::new(rig.options.partitions)?;
    Store::open(Redis::connect(&rig.redis.url()).await?, "tw", partitions).await?;
    let after = tracker(&rig).await?;
    let mut client = Client::connect(&format!("http://{}", after.grpc_addr())).await?;
    client.submit_one(submission("ok", 0)).await?;
    Ok(())
}
