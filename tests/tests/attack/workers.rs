//! Too many workers, workers that say too much of themselves, and groups that come and go.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_proto::v1::{Heartbeat, Hello};
use tickwheel_tests::harness::until;
use tonic::Code;

use crate::raw::{Puppet, channel, hello};
use crate::scene::{Scene, pass};

const LIMIT: Duration = Duration::from_secs(20);
/// Streams of one connection; a tracker takes 256.
const EACH: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hello_of_eight_megabytes_is_refused() -> Result<()> {
    let Some(mut scene) = Scene::set("a large Hello").await? else {
        return Ok(());
    };
    let url = scene.tracker.url.clone();
    scene
        .beside(async {
            let large = "x".repeat(8 << 20);
            let tags: Vec<String> = (0..100_000).map(|at| format!("t{at}")).collect();
            for round in 0..10 {
                let base = hello(&format!("attacker-0000{round:04}"), "other", &["h"]);
                let hellos = [
                    Hello {
                        host: large.clone(),
                        ..base.clone()
                    },
                    Hello {
                        host: "y".repeat(1 << 20),
                        ..base.clone()
                    },
                    Hello {
                        sdk_version: "z".repeat(1 << 20),
                        ..base.clone()
                    },
                    Hello {
                        tags: tags.clone(),
                        ..base
                    },
                ];
                for hello in hellos {
                    let channel = channel(&url).await?;
                    let Ok(mut puppet) =
                        Puppet::connect(&channel, hello, Heartbeat::default()).await
                    else {
                        continue;
                    };
                    let ended = loop {
                        match puppet.hear().await {
                            Ok(Some(_)) => {}
                            ended => break ended,
                        }
                    };
                    let code = ended.err().map(|status| status.code());
                    let refused = [
                        Code::InvalidArgument,
                        Code::ResourceExhausted,
                        Code::OutOfRange,
                    ];
                    ensure!(code.is_some_and(|code| refused.contains(&code)), "{code:?}");
                }
            }
            Ok(())
        })
        .await?;
    scene.clean().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_hundred_workers_are_all_listed() -> Result<()> {
    const WORKERS: usize = 1_200;
    let Some(mut scene) = Scene::set("twelve hundred workers").await? else {
        return Ok(());
    };
    let url = scene.tracker.url.clone();
    let mut puppets = Vec::new();
    scene
        .beside(async {
            let mut channel = channel(&url).await?;
            for number in 0..WORKERS {
                if number % EACH == 0 {
                    channel = crate::raw::channel(&url).await?;
                }
                let hello = hello(&format!("crowd-{number:08}"), "crowd", &["h"]);
                puppets.push(Puppet::connect(&channel, hello, Heartbeat::default()).await?);
            }
            Ok(())
        })
        .await?;
    let listed = until("all are listed", LIMIT, async || {
        let listed = scene.rig.store.list_workers(None).await?;
        let own = listed
            .iter()
            .filter(|worker| worker.id.as_str().starts_with("crowd-"));
        let (own, others) = (own.count(), listed.len());
        ensure!(
            own == WORKERS && others == WORKERS + 1,
            "{own} of {WORKERS}, {others} in all"
        );
        Ok(own)
    })
    .await?;
    ensure!(listed == WORKERS, "{listed}");
    drop(puppets);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_that_nobody_wants_cost_nobody() -> Result<()> {
    const WORKERS: usize = if cfg!(debug_assertions) { 200 } else { 1_500 };
    let Some(mut scene) = Scene::set("many handlers").await? else {
        return Ok(());
    };
    let mut channel = channel(&scene.tracker.url).await?;
    let handlers: Vec<String> = (0..1_000).map(|at| format!("unwanted-{at}")).collect();
    let handlers: Vec<&str> = handlers.iter().map(String::as_str).collect();
    let mut puppets = Vec::new();
    for number in 0..WORKERS {
        if number % EACH == 0 {
            channel = crate::raw::channel(&scene.tracker.url).await?;
        }
        let hello = hello(&format!("crowd-{number:08}"), "innocent", &handlers);
        puppets.push(Puppet::connect(&channel, hello, Heartbeat::default()).await?);
    }
    scene
        .beside(async {
            // Longer than a worker is listed without a word of it, and than its figures are kept.
            for _ in 0..12 {
                pass(Duration::from_secs(1)).await;
                for puppet in &puppets {
                    puppet.heartbeat().await?;
                }
            }
            Ok(())
        })
        .await?;
    let listed = scene.rig.store.list_workers(None).await?.len();
    ensure!(listed == WORKERS + 1, "{listed} workers are listed");
    drop(puppets);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_that_come_and_go_are_forgotten_by_the_metrics() -> Result<()> {
    const GROUPS: usize = 1_000;
    let Some(mut scene) = Scene::set("groups that come and go").await? else {
        return Ok(());
    };
    let channel = channel(&scene.tracker.url).await?;
    let store = scene.rig.store.clone();
    scene
        .beside(async {
            for number in 0..GROUPS {
                let hello = hello(&format!("guest-{number:08}"), &format!("g{number}"), &["h"]);
                let mut puppet = Puppet::connect(&channel, hello, Heartbeat::default()).await?;
                puppet.hear().await?;
            }
            // That they are gone is noticed and said some heartbeats later.
            until("guests are gone", Duration::from_secs(60), async || {
                let listed = store.list_workers(None).await?.len();
                ensure!(listed == 1, "{listed} workers are listed");
                Ok(())
            })
            .await
        })
        .await?;
    let address = scene
        .tracker
        .http
        .ok_or_else(|| anyhow::anyhow!("no HTTP"))?;
    let series = until("metrics are few", Duration::from_secs(60), async || {
        let (_, text) = tickwheel_tests::chaos::stage::get(address, "/metrics", None).await?;
        let series = text.lines().filter(|line| !line.starts_with('#')).count();
        ensure!(series < 2_500, "{series} series");
        let gone = text.lines().filter(|line| {
            line.starts_with("tickwheel_workers{group=\"g") && !line.ends_with(" 0")
        });
        let gone = gone.count();
        ensure!(
            gone == 0,
            "{gone} groups without a worker are said to have one"
        );
        Ok(series)
    })
    .await?;
    println!("groups that come and go: {series} series");
    scene.clean().await
}
