//! What waits is visible with its reason, goes by priority, and is submitted once under a `dedup_key`.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_core::job::{ContextOptions, JobSpec, Overlap, Priority, Trigger};
use tickwheel_proto::v1;
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::harness::jobs::{delayed, job_of, submission, with_options};
use tickwheel_tests::harness::{RigOptions, Small, WorkerOptions, until};

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_without_a_worker_says_so_and_runs_when_one_comes() -> Result<()> {
    let Some(mut small) = Small::without_worker().await? else {
        return Ok(());
    };
    let id = small.client.submit_one(submission("later", 1)).await?;
    let waiting = until("it is ready", LIMIT, async || {
        let context = small.client.context(&id).await?;
        ensure!(context.state() == ContextState::Ready, "{context:?}");
        Ok(context)
    })
    .await?;
    ensure!(
        waiting.waiting_reason.contains("no worker offers it"),
        "{waiting:?}"
    );
    // A worker that offers other things changes nothing.
    small
        .add_worker(WorkerOptions {
            handlers: vec!["ok".to_owned()],
            ..WorkerOptions::default()
        })
        .await?;
    let other = small.client.submit_one(submission("ok", 1)).await?;
    small.client.end_of(&other).await?;
    let waiting = small.client.context(&id).await?;
    ensure!(
        waiting.waiting_reason.contains("no worker offers it"),
        "{waiting:?}"
    );
    small.rig.check().await?;
    small
        .add_worker(WorkerOptions {
            handlers: vec!["later".to_owned()],
            ..WorkerOptions::default()
        })
        .await?;
    let ended = small.client.end_of(&id).await?;
    ensure!(
        ended.state() == ContextState::Succeeded && ended.waiting_reason.is_empty(),
        "{ended:?}"
    );
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_without_a_permit_says_so() -> Result<()> {
    let Some(mut small) = Small::with(WorkerOptions {
        permits: 1,
        ..WorkerOptions::default()
    })
    .await?
    else {
        return Ok(());
    };
    let running = small
        .client
        .submit_one(submission("cancel_aware", 60_000))
        .await?;
    until("it runs", LIMIT, async || {
        ensure!(
            small.client.context(&running).await?.state() == ContextState::Running,
            "it does not"
        );
        Ok(())
    })
    .await?;
    let id = small.client.submit_one(submission("ok", 1)).await?;
    let waiting = small.client.context(&id).await?;
    ensure!(
        waiting.state() == ContextState::Ready && waiting.waiting_reason.contains("permit"),
        "{waiting:?}"
    );
    let later = small
        .client
        .submit_one(delayed(submission("ok", 1), Duration::from_secs(600)))
        .await?;
    let scheduled = small.client.context(&later).await?;
    ensure!(
        scheduled.state() == ContextState::Scheduled && !scheduled.waiting_reason.is_empty(),
        "{scheduled:?}"
    );
    small.client.cancel(&running).await?;
    ensure!(
        small.client.end_of(&id).await?.state() == ContextState::Succeeded,
        "a permit became free"
    );
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_higher_priority_goes_first_and_within_one_the_earlier() -> Result<()> {
    let options = RigOptions {
        partitions: 1,
        ..RigOptions::default()
    };
    let Some(mut small) = Small::on(options).await? else {
        return Ok(());
    };
    let mut expected = Vec::new();
    for round in 0..3 {
        for level in [2, 0, 4, 1, 3] {
            let options = ContextOptions {
                priority: Priority::new(level)?,
                ..ContextOptions::default()
            };
            let handler = if round == 1 { "sleep" } else { "ok" };
            let id = small
                .client
                .submit_one(with_options(submission(handler, 1), options))
                .await?;
            expected.push((4 - level, expected.len(), id));
        }
    }
    until("all are ready", LIMIT, async || {
        let snapshot = small.rig.snapshot().await?;
        let ready: usize = snapshot
            .partitions
            .iter()
            .flat_map(|partition| partition.ready.values())
            .map(Vec::len)
            .sum();
        ensure!(ready == expected.len(), "{ready} of {}", expected.len());
        Ok(())
    })
    .await?;
    expected.sort();
    small
        .add_worker(WorkerOptions {
            permits: 1,
            ..WorkerOptions::default()
        })
        .await?;
    small.rig.drained(LIMIT).await?;
    let started: Vec<String> = small
        .rig
        .book
        .read()?
        .into_iter()
        .map(|run| run.context)
        .collect();
    let expected: Vec<String> = expected.into_iter().map(|(_, _, id)| id).collect();
    ensure!(
        started == expected,
        "started {started:?}\ninstead of {expected:?}"
    );
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dedup_key_stands_for_one_context_whoever_submits_it() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let other = tickwheel_tests::harness::small::tracker(&small.rig).await?;
    let mut other =
        tickwheel_tests::harness::Client::connect(&format!("http://{}", other.grpc_addr())).await?;
    let keyed = || v1::Submission {
        dedup_key: "order-7".to_owned(),
        ..submission("ok", 1)
    };
    let mut calls = Vec::new();
    for call in 0..16 {
        let mut raw = if call % 2 == 0 {
            small.client.raw.clone()
        } else {
            other.raw.clone()
        };
        calls.push(async move {
            raw.submit(v1::SubmitRequest {
                contexts: vec![keyed(), keyed()],
            })
            .await
        });
    }
    let mut answers = Vec::new();
    for answer in futures::future::join_all(calls).await {
        answers.extend(answer?.into_inner().contexts);
    }
    let ids: BTreeSet<&str> = answers.iter().map(|one| one.id.as_str()).collect();
    let fresh = answers.iter().filter(|one| !one.duplicate).count();
    ensure!(
        ids.len() == 1 && fresh == 1 && answers.len() == 32,
        "{fresh} were new: {ids:?}"
    );
    // The answer is the same after its end.
    let first = answers[0].id.clone();
    small.client.end_of(&first).await?;
    let again = other.submit_one(keyed()).await?;
    ensure!(
        again == first && small.rig.book.read()?.len() == 1,
        "{again}"
    );
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_show_what_waits_and_for_whom() -> Result<()> {
    let Some(mut small) = Small::without_worker().await? else {
        return Ok(());
    };
    let spec = job_of("waits", "nobody", 1, Trigger::Manual)?;
    small
        .client
        .apply(&[JobSpec {
            overlap: Overlap::Queue(3),
            ..spec
        }])
        .await?;
    for _ in 0..3 {
        small.client.run("waits").await?;
    }
    small
        .client
        .submit_one(delayed(submission("nobody", 1), Duration::from_secs(600)))
        .await?;
    let count = async |small: &mut Small, state: ContextState, job: &str| {
        let request = v1::ListContextsRequest {
            state: state.into(),
            job: job.to_owned(),
            ..v1::ListContextsRequest::default()
        };
        let page = small.client.raw.list_contexts(request).await?.into_inner();
        ensure!(
            page.contexts.iter().all(|context| context.state() == state),
            "{page:?}"
        );
        Ok(page.contexts.len())
    };
    ensure!(
        count(&mut small, ContextState::Ready, "default/waits").await? == 1,
        "one is ready"
    );
    ensure!(
        count(&mut small, ContextState::Queued, "default/waits").await? == 2,
        "two wait for it"
    );
    ensure!(
        count(&mut small, ContextState::Scheduled, "").await? == 1,
        "one is not due"
    );
    small.rig.check().await
}
