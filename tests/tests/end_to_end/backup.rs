//! The commands of docs/backup.md, as they stand there: what was in the backup is there again, with the settings of deploy/redis.conf.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::partition::PartitionCount;
use tickwheel_store::{Redis, Store};
use tickwheel_tests::harness::operator::Backup;
use tickwheel_tests::harness::redis::free_port;
use tickwheel_tests::harness::wire::Wire;
use tickwheel_tests::harness::{Launch, Layout, RedisServer, until};

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_page_restore_what_was_backed_up() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    std::fs::create_dir(&old)?;
    std::fs::create_dir(&new)?;
    let launch = Launch {
        durable: true,
        layout: Layout::Single,
        ..Launch::default()
    };
    let Some(redis) = RedisServer::launch(&old, launch).await? else {
        return Ok(());
    };
    let partitions = PartitionCount::new(8)?;
    Store::open(Redis::connect(&redis.url()).await?, "tw", partitions).await?;
    let mut wire = redis.wire().await?;
    wire.command(&["ZADD", "{tw:3}:wheel", "1", "a member"])
        .await?;
    let created = ["HGET", "{tw}:meta", "created_ms"];
    let before = wire.command(&created).await?;
    let backup = dir.path().join("backup.rdb");
    let (port, file) = (redis.port(), backup.as_path());
    let data = old.as_path();
    Backup { port, data, file }.perform("backup").await?;
    wire.command(&["FLUSHALL"]).await?;

    let port = free_port()?;
    let data = new.as_path();
    Backup { port, data, file }.perform("restore").await?;
    until("the server of the restore is gone", LIMIT, async || {
        ensure!(Wire::connect(port).await.is_err(), "it takes connections");
        Ok(())
    })
    .await?;
    // As always: with the append-only file.
    let launch = Launch {
        durable: true,
        layout: Layout::Single,
        ..Launch::default()
    };
    let restored = RedisServer::launch(&new, launch).await?;
    let restored = restored.context("a server")?;
    let mut wire = restored.wire().await?;
    ensure!(wire.command(&created).await? == before, "another cluster");
    let count = wire.command(&["ZCARD", "{tw:3}:wheel"]).await?.text();
    ensure!(count == "1", "{count} contexts");
    Ok(())
}
