//! What workers say: odd names, odd figures, reports of what is not theirs.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::rejection::Reason;
use tickwheel_proto::v1::settlement::Outcome;
use tickwheel_proto::v1::{
    AttemptRef, ContextOptions, ContextState, Credit, FetchResults, Heartbeat, LogLine, Progress,
    Rejection, Report, Routing, Settlement, Split, Submission, WorkerMessage,
};
use tickwheel_tests::harness::jobs::submission;
use tonic::Code;

use crate::raw::{Puppet, channel, hello};
use crate::scene::{Scene, innocent, pass};

fn for_group(group: &str, handler: &str) -> Submission {
    Submission {
        group: group.to_owned(),
        ..submission(handler, 1)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_resources_that_no_script_reads_are_refused_at_the_door() -> Result<()> {
    let Some(mut scene) = Scene::set("names of resources").await? else {
        return Ok(());
    };
    let channel = channel(&scene.tracker.url).await?;
    let mut client = scene.client.clone();
    scene
        .beside(async {
            for (at, name) in ["GPU", "gpu-mem MB", "", "a\u{1b}b", "é"]
                .iter()
                .enumerate()
            {
                let mut hello = hello(&format!("attacker-0000000{at}"), "other", &["h"]);
                hello.resources =
                    HashMap::from([("gpu".to_owned(), 1_000), ((*name).to_owned(), 1)]);
                let mut puppet = Puppet::connect(&channel, hello, Heartbeat::default()).await?;
                let ended = loop {
                    match puppet.hear().await {
                        Ok(Some(_)) => {}
                        ended => break ended,
                    }
                };
                let status = ended.err().with_context(|| format!("{name:?} was taken"))?;
                ensure!(status.code() == Code::InvalidArgument, "{status:?}");
                ensure!(status.message().contains("resources"), "{status:?}");
            }
            let mut context = innocent();
            context.options = Some(ContextOptions {
                resources: HashMap::from([("gpu".to_owned(), 1_000)]),
                ..ContextOptions::default()
            });
            client.submit_one(context).await?;
            pass(Duration::from_secs(1)).await;
            Ok(())
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_that_are_no_numbers_stop_nobody() -> Result<()> {
    let Some(mut scene) = Scene::set("figures that are no numbers").await? else {
        return Ok(());
    };
    let channel = channel(&scene.tracker.url).await?;
    let mut client = scene.client.clone();
    let mut puppets = Vec::new();
    scene
        .beside(async {
            let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e30, 3e38];
            for (at, figure) in odd.into_iter().enumerate() {
                let report = Report {
                    cpu_load: figure,
                    response_ms: Some(figure),
                    load: figure,
                    ..Report::default()
                };
                let heartbeat = Heartbeat {
                    report: Some(report),
                    ..Heartbeat::default()
                };
                let mut hello = hello(&format!("attacker-0000000{at}"), "innocent", &["ok"]);
                hello.permits = 1;
                let puppet = Puppet::connect(&channel, hello, heartbeat).await?;
                // It takes nothing: what it may do is spoil the choice of the others.
                let none = WorkerMessage {
                    credit: Some(Credit {
                        free: 0,
                        received: 0,
                    }),
                    ..WorkerMessage::default()
                };
                puppet.frame(none).await;
                puppets.push(puppet);
            }
            let mut ids = Vec::new();
            for policy in ["cpu_first", "fastest_response", "memory_first"] {
                for _ in 0..10 {
                    let mut context = innocent();
                    context.options = Some(ContextOptions {
                        routing: Some(Routing {
                            policy: policy.to_owned(),
                            ..Routing::default()
                        }),
                        ..ContextOptions::default()
                    });
                    ids.push(client.submit_one(context).await?);
                }
            }
            for id in ids {
                let ended = client.end_of(&id).await?;
                ensure!(ended.state() == ContextState::Succeeded, "{id}: {ended:?}");
            }
            Ok(())
        })
        .await?;
    drop(puppets);
    scene.clean().await
}

/// Everything that a worker can say of an attempt.
fn forged(id: &str, attempt: u32) -> WorkerMessage {
    let context_id = || id.to_owned();
    WorkerMessage {
        settle: vec![Settlement {
            context_id: context_id(),
            attempt,
            outcome: Outcome::Succeeded.into(),
            result: "forged result".into(),
            ..Settlement::default()
        }],
        log: vec![LogLine {
            context_id: context_id(),
            attempt,
            line: "forged line".to_owned(),
            ..LogLine::default()
        }],
        progress: vec![Progress {
            context_id: context_id(),
            attempt,
            percent: 99,
            message: "forged progress".to_owned(),
        }],
        rejected: vec![Rejection {
            context_id: context_id(),
            attempt,
            reason: Reason::Busy.into(),
            handler: "h".to_owned(),
        }],
        split: vec![Split {
            context_id: context_id(),
            attempt,
            handler: "h".to_owned(),
            items: vec!["forged item".into()],
            ..Split::default()
        }],
        fetch: vec![FetchResults {
            context_id: context_id(),
            attempt,
            cursor: 0,
            limit: 10,
        }],
        renew: vec![AttemptRef {
            context_id: context_id(),
            attempt,
        }],
        ..WorkerMessage::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_is_reported_by_its_holder_only() -> Result<()> {
    let Some(mut scene) = Scene::set("forged reports").await? else {
        return Ok(());
    };
    let channel = channel(&scene.tracker.url).await?;
    let mut client = scene.client.clone();
    let victim = hello("victim-00000001", "victims", &["h"]);
    let mut victim = Puppet::connect(&channel, victim, Heartbeat::default()).await?;
    let forger = hello("forger-00000001", "other", &["h"]);
    let mut forger = Puppet::connect(&channel, forger, Heartbeat::default()).await?;
    let id = client.submit_one(for_group("victims", "h")).await?;
    let attempt = victim.assignment().await?.attempt;
    let own = WorkerMessage {
        accepted: vec![AttemptRef {
            context_id: id.clone(),
            attempt,
        }],
        ..WorkerMessage::default()
    };
    victim.frame(own).await;
    scene
        .beside(async {
            forger.frame(forged(&id, attempt)).await;
            loop {
                let message = forger.hear().await?.context("the forger's stream ended")?;
                if let Some(answer) = message.confirm.first() {
                    let told = answer.verdict();
                    ensure!(told == Verdict::Stale, "the forger is told {told:?}");
                    break;
                }
            }
            pass(Duration::from_millis(500)).await;
            let context = client.context(&id).await?;
            ensure!(context.state() == ContextState::Running, "{context:?}");
            ensure!(context.attempt == attempt, "{context:?}");
            let shown = format!("{context:?}");
            ensure!(!shown.contains("forged"), "{shown}");
            Ok(())
        })
        .await?;
    let own = WorkerMessage {
        settle: vec![Settlement {
            context_id: id.clone(),
            attempt,
            outcome: Outcome::Succeeded.into(),
            ..Settlement::default()
        }],
        ..WorkerMessage::default()
    };
    victim.frame(own).await;
    let ended = scene.client.end_of(&id).await?;
    ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
    scene.clean().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settlements_of_nothing_cost_little() -> Result<()> {
    let Some(mut scene) = Scene::set("settlements of nothing").await? else {
        return Ok(());
    };
    let channel = channel(&scene.tracker.url).await?;
    let attacker = hello("attacker-00000001", "other", &["h"]);
    let puppet = Puppet::connect(&channel, attacker, Heartbeat::default()).await?;
    scene
        .beside(async {
            let one = |number: usize| Settlement {
                context_id: format!("{}.1767225600000.{number}-1", number % 8),
                attempt: 1,
                outcome: Outcome::Succeeded.into(),
                ..Settlement::default()
            };
            for frame in 0..10 {
                let settle = (0..500).map(|at| one(frame * 500 + at)).collect();
                let message = WorkerMessage {
                    settle,
                    ..WorkerMessage::default()
                };
                puppet.frame(message).await;
            }
            pass(Duration::from_secs(3)).await;
            Ok(())
        })
        .await?;
    scene.clean().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_in_a_million_years_hides_nothing() -> Result<()> {
    let Some(mut scene) = Scene::set("a retry in a million years").await? else {
        return Ok(());
    };
    let channel = channel(&scene.tracker.url).await?;
    let mut client = scene.client.clone();
    let victim = hello("worker-00000001", "odd", &["h"]);
    let mut worker = Puppet::connect(&channel, victim, Heartbeat::default()).await?;
    scene
        .beside(async {
            let id = client.submit_one(for_group("odd", "h")).await?;
            let assignment = worker.assignment().await?;
            let settle = Settlement {
                context_id: id.clone(),
                attempt: assignment.attempt,
                outcome: Outcome::RetryAfter.into(),
                retry_after_ms: u64::MAX,
                ..Settlement::default()
            };
            let message = WorkerMessage {
                settle: vec![settle],
                ..WorkerMessage::default()
            };
            worker.frame(message).await;
            let ended = client.end_of(&id).await?;
            ensure!(ended.state() == ContextState::Failed, "{ended:?}");
            ensure!(!ended.error.is_empty(), "{ended:?}");
            let listed = client
                .raw
                .list_contexts(tickwheel_proto::v1::ListContextsRequest::default());
            ensure!(!listed.await?.into_inner().contexts.is_empty(), "no list");
            Ok(())
        })
        .await?;
    scene.clean().await
}
