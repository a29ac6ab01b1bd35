//! Who runs a context: routing policies, conditions and lists, with several trackers.

mod cluster;
mod fairness;
mod limits;
mod pauses;
mod refuser;
mod resources;
mod subtasks;

use std::time::Duration;

use anyhow::{Result, ensure};
use cluster::{Cluster, placed, routed};
use refuser::Refuser;
use tickwheel_core::routing::{Routing, RoutingPolicy};
use tickwheel_proto::v1;
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::harness::jobs::{job, submission};
use tickwheel_tests::harness::{WorkerOptions, until};

const LIMIT: Duration = Duration::from_secs(60);

fn worker(permits: u32, tags: &[&str]) -> WorkerOptions {
    WorkerOptions {
        permits,
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        ..WorkerOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn round_robin_over_three_trackers_differs_by_one_at_most() -> Result<()> {
    let Some(mut cluster) = Cluster::start(3).await? else {
        return Ok(());
    };
    for name in ["a", "b", "c", "d"] {
        cluster.hire(name, &worker(4_096, &[])).await?;
    }
    let one = routed(submission("ok", 1), "round_robin", &[]);
    cluster.run_all(&one, 10_000).await?;
    let counts = cluster.counts()?;
    let (least, most) = (counts.values().min(), counts.values().max());
    ensure!(
        counts.len() == 4 && counts.values().sum::<u64>() == 10_000,
        "{counts:?}"
    );
    ensure!(
        most.zip(least)
            .is_some_and(|(most, least)| most - least <= 1),
        "{counts:?}"
    );
    cluster.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weights_are_shares_of_what_a_job_fires() -> Result<()> {
    let Some(mut cluster) = Cluster::start(3).await? else {
        return Ok(());
    };
    cluster.hire("light", &worker(4_096, &[])).await?;
    cluster.hire("heavy", &worker(4_096, &["weight=3"])).await?;
    let one = routed(submission("ok", 1), "weighted", &[]);
    cluster.run_all(&one, 4_000).await?;
    let counts = cluster.counts()?;
    let share = |name: &str| counts.get(name).copied().unwrap_or_default();
    ensure!(
        share("light").abs_diff(1_000) <= 1 && share("heavy").abs_diff(3_000) <= 1,
        "{counts:?}"
    );
    cluster.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_the_body_stays_with_its_worker_when_another_leaves() -> Result<()> {
    let Some(mut cluster) = Cluster::start(3).await? else {
        return Ok(());
    };
    for number in 0..10 {
        cluster
            .hire(&format!("w{number}"), &worker(512, &[]))
            .await?;
    }
    let one = |number: u64| {
        let routing = v1::Routing {
            policy: "consistent_hash".to_owned(),
            key: "/tenant".to_owned(),
            ..v1::Routing::default()
        };
        let body = format!("{{\"tenant\": \"t{}\"}}", number % 500);
        v1::Submission {
            body: body.into(),
            options: Some(v1::ContextOptions {
                routing: Some(routing),
                ..v1::ContextOptions::default()
            }),
            ..submission("ok", 0)
        }
    };
    let before = cluster.run_by_number(one, 1_000).await?;
    // Both contexts of a key ran on one worker.
    for (number, worker) in before.iter().take(500).enumerate() {
        let twin = before.get(number + 500);
        ensure!(twin == Some(worker), "t{number}: {worker}, {twin:?}");
    }
    cluster.dismiss("w3").await?;
    let after = cluster.run_by_number(one, 500).await?;
    let moved = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    let stayed = before
        .iter()
        .zip(&after)
        .all(|(before, after)| before == after || before == "w3");
    ensure!(moved * 100 <= 500 * 15, "{moved} of 500 moved");
    ensure!(stayed, "keys of workers that stayed moved");
    cluster.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failover_passes_over_who_is_dead_and_who_refuses() -> Result<()> {
    let Some(mut cluster) = Cluster::start(3).await? else {
        return Ok(());
    };
    let refuser = Refuser::connect(&cluster.urls(), "refuser", &["ok"]).await?;
    cluster.hire("good", &worker(512, &[])).await?;
    cluster.hire("idle", &worker(64, &[])).await?;
    for policy in ["failover", "busy_transfer"] {
        let list = ["nobody", "refuser", "good", "idle"];
        let one = routed(submission("ok", 1), policy, &list);
        let ended = cluster.run_all(&one, 100).await?;
        for context in &ended {
            ensure!(
                context.state() == ContextState::Succeeded && context.failures == 0,
                "{policy}: {context:?}"
            );
        }
        let again = ended.iter().filter(|context| context.attempt > 1).count();
        ensure!(again > 0, "{policy}: nothing was refused");
    }
    ensure!(refuser.refused() > 0, "the refuser was never asked");
    let counts = cluster.counts()?;
    ensure!(
        counts.get("good") == Some(&200) && counts.len() == 1,
        "{counts:?}"
    );
    cluster.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_and_lists_say_who_may_run_it() -> Result<()> {
    let Some(mut cluster) = Cluster::start(2).await? else {
        return Ok(());
    };
    let eu = cluster
        .hire("eu", &worker(64, &["region=eu", "gpu", "cores=8"]))
        .await?;
    cluster
        .hire(
            "spot",
            &worker(64, &["region=eu", "gpu", "cores=16", "spot"]),
        )
        .await?;
    cluster
        .hire("us", &worker(64, &["region=us", "cores=4"]))
        .await?;
    let select = |text: &str| v1::WorkerSelection {
        select: text.to_owned(),
        ..v1::WorkerSelection::default()
    };
    let cases = [
        (
            select("region == \"eu\" && gpu && cores >= 8 && !spot"),
            "eu",
        ),
        (select("spot"), "spot"),
        (select("region in [\"us\", \"asia\"]"), "us"),
        (
            v1::WorkerSelection {
                allow: vec![eu],
                ..v1::WorkerSelection::default()
            },
            "eu",
        ),
        (
            v1::WorkerSelection {
                deny: vec!["eu".to_owned(), "us".to_owned()],
                ..v1::WorkerSelection::default()
            },
            "spot",
        ),
    ];
    let mut expected = 0;
    for (selection, name) in cases {
        let before = cluster.counts()?.get(name).copied().unwrap_or_default();
        cluster
            .run_all(&placed(submission("ok", 1), selection), 20)
            .await?;
        let counts = cluster.counts()?;
        expected += 20;
        ensure!(
            counts.get(name) == Some(&(before + 20)) && counts.values().sum::<u64>() == expected,
            "{name}: {counts:?}"
        );
    }
    let one = v1::WorkerSelection {
        max: Some(1),
        ..v1::WorkerSelection::default()
    };
    let before = cluster.counts()?;
    cluster
        .run_all(&placed(submission("ok", 1), one), 60)
        .await?;
    let after = cluster.counts()?;
    let grown = after
        .iter()
        .filter(|(name, count)| before.get(*name) != Some(*count));
    ensure!(grown.count() == 1, "{before:?} {after:?}");
    cluster.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fits_nobody_waits_and_says_why_until_somebody_comes() -> Result<()> {
    let Some(mut cluster) = Cluster::start(2).await? else {
        return Ok(());
    };
    cluster.hire("plain", &worker(64, &["cores=4"])).await?;
    let gpu = v1::WorkerSelection {
        select: "gpu && cores >= 8".to_owned(),
        ..v1::WorkerSelection::default()
    };
    let waiting = placed(submission("ok", 1), gpu.clone());
    let id = cluster.client.submit_one(waiting).await?;
    let mut late = placed(submission("ok", 1), gpu);
    if let Some(options) = &mut late.options {
        options.start_deadline_ms = Some(300);
    }
    let late = cluster.client.submit_one(late).await?;
    until("it says why it waits", LIMIT, async || {
        let reason = cluster.client.context(&id).await?.waiting_reason;
        ensure!(
            reason.contains("no worker fits: of 1 worker")
                && reason.contains("the condition does not hold for 1: gpu && cores >= 8"),
            "{reason}"
        );
        Ok(())
    })
    .await?;
    ensure!(cluster.client.end_of(&late).await?.state() == ContextState::Expired);
    // Others of the group are not held up.
    let others = cluster.client.submit(vec![submission("ok", 1); 50]).await?;
    for other in &others {
        let ended = cluster.client.end_of(other).await?;
        ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
    }
    cluster.rig.check().await?;
    cluster
        .hire("strong", &worker(64, &["cores=8", "gpu"]))
        .await?;
    let ended = cluster.client.end_of(&id).await?;
    ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
    ensure!(cluster.counts()?.get("strong") == Some(&1));
    cluster.rig.check().await
}

/// Options that break a rule, and what is said of them.
fn mistakes() -> Vec<(v1::ContextOptions, &'static str)> {
    let routing = |policy: &str, key: &str, list: &[&str]| v1::ContextOptions {
        routing: Some(v1::Routing {
            policy: policy.to_owned(),
            key: key.to_owned(),
            list: list.iter().map(|&entry| entry.to_owned()).collect(),
        }),
        ..v1::ContextOptions::default()
    };
    let workers = |workers: v1::WorkerSelection| v1::ContextOptions {
        workers: Some(workers),
        ..v1::ContextOptions::default()
    };
    let select = |text: &str| {
        workers(v1::WorkerSelection {
            select: text.to_owned(),
            ..v1::WorkerSelection::default()
        })
    };
    vec![
        (
            routing("rund_robin", "", &[]),
            "contexts[0].options.routing.policy: is one of any, round_robin",
        ),
        (
            routing("rund_robin", "", &[]),
            "did you mean `round_robin`? (given: rund_robin)",
        ),
        (
            routing("specified", "", &[]),
            "contexts[0].options.routing.list: names at least one worker or host",
        ),
        (
            routing("consistent_hash", "/tenant", &[]),
            "contexts[0].options.routing.key: points at a text, a number or a truth value",
        ),
        (
            routing("random", "", &["a"]),
            "contexts[0].options.routing.list: belongs to specified, failover and busy_transfer (given: a)",
        ),
        (
            select("gpu && cores >="),
            "contexts[0].options.workers.select: needs a number at character 16 (given: gpu && cores >=)",
        ),
        (
            workers(v1::WorkerSelection {
                max: Some(0),
                ..v1::WorkerSelection::default()
            }),
            "contexts[0].options.workers.max: is 1..=10000 (given: 0)",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_names_field_rule_and_value_and_writes_nothing() -> Result<()> {
    let Some(mut cluster) = Cluster::start(1).await? else {
        return Ok(());
    };
    let submit = async |cluster: &mut Cluster, options: v1::ContextOptions| {
        let context = v1::Submission {
            options: Some(options),
            ..submission("ok", 1)
        };
        match cluster.client.submit(vec![context]).await {
            Ok(ids) => anyhow::bail!("accepted: {ids:?}"),
            Err(status) => anyhow::Ok(status.message().to_owned()),
        }
    };
    for (options, message) in mistakes() {
        let found = submit(&mut cluster, options).await?;
        ensure!(found.contains(message), "{found}\n{message}");
    }
    let wrong = tickwheel_core::JobSpec {
        routing: Routing::new(RoutingPolicy::Specified),
        ..job("a/b", "ok", tickwheel_core::Trigger::Manual)?
    };
    let refused = match cluster.client.apply(&[wrong]).await {
        Ok(applied) => anyhow::bail!("accepted: {applied:?}"),
        Err(status) => status.message().to_owned(),
    };
    ensure!(
        refused.contains("jobs[0].options.routing.list: names at least one"),
        "{refused}"
    );
    let refused = Refuser::connect(&cluster.urls(), "heavy", &["ok", "weight=0"]).await;
    let refused = refused
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    ensure!(
        refused.contains("hello.tags: is a weight of 1..=10000 (given: weight=0)"),
        "{refused}"
    );
    let snapshot = cluster.rig.snapshot().await?;
    ensure!(snapshot.under_way().is_empty());
    cluster.rig.check().await
}
