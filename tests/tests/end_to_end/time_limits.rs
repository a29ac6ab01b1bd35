//! Timeout, grace and start deadline: an attempt that takes too long is told, and ends whether it listens or not.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_core::job::{ContextOptions, JobSpec, Overlap, Trigger};
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::harness::jobs::{job_of, submission, tries, with_options};
use tickwheel_tests::harness::{Small, WorkerOptions};

const LIMIT: Duration = Duration::from_secs(20);
const TIMEOUT_MS: u64 = 400;
const GRACE_MS: u64 = 600;
/// What a busy machine may add.
const SLACK_MS: u64 = 10_000;

fn limited(max_attempts: u32) -> ContextOptions {
    ContextOptions {
        timeout_ms: Some(TIMEOUT_MS),
        cancel_grace_ms: GRACE_MS,
        ..tries(max_attempts, 50)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handler_that_listens_ends_at_its_timeout() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let id = small
        .client
        .submit_one(with_options(submission("cancel_aware", 60_000), limited(2)))
        .await?;
    let context = small.client.end_of(&id).await?;
    ensure!(
        context.state() == ContextState::TimedOut && context.attempt == 2,
        "{context:?}"
    );
    let runs = small.rig.book.of(&id)?;
    let spans: Vec<u64> = runs
        .iter()
        .filter_map(|run| Some(run.end_ms? - run.start_ms))
        .collect();
    ensure!(
        spans.len() == 2
            && spans
                .iter()
                .all(|span| (TIMEOUT_MS - 50..TIMEOUT_MS + SLACK_MS).contains(span)),
        "{spans:?}"
    );
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handler_that_does_not_listen_is_dropped_after_its_grace() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let id = small
        .client
        .submit_one(with_options(submission("stuck", 60_000), limited(1)))
        .await?;
    let context = small.client.end_of(&id).await?;
    ensure!(context.state() == ContextState::TimedOut, "{context:?}");
    small.rig.drained(LIMIT).await?;
    let runs = small.rig.book.of(&id)?;
    let spans: Vec<u64> = runs
        .iter()
        .filter_map(|run| Some(run.end_ms? - run.start_ms))
        .collect();
    let least = TIMEOUT_MS + GRACE_MS - 50;
    ensure!(
        spans.len() == 1 && (least..least + SLACK_MS).contains(&spans[0]),
        "{runs:?}"
    );
    ensure!(runs[0].outcome == "dropped", "{runs:?}");
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handler_that_holds_its_thread_is_given_up_after_its_grace() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let id = small
        .client
        .submit_one(with_options(submission("blocked", 30_000), limited(1)))
        .await?;
    let context = small.client.end_of(&id).await?;
    ensure!(context.state() == ContextState::TimedOut, "{context:?}");
    let took = context.ended_ms.saturating_sub(context.claimed_ms);
    let least = TIMEOUT_MS + GRACE_MS - 50;
    ensure!(
        (least..least + SLACK_MS).contains(&took),
        "it ended {took} ms after its claim: {context:?}"
    );
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_running_context_is_cancelled_on_request() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    for handler in ["cancel_aware", "stuck"] {
        let options = ContextOptions {
            cancel_grace_ms: GRACE_MS,
            ..tries(3, 50)
        };
        let id = small
            .client
            .submit_one(with_options(submission(handler, 60_000), options))
            .await?;
        tickwheel_tests::harness::until("it runs", LIMIT, async || {
            ensure!(!small.rig.book.of(&id)?.is_empty(), "it does not");
            Ok(())
        })
        .await?;
        small.client.cancel(&id).await?;
        let context = small.client.end_of(&id).await?;
        ensure!(
            context.state() == ContextState::Cancelled && context.attempt == 1,
            "{context:?}"
        );
    }
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_has_not_started_by_its_start_deadline_expires_and_never_runs() -> Result<()> {
    let Some(mut small) = Small::without_worker().await? else {
        return Ok(());
    };
    let options = ContextOptions {
        start_deadline_ms: Some(500),
        ..ContextOptions::default()
    };
    let id = small
        .client
        .submit_one(with_options(submission("ok", 1), options))
        .await?;
    let context = small.client.end_of(&id).await?;
    ensure!(context.state() == ContextState::Expired, "{context:?}");
    let late = context.ended_ms - context.due_ms;
    ensure!(
        (500..500 + SLACK_MS).contains(&late),
        "it expired {late} ms after its due time"
    );
    small.add_worker(WorkerOptions::default()).await?;
    let options = ContextOptions {
        start_deadline_ms: Some(3_000),
        ..options
    };
    let spec = job_of("busy", "sleep", 6_000, Trigger::Manual)?;
    small
        .client
        .apply(&[JobSpec {
            overlap: Overlap::Queue(5),
            options,
            ..spec
        }])
        .await?;
    let (first, second) = (
        small.client.run("busy").await?,
        small.client.run("busy").await?,
    );
    let second = small.client.end_of(&second.id).await?;
    ensure!(second.state() == ContextState::Expired, "{second:?}");
    let first = small.client.end_of(&first.id).await?;
    ensure!(
        first.state() == ContextState::Succeeded,
        "a deadline to start does not stop what runs: {first:?}"
    );
    small.rig.drained(LIMIT).await?;
    let runs = small.rig.book.read()?;
    ensure!(runs.len() == 1 && runs[0].context == first.id, "{runs:?}");
    small.rig.check().await
}
