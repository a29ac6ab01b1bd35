//! What grows: queues that nobody serves, waiters, failures with large bodies.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use tickwheel_proto::v1::{ContextOptions, Submission, WaitContextRequest, WorkerSelection};
use tickwheel_tests::harness::jobs::{delayed, submission};
use tickwheel_tests::harness::wire::Wire;
use tickwheel_tests::harness::{Client, until};
use tokio::task::JoinSet;
use tonic::Code;

use crate::scene::{GROUP, Scene, pass};

/// How many commands Redis has executed.
async fn commands(port: u16) -> Result<u64> {
    let mut wire = Wire::connect(port).await?;
    let info = wire.command(&["INFO", "stats"]).await?.text();
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("total_commands_processed:"));
    Ok(line.context("total_commands_processed")?.trim().parse()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_that_nobody_serves_cost_nobody() -> Result<()> {
    const QUEUES: usize = 20_000;
    let Some(mut scene) = Scene::set("queues that nobody serves").await? else {
        return Ok(());
    };
    let mut client = scene.client.clone();
    let mut exhausted = 0;
    for first in (0..QUEUES).step_by(500) {
        let batch = (first..first + 500).map(|number| Submission {
            group: GROUP.to_owned(),
            ..submission(&format!("unserved-{number}"), 1)
        });
        match client.submit(batch.collect()).await {
            Ok(_) => {}
            Err(status) if status.code() == Code::ResourceExhausted => exhausted += 500,
            Err(status) => return Err(status.into()),
        }
    }
    println!("queues that nobody serves: {exhausted} of {QUEUES} refused");
    scene
        .beside(async {
            pass(Duration::from_secs(4)).await;
            Ok(())
        })
        .await
}

/// A submission for workers that no one is, under a condition of its own.
fn conditioned(number: usize, deadline_ms: u64) -> Submission {
    Submission {
        group: GROUP.to_owned(),
        options: Some(ContextOptions {
            start_deadline_ms: Some(deadline_ms),
            workers: Some(WorkerSelection {
                select: format!("t{number} == \"x\""),
                ..WorkerSelection::default()
            }),
            ..ContextOptions::default()
        }),
        ..submission("nobody", 1)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_of_what_has_ended_are_not_kept() -> Result<()> {
    // More than the partitions keep together.
    const CONDITIONS: usize = 18_000;
    let Some(mut scene) = Scene::set("conditions").await? else {
        return Ok(());
    };
    let mut client = scene.client.clone();
    scene
        .beside(async {
            let mut exhausted = 0;
            for first in (0..CONDITIONS).step_by(250) {
                let batch = (first..first + 250).map(|number| conditioned(number, 1_000));
                match client.submit(batch.collect()).await {
                    Ok(_) => {}
                    Err(status) if status.code() == Code::ResourceExhausted => exhausted += 1,
                    Err(status) => return Err(status.into()),
                }
            }
            println!(
                "conditions: {exhausted} calls of {} refused",
                CONDITIONS / 250
            );
            Ok(())
        })
        .await?;
    let mut client = scene.client.clone();
    let mut number = CONDITIONS;
    // New ones of somebody else, in every partition.
    until(
        "room for new conditions",
        Duration::from_secs(60),
        async || {
            number += 200;
            let batch = (number..number + 200).map(|number| conditioned(number, 1_000));
            Ok(client.submit(batch.collect()).await?)
        },
    )
    .await?;
    scene.clean().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiters_do_not_poll() -> Result<()> {
    const WAITERS: usize = 2_000;
    let Some(mut scene) = Scene::set("waiters").await? else {
        return Ok(());
    };
    let mut client = scene.client.clone();
    let later = (0..50).map(|_| delayed(crate::scene::innocent(), Duration::from_secs(3_600)));
    let ids = client.submit(later.collect()).await?;
    let (mut waiters, url) = (JoinSet::new(), scene.tracker.url.clone());
    let (redis, mut each_second) = (scene.rig.redis.port(), 0);
    scene
        .beside(async {
            let mut caller = client.clone();
            for number in 0..WAITERS {
                if number % 100 == 0 {
                    caller = Client::connect(&url).await?;
                }
                let mut client = caller.clone();
                let id = ids.get(number % ids.len()).context("an id")?.clone();
                waiters.spawn(async move {
                    let request = WaitContextRequest {
                        id,
                        timeout_ms: 10_000,
                    };
                    client.raw.wait_context(request).await
                });
            }
            // Each of them looks once at its beginning and once at its end; between the two nobody asks for each.
            pass(Duration::from_secs(3)).await;
            let before = commands(redis).await?;
            pass(Duration::from_secs(3)).await;
            each_second = (commands(redis).await? - before) / 3;
            let mut exhausted = 0;
            while let Some(answer) = waiters.join_next().await {
                match answer? {
                    Ok(_) => {}
                    Err(status) if status.code() == Code::ResourceExhausted => exhausted += 1,
                    Err(status) => return Err(status.into()),
                }
            }
            ensure!(exhausted < WAITERS, "nobody may wait");
            Ok(())
        })
        .await?;
    println!("waiters: about {each_second} commands each second, those of innocents among them");
    // Innocents cost some 15 commands each, 50 a second.
    ensure!(
        each_second <= 500 + 1_200,
        "{each_second} commands each second"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_with_large_bodies_stay_within_their_budget() -> Result<()> {
    const FAILURES: usize = 3_000;
    let Some(mut scene) = Scene::set("failures with large bodies").await? else {
        return Ok(());
    };
    let mut client = scene.client.clone();
    scene
        .beside(async {
            for _ in (0..FAILURES).step_by(100) {
                let batch = (0..100).map(|_| Submission {
                    group: GROUP.to_owned(),
                    body: Bytes::from(vec![b'x'; 16 * 1024 + 1]),
                    options: Some(ContextOptions {
                        start_deadline_ms: Some(1),
                        ..ContextOptions::default()
                    }),
                    ..submission("nobody", 1)
                });
                client.submit(batch.collect()).await?;
            }
            pass(Duration::from_secs(2)).await;
            Ok(())
        })
        .await?;
    scene.clean().await
}
