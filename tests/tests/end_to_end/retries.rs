//! How often a context is tried, and when again.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_core::job::{Backoff, ContextOptions, RetryPolicy};
use tickwheel_proto::v1::{Context, ContextState};
use tickwheel_tests::harness::jobs::{submission, tries, with_options};
use tickwheel_tests::harness::{Run, Small, until};

/// What a busy machine may add to a delay; the delays themselves are exact in the tests of the scripts.
const SLACK_MS: u64 = 10_000;
/// AttemptLogs are written beside settlements.
const NOTED: Duration = Duration::from_secs(10);

/// Runs one context to its end; answers with it, its runs, and the milliseconds from each end to the next start.
async fn run(
    small: &mut Small,
    handler: &str,
    number: u64,
    options: ContextOptions,
) -> Result<(Context, Vec<Run>, Vec<u64>)> {
    let id = small
        .client
        .submit_one(with_options(submission(handler, number), options))
        .await?;
    let context = small.client.end_of(&id).await?;
    let runs = small.rig.book.of(&id)?;
    let pairs = runs
        .windows(2)
        .filter_map(|pair| Some((pair.first()?.end_ms?, pair.get(1)?.start_ms)));
    let gaps = pairs
        .map(|(end, start)| start.saturating_sub(end))
        .collect();
    Ok((context, runs, gaps))
}

fn within(gap: u64, least: u64) -> bool {
    (least..least + SLACK_MS).contains(&gap)
}

fn exponential(delay_ms: u64, cap_ms: u64, full_jitter: bool, max_attempts: u32) -> ContextOptions {
    let retry = RetryPolicy {
        max_attempts,
        backoff: Backoff::Exponential { delay_ms, cap_ms },
        full_jitter,
    };
    ContextOptions {
        retry,
        ..ContextOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_is_tried_until_it_succeeds_or_its_attempts_are_used_up() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let (context, runs, gaps) = run(&mut small, "fail", 2, tries(5, 100)).await?;
    ensure!(
        context.state() == ContextState::Succeeded && context.attempt == 3 && runs.len() == 3,
        "{context:?}"
    );
    ensure!(
        gaps.iter().all(|gap| within(*gap, 100)),
        "fixed 100: {gaps:?}"
    );
    let (context, runs, gaps) = run(&mut small, "fail", 9, tries(3, 50)).await?;
    ensure!(
        context.state() == ContextState::Failed && context.failures == 3 && runs.len() == 3,
        "{context:?}"
    );
    ensure!(
        context.error.contains("failure 3") && gaps.iter().all(|gap| within(*gap, 50)),
        "{context:?} {gaps:?}"
    );
    let (context, runs, _) = run(&mut small, "fail", 1, tries(1, 50)).await?;
    ensure!(
        context.state() == ContextState::Failed && runs.len() == 1,
        "{context:?}"
    );
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exponential_delays_double_up_to_their_cap() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let (context, _, gaps) = run(&mut small, "fail", 4, exponential(100, 300, false, 5)).await?;
    ensure!(context.state() == ContextState::Succeeded, "{context:?}");
    let expected = [100, 200, 300, 300];
    ensure!(
        gaps.len() == 4
            && gaps
                .iter()
                .zip(expected)
                .all(|(gap, least)| within(*gap, least)),
        "{gaps:?}"
    );
    // Forty draws from 0 to 40 s: one of them is below 20 s, as certainly as anything is; without jitter none is.
    let spread = exponential(40_000, 40_000, true, 2);
    let contexts = (0..40).map(|_| with_options(submission("fail", 1), spread));
    small.client.submit(contexts.collect()).await?;
    let soon = Duration::from_secs(20);
    until("a delay was shortened", soon, async || {
        let again = small.rig.book.read()?;
        let again = again
            .iter()
            .any(|run| run.attempt == 2 && run.outcome == "ok");
        ensure!(again, "none was tried again yet");
        Ok(())
    })
    .await?;
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_say_whether_and_when_to_try_again() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let (context, runs, _) = run(&mut small, "fatal", 0, tries(5, 10)).await?;
    ensure!(
        context.state() == ContextState::Failed && runs.len() == 1,
        "{context:?}"
    );
    ensure!(
        context.error.contains("nothing will cure this"),
        "{context:?}"
    );
    let (context, _, gaps) = run(&mut small, "retry_after", 400, tries(2, 10)).await?;
    ensure!(
        context.state() == ContextState::Succeeded && gaps.len() == 1 && within(gaps[0], 400),
        "{context:?} {gaps:?}"
    );
    // It asks for a retry, but has no attempt left.
    let (context, runs, _) = run(&mut small, "retry_after", 100, tries(1, 10)).await?;
    ensure!(
        context.state() == ContextState::Failed && runs.len() == 1,
        "{context:?}"
    );
    let (context, runs, _) = run(&mut small, "panic", 1, tries(3, 10)).await?;
    ensure!(
        context.state() == ContextState::Succeeded && runs.len() == 2,
        "{context:?}"
    );
    let (context, runs, _) = run(&mut small, "panic", 5, tries(1, 10)).await?;
    ensure!(
        context.state() == ContextState::Failed && context.error.contains("panic 1"),
        "{context:?}"
    );
    ensure!(runs.iter().all(|run| run.outcome == "panic"), "{runs:?}");
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_that_failed_for_good_runs_again_when_a_person_says_so() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let (failed, _, _) = run(&mut small, "fail", 1, tries(1, 10)).await?;
    let reference = || tickwheel_proto::v1::ContextRef {
        id: failed.id.clone(),
    };
    small.client.raw.retry_context(reference()).await?;
    let again = small.rig.drained(Duration::from_secs(10)).await?;
    drop(again);
    let context = small.client.context(&failed.id).await?;
    let attempts: Vec<u32> = small
        .rig
        .book
        .of(&failed.id)?
        .iter()
        .map(|run| run.attempt)
        .collect();
    // Its failures are forgotten, its attempts are not.
    ensure!(
        attempts == [1, 2] && context.attempt == 2,
        "{attempts:?} {context:?}"
    );
    small.client.submit_one(submission("ok", 1)).await?;
    let ok = small.client.submit_one(submission("ok", 1)).await?;
    small.client.end_of(&ok).await?;
    let refused = small
        .client
        .raw
        .retry_context(tickwheel_proto::v1::ContextRef { id: ok })
        .await;
    ensure!(
        refused
            .as_ref()
            .is_err_and(|status| status.code() == tonic::Code::FailedPrecondition),
        "{refused:?}"
    );
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_says_last_before_it_returns_arrives() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let contexts = (0..50).map(|number| submission("finish", number)).collect();
    for id in &small.client.submit(contexts).await? {
        small.client.end_of(id).await?;
        until("the progress is written", NOTED, async || {
            let context = small.client.context(id).await?;
            let said = (context.progress_percent, context.progress_message.as_str());
            ensure!(said == (100, "done"), "{context:?}");
            Ok(())
        })
        .await?;
    }
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_progress_and_result_stay_with_the_context() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let contexts = (0..20)
        .map(|_| with_options(submission("chatty", 3), tries(1, 10)))
        .collect();
    let ids = small.client.submit(contexts).await?;
    for id in &ids {
        let context = small.client.end_of(id).await?;
        ensure!(
            context.result == "3" && context.state() == ContextState::Succeeded,
            "{context:?}"
        );
    }
    for id in &ids {
        // AttemptLogs are written beside the settlement.
        until(
            "the notes are written",
            Duration::from_secs(5),
            async || {
                let context = small.client.context(id).await?;
                let lines: Vec<&str> = context.log.iter().map(|l| l.line.as_str()).collect();
                let told = context.log.iter().all(|l| l.attempt == 1 && l.time_ms > 0);
                ensure!(
                    told && lines == ["line 1", "line 2", "line 3", "the end"],
                    "{:?}",
                    context.log
                );
                ensure!(
                    context.progress_percent == 50 && context.progress_message == "half way",
                    "{context:?}"
                );
                Ok(())
            },
        )
        .await?;
    }
    small.rig.check().await
}
