//! A Redis that is emptied under a running cluster is noticed, refused, said once in a while, and taken when a person adopts it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::partition::PartitionCount;
use tickwheel_proto::v1::ContextState;
use tickwheel_store::{Redis, Store};
use tickwheel_tests::bins;
use tickwheel_tests::harness::jobs::submission;
use tickwheel_tests::harness::{
    Layout, Rig, RigOptions, TrackerOptions, WorkerOptions, readiness, until, until_clock, wall_ms,
};

const LIMIT: Duration = Duration::from_secs(30);
/// As long as the store is left refused.
const REFUSED_MS: u64 = 3_000;
/// One for each reason and five seconds, and those of the two starts.
const LINES_MAX: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_store_is_refused_quietly_and_adopted_without_a_restart() -> Result<()> {
    let options = RigOptions {
        layout: Layout::Single,
        ..RigOptions::default()
    };
    let Some(rig) = Rig::start(Some(bins!()), options).await? else {
        return Ok(());
    };
    let with_http = TrackerOptions {
        http: true,
        ..TrackerOptions::default()
    };
    let trackers = [
        rig.tracker_with(&with_http).await?,
        rig.tracker_with(&with_http).await?,
    ];
    let _worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let first = client.submit_one(submission("ok", 0)).await?;
    client.end_of(&first).await?;

    rig.redis.wire().await?.command(&["FLUSHALL"]).await?;
    let emptied = wall_ms();
    for tracker in &trackers {
        let http = tracker.http.context("it answers for its health")?;
        readiness::is_red(http, "emptied", LIMIT).await?;
    }
    println!("red {} ms after FLUSHALL", wall_ms() - emptied);
    for number in 0..20 {
        let answer = client.submit(vec![submission("ok", number)]).await;
        let status = answer.err().context("it was accepted")?;
        ensure!(status.message().contains("store adopt"), "{status:?}");
    }
    until_clock(emptied + REFUSED_MS).await;
    for number in [1, 2] {
        let log = std::fs::read_to_string(rig.dir().join(format!("t{number}.log")))?;
        let loud = log
            .lines()
            .filter(|line| ["WARN", "ERROR"].iter().any(|level| line.contains(level)));
        let loud: Vec<&str> = loud.collect();
        ensure!(loud.len() <= LINES_MAX, "{} lines: {loud:#?}", loud.len());
        ensure!(log.contains("was emptied"), "{log}");
    }

    let redis = Redis::connect(&rig.redis.url()).await?;
    Store::adopt(redis, "tw", PartitionCount::new(rig.options.partitions)?).await?;
    for tracker in &trackers {
        let http = tracker.http.context("it answers for its health")?;
        readiness::is_ready(http, LIMIT).await?;
    }
    let id = until("submissions are accepted", LIMIT, async || {
        client.submit_one(submission("ok", 1)).await
    })
    .await?;
    let ended = client.end_of(&id).await?;
    ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
    Ok(())
}
