//! A job of another namespace is started by the ends of a job only while that one names its namespace.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_core::job::{AfterOn, JobSpec, Trigger};
use tickwheel_tests::harness::Small;
use tickwheel_tests::harness::jobs::{after, job};

const LIMIT: Duration = Duration::from_secs(20);

fn close(followed_by: &[&str]) -> Result<JobSpec> {
    let read = followed_by.iter().map(|one| Ok(one.parse()?));
    Ok(JobSpec {
        followed_by: read.collect::<Result<_>>()?,
        ..job("a/close", "ok", Trigger::Manual)?
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_of_another_namespace_runs_while_it_may() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let specs = [
        close(&["b"])?,
        job("a/own", "ok", after("a/close", AfterOn::Ended)?)?,
        job("b/report", "ok", after("a/close", AfterOn::Ended)?)?,
    ];
    small.client.apply(&specs).await?;
    small.client.run("a/close").await?;
    small.client.fired("b/report", 1, LIMIT).await?;

    small.client.apply(&[close(&[])?]).await?;
    small.client.run("a/close").await?;
    small.client.fired("a/own", 2, LIMIT).await?;
    let snapshot = small.rig.drained(LIMIT).await?;
    let records = small.client.ledger("b/report").await?;
    ensure!(records.len() == 1, "told without consent: {records:?}");
    let untold = snapshot.stat("followers_untold");
    ensure!(untold == 1, "{untold} are counted");

    small.client.apply(&[close(&["b"])?]).await?;
    small.client.run("a/close").await?;
    small.client.fired("b/report", 2, LIMIT).await?;
    Ok(())
}
