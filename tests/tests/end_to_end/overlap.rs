//! Overlap policies hold over a cluster of three trackers and two workers (W6), and the ledger says what they refused.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::job::{JobSpec, Overlap};
use tickwheel_core::ledger::{LedgerVerdict, Reason};
use tickwheel_store::record::EndState;
use tickwheel_tests::bins;
use tickwheel_tests::harness::jobs::{every, job_of};
use tickwheel_tests::harness::{Client, Registered, Rig, RigOptions, Small, WorkerOptions, until};
use tickwheel_tests::ledger::Story;

const LIMIT: Duration = Duration::from_secs(30);

fn skipped(story: &Story, reason: Reason) -> usize {
    story
        .records
        .iter()
        .filter(|record| record.verdict == LedgerVerdict::Skipped && record.reason == Some(reason))
        .count()
}

fn ended(story: &Story, state: EndState) -> usize {
    story.runs.iter().filter(|run| run.state == state).count()
}

/// Waits until the overlap policy of `job` has refused ten due times.
async fn refused(client: &mut Client, job: &str, reason: Reason) -> Result<()> {
    until(&format!("{job} refused ten due times"), LIMIT, async || {
        let records = client.ledger(job).await?;
        let refused = records
            .iter()
            .filter(|record| record.reason == Some(reason))
            .count();
        ensure!(refused >= 10, "it refused {refused}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_policy_holds_over_three_trackers_and_two_workers() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(3).await?;
    let options = WorkerOptions {
        permits: 32,
        ..WorkerOptions::default()
    };
    let _workers = [
        rig.worker(&trackers, options.clone()).await?,
        rig.worker(&trackers, options).await?,
    ];
    let mut client = rig.client(&trackers[0]).await?;
    let spec = |name: &str, handler: &str, ms: u64, overlap| {
        Ok(JobSpec {
            overlap,
            ..job_of(name, handler, ms, every(100))?
        })
    };
    let specs: Result<Vec<JobSpec>> = [
        spec("parallel", "sleep", 450, Overlap::Parallel(3)),
        spec("queue", "sleep", 250, Overlap::Queue(4)),
        spec("queue-one", "sleep", 250, Overlap::QueueOne),
        spec("discard", "sleep", 250, Overlap::Discard),
        spec("replace", "cancel_aware", 60_000, Overlap::Replace),
    ]
    .into_iter()
    .collect();
    let jobs = Registered::apply(&mut client, specs?).await?;
    for (job, reason) in [
        ("parallel", Reason::OverlapParallel),
        ("queue", Reason::OverlapQueueFull),
        ("queue-one", Reason::OverlapCollapsed),
        ("discard", Reason::OverlapDiscard),
    ] {
        refused(&mut client, job, reason).await?;
        rig.check().await?;
    }
    client.fired("replace", 20, LIMIT).await?;
    for spec in jobs.specs() {
        client.pause(spec.name.as_str()).await?;
    }
    cancel_the_last(&rig, &mut client).await?;
    let snapshot = rig.drained(LIMIT).await?;
    let stories = jobs.check_quiet(&rig, &snapshot).await?;
    let [parallel, queue, queue_one, discard, replace] = stories.as_slice() else {
        anyhow::bail!("five stories")
    };
    ensure!(
        parallel.fired >= 5 && discard.fired >= 5,
        "hardly anything fired"
    );
    // Something runs nearly all the time, so the queues were in use.
    ensure!(
        queue.fired >= 8 && queue_one.fired >= 4,
        "{} and {}",
        queue.fired,
        queue_one.fired
    );
    let (all, cancelled) = (replace.runs.len(), ended(replace, EndState::Cancelled));
    ensure!(
        all == cancelled && skipped(replace, Reason::OverlapDiscard) == 0,
        "{cancelled} of {all} were replaced"
    );
    Ok(())
}

/// The newest context of `replace` has nobody to replace it.
async fn cancel_the_last(rig: &Rig, client: &mut Client) -> Result<()> {
    let snapshot = rig.snapshot().await?;
    let job = snapshot.job("replace").context("the job `replace`")?;
    let queued = job.queue.iter().map(|(_, member)| &member.id);
    for id in queued.chain(job.active.keys()) {
        client.cancel(id.as_str()).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_firing_by_hand_obeys_the_policy_too() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let api = tickwheel_core::job::Trigger::Manual;
    let spec = |name: &str, overlap| {
        Ok(JobSpec {
            overlap,
            ..job_of(name, "sleep", 600, api.clone())?
        })
    };
    let specs: Result<Vec<JobSpec>> = [
        spec("one", Overlap::Discard),
        spec("two", Overlap::Queue(1)),
    ]
    .into_iter()
    .collect();
    let jobs = Registered::apply(&mut small.client, specs?).await?;
    let answers = [
        small.client.run("one").await?,
        small.client.run("one").await?,
    ];
    ensure!(
        answers[0].skipped_reason.is_empty()
            && answers[1].skipped_reason.contains("overlap_discard"),
        "{answers:?}"
    );
    let answers = [
        small.client.run("two").await?,
        small.client.run("two").await?,
        small.client.run("two").await?,
    ];
    ensure!(
        answers[2].skipped_reason.contains("overlap_queue_full"),
        "{answers:?}"
    );
    let queued = small.client.context(&answers[1].id).await?;
    ensure!(!queued.waiting_reason.is_empty(), "{queued:?}");
    let snapshot = small.rig.drained(LIMIT).await?;
    let stories = jobs.check_quiet(&small.rig, &snapshot).await?;
    ensure!(
        stories[0].runs.len() == 1 && stories[1].runs.len() == 2,
        "{stories:?}"
    );
    Ok(())
}
