//! Cron, fixed rate and once fire at exactly the due times of their calendars.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::job::{JobSpec, Misfire, MisfirePolicy, Overlap, Trigger};
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict, Reason};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1::JobState;
use tickwheel_reference::jitter::jitter_of;
use tickwheel_tests::harness::jobs::{cron, every, job, once};
use tickwheel_tests::harness::{Registered, Small, until_clock, wall_ms};

const LIMIT: Duration = Duration::from_secs(20);

fn fired_dues(records: &[LedgerRecord]) -> Vec<u64> {
    let fired = records
        .iter()
        .filter(|record| record.verdict == LedgerVerdict::Fired);
    fired.map(|record| record.from.as_u64()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cron_job_of_every_second_has_ten_records_after_ten_seconds() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let overlap = Overlap::Parallel(10);
    let spec = JobSpec {
        overlap,
        ..job("each-second", "ok", cron("* * * * * *"))?
    };
    let jobs = Registered::apply(&mut small.client, vec![spec]).await?;
    let first = jobs.first_due(0)?;
    let records = small.client.fired("each-second", 10, LIMIT).await?;
    let expected: Vec<u64> = (0..10).map(|second| first + second * 1_000).collect();
    ensure!(fired_dues(&records).starts_with(&expected), "{records:?}");
    ensure!(first % 1_000 == 0, "a due time between seconds: {first}");
    jobs.check(&small.rig).await?;
    let worst = small
        .rig
        .book
        .read()?
        .iter()
        .map(|run| run.lateness_ms())
        .max();
    ensure!(
        worst.is_some_and(|worst| worst <= 10_000),
        "the latest start was {worst:?} ms late"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fixed_rate_of_100_ms_and_one_of_10_ms_fire_on_their_grids() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let overlap = Overlap::Parallel(100);
    let slow = JobSpec {
        overlap,
        ..job("rate-100", "ok", every(100))?
    };
    let fast = JobSpec {
        overlap,
        ..job("rate-10", "ok", every(10))?
    };
    let jobs = Registered::apply(&mut small.client, vec![slow, fast]).await?;
    let fast = small.client.fired("rate-10", 300, LIMIT).await?;
    let slow = small.client.fired("rate-100", 30, LIMIT).await?;
    let expected: Vec<u64> = (0..300)
        .map(|k| jobs.first_due(1).map(|first| first + k * 10))
        .collect::<Result<_>>()?;
    ensure!(fired_dues(&fast).starts_with(&expected), "{fast:?}");
    let expected: Vec<u64> = (0..30)
        .map(|k| jobs.first_due(0).map(|first| first + k * 100))
        .collect::<Result<_>>()?;
    ensure!(fired_dues(&slow).starts_with(&expected), "{slow:?}");
    jobs.check(&small.rig).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fixed_rate_keeps_its_phase_over_an_outage_of_all_trackers() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let spec = JobSpec {
        overlap: Overlap::Parallel(100),
        ..job("phase", "ok", every(170))?
    };
    let jobs = Registered::apply(&mut small.client, vec![spec]).await?;
    small.client.fired("phase", 3, LIMIT).await?;
    small
        .outage(async { until_clock(wall_ms() + 1_500).await })
        .await?;
    let back = wall_ms();
    let records = small.client.fired("phase", 25, LIMIT).await?;
    let first = jobs.first_due(0)?;
    ensure!(
        records
            .iter()
            .all(|record| (record.from.as_u64() - first) % 170 == 0),
        "{records:?}"
    );
    ensure!(
        records.iter().any(|record| record.from.as_u64() > back),
        "it did not go on after the outage"
    );
    // The outage was shorter than the tolerance: nothing was missed.
    ensure!(
        records
            .iter()
            .all(|record| record.verdict == LedgerVerdict::Fired),
        "{records:?}"
    );
    jobs.check(&small.rig).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_fires_once_and_is_finished_and_a_past_instant_is_a_misfire() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let at = wall_ms() + 700;
    let skip = Misfire {
        policy: MisfirePolicy::Skip,
        ..Misfire::default()
    };
    let specs = vec![
        job("soon", "ok", once(at))?,
        job("past", "ok", once(at - 60_000))?,
        JobSpec {
            misfire: skip,
            ..job("past-skipped", "ok", once(at - 60_000))?
        },
    ];
    let jobs = Registered::apply(&mut small.client, specs).await?;
    for spec in jobs.specs() {
        small
            .client
            .in_state(spec.name.as_str(), JobState::Finished, LIMIT)
            .await?;
    }
    let snapshot = small.rig.drained(LIMIT).await?;
    let stories = jobs.check_quiet(&small.rig, &snapshot).await?;
    let fired: Vec<u64> = stories.iter().map(|story| story.fired).collect();
    ensure!(fired == [1, 1, 0], "{fired:?}");
    let missed = stories
        .get(2)
        .and_then(|story| story.records.first())
        .context("a record")?;
    ensure!(missed.reason == Some(Reason::MisfireSkip), "{missed}");
    let starts: Vec<u64> = small
        .rig
        .book
        .read()?
        .iter()
        .filter(|run| run.due_ms == at)
        .map(|run| run.start_ms)
        .collect();
    ensure!(
        matches!(starts.as_slice(), [start] if *start >= at),
        "{starts:?} for {at}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_at_and_end_at_belong_to_the_span_and_the_job_is_finished_after_it() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let start = wall_ms() + 900;
    let (start_at, end_at) = (
        Some(TimestampMs::new(start)),
        Some(TimestampMs::new(start + 800)),
    );
    let overlap = Overlap::Parallel(10);
    let grid = JobSpec {
        start_at,
        end_at,
        overlap,
        ..job("span", "ok", every(200))?
    };
    let whole = Some(TimestampMs::new((start / 1_000 + 3) * 1_000));
    let seconds = JobSpec {
        end_at: whole,
        overlap,
        ..job("span-cron", "ok", cron("* * * * * *"))?
    };
    let jobs = Registered::apply(&mut small.client, vec![grid, seconds]).await?;
    small
        .client
        .in_state("span", JobState::Finished, LIMIT)
        .await?;
    small
        .client
        .in_state("span-cron", JobState::Finished, LIMIT)
        .await?;
    let snapshot = small.rig.drained(LIMIT).await?;
    let stories = jobs.check_quiet(&small.rig, &snapshot).await?;
    let dues = fired_dues(&stories[0].records);
    let expected: Vec<u64> = (0..5).map(|k| start + k * 200).collect();
    ensure!(dues == expected, "{dues:?} instead of {expected:?}");
    ensure!(
        stories[1].last_due == whole,
        "{:?} instead of {whole:?}",
        stories[1].last_due
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn max_runs_counts_scheduled_firings_and_not_those_by_hand() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let spec = JobSpec {
        max_runs: Some(3),
        overlap: Overlap::Parallel(10),
        ..job("three", "ok", every(150))?
    };
    let jobs = Registered::apply(&mut small.client, vec![spec]).await?;
    small.client.run("three").await?;
    small
        .client
        .in_state("three", JobState::Finished, LIMIT)
        .await?;
    // Finished by its trigger; a person may still run it.
    small.client.run("three").await?;
    small.client.fired("three", 5, LIMIT).await?;
    let snapshot = small.rig.drained(LIMIT).await?;
    let stories = jobs.check_quiet(&small.rig, &snapshot).await?;
    ensure!(
        stories[0].fired == 3 && stories[0].runs.len() == 5,
        "{:?}",
        stories[0].records
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jitter_follows_from_job_and_due_time() -> Result<()> {
    const JITTER: u64 = 400;
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let grid = JobSpec {
        jitter_ms: JITTER,
        ..job("spread", "ok", every(500))?
    };
    let Trigger::FixedRate { period_ms, .. } = grid.trigger else {
        unreachable!()
    };
    let name = grid.name.clone();
    let jobs = Registered::apply(&mut small.client, vec![grid]).await?;
    let records = small.client.fired("spread", 8, LIMIT).await?;
    for record in records
        .iter()
        .filter(|record| record.verdict == LedgerVerdict::Fired)
    {
        let expected = jitter_of(&name, record.from, JITTER, period_ms);
        let decided = record
            .decided_ms
            .context("a firing says when it was decided")?
            .ms_since(record.from);
        ensure!(
            (expected..expected + 300).contains(&decided),
            "{record}: its jitter is {expected}"
        );
    }
    jobs.check(&small.rig).await?;
    Ok(())
}
