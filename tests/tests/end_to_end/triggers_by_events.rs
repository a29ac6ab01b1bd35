//! Delays count from ends, followers fire for ends, and `api` jobs fire when asked.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use tickwheel_core::job::{AfterOn, JobSpec, Overlap, Trigger};
use tickwheel_proto::v1;
use tickwheel_tests::harness::jobs::{after, delay, job, job_of};
use tickwheel_tests::harness::{Registered, Run, Small};

const LIMIT: Duration = Duration::from_secs(20);

/// Milliseconds from each end to the next start.
fn gaps(runs: &[Run], job: &str) -> Vec<u64> {
    let runs: Vec<&Run> = runs.iter().filter(|run| run.job() == job).collect();
    let pairs = runs
        .windows(2)
        .filter_map(|pair| Some((pair.first()?.end_ms?, pair.get(1)?.start_ms)));
    pairs
        .map(|(end, start)| start.saturating_sub(end))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fixed_delay_counts_from_the_end() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let jobs = Registered::apply(
        &mut small.client,
        vec![job_of("gap", "sleep", 120, delay(250))?],
    )
    .await?;
    small.client.fired("default/gap", 8, LIMIT).await?;
    jobs.check(&small.rig).await?;
    let gaps = gaps(&small.rig.book.read()?, "default/gap");
    ensure!(
        gaps.len() >= 7 && gaps.iter().all(|gap| (250..700).contains(gap)),
        "{gaps:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delay_goes_on_after_a_failure_and_its_retries() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let options = tickwheel_tests::harness::jobs::tries(2, 50);
    let spec = JobSpec {
        options,
        ..job_of("failing", "fail", 9, delay(100))?
    };
    let jobs = Registered::apply(&mut small.client, vec![spec]).await?;
    small.client.fired("failing", 4, LIMIT).await?;
    jobs.check(&small.rig).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manual_job_fires_when_asked_with_its_own_body_or_another() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let spec = JobSpec {
        overlap: Overlap::Parallel(10),
        body: Bytes::from("own"),
        ..job("asked", "ok", Trigger::Manual)?
    };
    let jobs = Registered::apply(&mut small.client, vec![spec]).await?;
    let own = small.client.run("asked").await?;
    let request = |dedup: &str| v1::RunJobRequest {
        name: "asked".to_owned(),
        body: Some(Bytes::from("other")),
        dedup_key: dedup.to_owned(),
        ..v1::RunJobRequest::default()
    };
    let other = small.client.raw.run_job(request("key")).await?.into_inner();
    let again = small.client.raw.run_job(request("key")).await?.into_inner();
    ensure!(
        again.duplicate && again.id == other.id && !other.duplicate,
        "{other:?} {again:?}"
    );
    let results = [
        small.client.end_of(&own.id).await?.result,
        small.client.end_of(&other.id).await?.result,
    ];
    ensure!(results == ["own", "other"], "{results:?}");
    let snapshot = small.rig.drained(LIMIT).await?;
    let stories = jobs.check_quiet(&small.rig, &snapshot).await?;
    ensure!(
        stories[0].runs.len() == 2 && stories[0].fired == 0,
        "{:?}",
        stories[0].records
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_fire_once_for_each_end_that_counts() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let many = |spec: JobSpec| JobSpec {
        overlap: Overlap::Parallel(100),
        ..spec
    };
    let specs = vec![
        many(job("good", "ok", Trigger::Manual)?),
        many(job("bad", "fatal", Trigger::Manual)?),
        many(job("good-then", "ok", after("good", AfterOn::Succeeded)?)?),
        many(job(
            "good-then-then",
            "ok",
            after("good-then", AfterOn::Ended)?,
        )?),
        many(job("good-failed", "ok", after("good", AfterOn::Failed)?)?),
        many(job("bad-failed", "ok", after("bad", AfterOn::Failed)?)?),
        many(job("bad-ended", "ok", after("bad", AfterOn::Ended)?)?),
        many(job("bad-then", "ok", after("bad", AfterOn::Succeeded)?)?),
        // One at a time: what comes meanwhile is skipped, and says so.
        job_of("good-slowly", "sleep", 300, after("good", AfterOn::Ended)?)?,
    ];
    let jobs = Registered::apply(&mut small.client, specs).await?;
    for _ in 0..7 {
        small.client.run("good").await?;
        small.client.run("bad").await?;
    }
    small.client.fired("good-then-then", 7, LIMIT).await?;
    small.client.fired("bad-ended", 7, LIMIT).await?;
    let snapshot = small.rig.drained(LIMIT).await?;
    let stories = jobs.check_quiet(&small.rig, &snapshot).await?;
    let counts: Vec<usize> = stories
        .iter()
        .map(|story| story.runs.len())
        .take(8)
        .collect();
    ensure!(counts == [7, 7, 7, 7, 0, 7, 7, 0], "{counts:?}");
    let slowly = &stories[8];
    ensure!(
        slowly.records.len() == 7 && !slowly.runs.is_empty() && slowly.runs.len() < 7,
        "{:?}",
        slowly.records
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_is_told_which_end_fired_it() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let specs = vec![
        job("breaks", "fatal", Trigger::Manual)?,
        job("works", "ok", Trigger::Manual)?,
        job("alarm", "told", after("breaks", AfterOn::Failed)?)?,
        job("next", "told", after("works", AfterOn::Ended)?)?,
    ];
    let jobs = Registered::apply(&mut small.client, specs).await?;
    for (upstream, follower, how) in [
        ("breaks", "alarm", "failed nothing will cure this"),
        ("works", "next", "succeeded "),
    ] {
        let ran = small.client.run(upstream).await?;
        small.client.fired(follower, 1, LIMIT).await?;
        let snapshot = small.rig.drained(LIMIT).await?;
        jobs.check_quiet(&small.rig, &snapshot).await?;
        let runs = small.rig.book.read()?;
        let name = format!("default/{follower}");
        let run = runs.iter().find(|run| run.job() == name);
        let run = run.with_context(|| format!("{follower} did not run"))?;
        let told = small.client.end_of(&run.context).await?;
        let expected = format!("{} default/{upstream} {how}", ran.id);
        ensure!(told.result == expected, "{:?}, not {expected}", told.result);
    }
    Ok(())
}
