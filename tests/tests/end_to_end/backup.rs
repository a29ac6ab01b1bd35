//! The commands of docs/backup.md, as they stand there: what was in the backup is there again, with the settings of deploy/redis.conf.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::partition::PartitionCount;
use tickwheel_store::{Redis, Store};
use tickwheel_tests::harness::redis::free_port;
use tickwheel_tests::harness::wire::Wire;
use tickwheel_tests::harness::{Launch, Layout, RedisServer, until};
use tokio::process::Command;

const LIMIT: Duration = Duration::from_secs(30);

/// The commands of the page under this name.
fn commands(name: &str) -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/backup.md"))?;
    let (_, from) = page
        .split_once(&format!("```sh {name}\n"))
        .with_context(|| format!("docs/backup.md has no block `sh {name}`"))?;
    let (block, _) = from.split_once("```").context("a block that ends")?;
    Ok(block.to_owned())
}

async fn perform(name: &str, port: u16, data: &Path, backup: &Path) -> Result<()> {
    let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/redis.conf");
    let performed = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &commands(name)?])
        .env("PORT", port.to_string())
        .env("DATA", data)
        .env("BACKUP", backup)
        .env("CONF", conf)
        .stdin(Stdio::null())
        .output();
    let output = tokio::time::timeout(LIMIT, performed).await??;
    ensure!(output.status.success(), "{name}: {output:?}");
    Ok(())
}

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
    perform("backup", redis.port(), &old, &backup).await?;
    wire.command(&["FLUSHALL"]).await?;

    let port = free_port()?;
    perform("restore", port, &new, &backup).await?;
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
