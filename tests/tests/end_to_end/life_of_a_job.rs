//! Pausing, resuming, changing and deleting a job: the ledger tells of each due time, and nothing fires after a deletion.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::job::{JobSpec, Overlap, Trigger};
use tickwheel_core::ledger::{LedgerVerdict, Reason};
use tickwheel_proto::v1::JobState;
use tickwheel_tests::harness::jobs::{every, job, job_of, once};
use tickwheel_tests::harness::{Registered, Small, WorkerOptions, until, until_clock, wall_ms};

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_job_does_not_fire_and_its_due_times_are_recorded_when_it_goes_on() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let spec = JobSpec {
        overlap: Overlap::Parallel(10),
        ..job("paused", "ok", every(130))?
    };
    let jobs = Registered::apply(&mut small.client, vec![spec]).await?;
    small.client.fired("paused", 3, LIMIT).await?;
    let paused = small.client.pause("paused").await?;
    ensure!(
        paused.state() == JobState::Paused && paused.pause_note == "by a test",
        "{paused:?}"
    );
    let before = small.client.ledger("paused").await?;
    let from = wall_ms();
    until_clock(from + 1_200).await;
    ensure!(
        small.client.ledger("paused").await? == before,
        "something was decided while it was paused"
    );
    // By hand it runs.
    let by_hand = small.client.run("paused").await?;
    small.client.end_of(&by_hand.id).await?;
    let resumed = small.client.resume("paused").await?;
    let to = wall_ms();
    ensure!(
        resumed.state() == JobState::Active && resumed.pause_note.is_empty(),
        "{resumed:?}"
    );
    small
        .client
        .fired("paused", before.len() + 4, LIMIT)
        .await?;
    let stories = jobs.check(&small.rig).await?;
    let paused = stories[0]
        .records
        .iter()
        .filter(|record| record.reason == Some(Reason::Paused));
    let count: u64 = paused.clone().map(|record| record.count).sum();
    // Two at the edges are decided before or after.
    let expected = (to - from) / 130;
    ensure!(
        count >= 8 && count.abs_diff(expected) <= 2,
        "{count} due times in a pause of {} ms: {:?}",
        to - from,
        stories[0].records
    );
    let within = paused
        .clone()
        .all(|record| record.verdict == LedgerVerdict::Skipped && record.to.as_u64() <= to);
    ensure!(within, "{:?}", paused.collect::<Vec<_>>());
    let marks = stories[0]
        .records
        .iter()
        .filter(|record| record.verdict == LedgerVerdict::Redefined)
        .count();
    ensure!(marks == 1, "{:?}", stories[0].records);
    Ok(())
}

/// Registers `spec` behind many others in one call, so that its registration is written a good while after the call began.
async fn apply_late(small: &mut Small, spec: JobSpec) -> Result<Registered> {
    let filler = |number: u32| job(&format!("filler-{number}"), "ok", Trigger::Manual);
    let mut specs = (0..100).map(filler).collect::<Result<Vec<_>>>()?;
    specs.push(spec);
    Registered::apply(&mut small.client, specs).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grid_keeps_its_phase_over_a_pause_and_over_a_change_of_something_else() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let overlap = Overlap::Parallel(10);
    let spec = JobSpec {
        overlap,
        ..job("phase", "ok", every(110))?
    };
    let jobs = apply_late(&mut small, spec.clone()).await?;
    small.client.fired("phase", 3, LIMIT).await?;
    small.client.pause("phase").await?;
    small.client.resume("phase").await?;
    small.client.fired("phase", 6, LIMIT).await?;
    let description = "another note".to_owned();
    small
        .client
        .apply(&[JobSpec {
            description,
            ..spec
        }])
        .await?;
    small.client.fired("phase", 9, LIMIT).await?;
    jobs.check(&small.rig).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_revision_goes_on_from_where_the_job_is() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let spec = JobSpec {
        overlap: Overlap::Parallel(10),
        ..job("changed", "ok", every(100))?
    };
    small.client.apply(std::slice::from_ref(&spec)).await?;
    small.client.fired("changed", 3, LIMIT).await?;
    let same = small.client.apply(std::slice::from_ref(&spec)).await?;
    ensure!(same[0].revision == 1, "{same:?}");
    let slower = JobSpec {
        trigger: every(300),
        ..spec
    };
    let changed = small.client.apply(&[slower]).await?;
    ensure!(changed[0].revision == 2, "{changed:?}");
    small.client.fired("changed", 6, LIMIT).await?;
    let records = small.client.ledger("changed").await?;
    let mark = records
        .iter()
        .position(|record| record.revision == Some(2))
        .context("a mark of the revision")?;
    let (before, after) = (&records[..mark], &records[mark + 1..]);
    let last = before
        .iter()
        .map(|record| record.from)
        .max()
        .context("records before")?;
    ensure!(after.iter().all(|record| record.from > last), "{records:?}");
    let gaps: Vec<u64> = after
        .windows(2)
        .map(|pair| pair[1].from.ms_since(pair[0].from))
        .collect();
    ensure!(gaps.iter().all(|gap| *gap == 300), "{gaps:?}");
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deleted_job_never_fires_again() -> Result<()> {
    const JOBS: u64 = 200;
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let first = wall_ms() + 1_500;
    let name = |number: u64| format!("doomed-{number}");
    let specs: Result<Vec<JobSpec>> = (0..JOBS)
        .map(|number| job(&name(number), "ok", once(first + 10 * number)))
        .collect();
    small.client.apply(&specs?).await?;
    let mut acknowledged = Vec::new();
    for number in 0..JOBS {
        // As near to the due time as a caller can aim.
        until_clock((first + 10 * number).saturating_sub(1)).await;
        let deleted = small.client.delete(&name(number)).await?;
        acknowledged.push((name(number), deleted, wall_ms()));
    }
    small.rig.drained(LIMIT).await?;
    let runs = small.rig.book.read()?;
    for (name, deleted, at) in acknowledged {
        let full = format!("default/{name}");
        let late: Vec<_> = runs
            .iter()
            .filter(|run| run.job() == full && run.start_ms > at)
            .collect();
        // What had been given to a worker before the deletion is answered as running.
        ensure!(
            late.is_empty() || deleted.running > 0,
            "{deleted:?} at {at}, and yet {late:?}"
        );
        let gone = small.client.job(&name).await;
        ensure!(
            gone.is_err_and(|status| status.code() == tonic::Code::NotFound),
            "{name} is still there"
        );
    }
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_cancels_what_waits_and_lets_run_what_runs() -> Result<()> {
    let Some(mut small) = Small::with(WorkerOptions {
        permits: 1,
        ..WorkerOptions::default()
    })
    .await?
    else {
        return Ok(());
    };
    let spec = JobSpec {
        overlap: Overlap::Queue(50),
        ..job_of("busy", "sleep", 700, every(50))?
    };
    small.client.apply(&[spec]).await?;
    small.client.fired("busy", 6, LIMIT).await?;
    until("one runs", LIMIT, async || {
        ensure!(!small.rig.book.read()?.is_empty(), "none does");
        Ok(())
    })
    .await?;
    let deleted = small.client.delete("busy").await?;
    ensure!(
        deleted.cancelled >= 4 && deleted.running == 1,
        "{deleted:?}"
    );
    small.rig.check().await?;
    small.rig.drained(LIMIT).await?;
    let runs = small.rig.book.read()?;
    ensure!(runs.len() == 1 && runs[0].outcome == "ok", "{runs:?}");
    // The name is free: a new job has nothing of the old one.
    small
        .client
        .apply(&[job("busy", "ok", every(100))?])
        .await?;
    let records = small.client.fired("busy", 2, LIMIT).await?;
    ensure!(
        records
            .iter()
            .all(|record| record.verdict == LedgerVerdict::Fired),
        "{records:?}"
    );
    small.rig.check().await
}
