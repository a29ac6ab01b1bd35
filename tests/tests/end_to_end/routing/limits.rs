//! Limits of groups and keys: they hold over the whole cluster, and nothing waits longer for them than it must.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use parking_lot::Mutex;
use tickwheel_proto::v1;
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::harness::jobs::submission;
use tickwheel_tests::harness::{until, until_clock, wall_ms};
use tickwheel_worker::{Context, Worker, WorkerBuilder};

use crate::routing::cluster::Cluster;

const LIMIT: Duration = Duration::from_secs(90);

/// What handlers count themselves: who started when, how many ran at once, by key.
#[derive(Debug, Default)]
struct Counted {
    running: HashMap<String, usize>,
    most: HashMap<String, usize>,
    starts: Vec<u64>,
}

type Gauge = Arc<Mutex<Counted>>;

/// A worker with many permits whose handler takes `ms`.
fn worker(cluster: &Cluster, name: &str, gauge: &Gauge, ms: u64) -> WorkerBuilder {
    let gauge = Arc::clone(gauge);
    Worker::builder(cluster.urls().join(","))
        .name(name)
        .concurrency(64)
        .handle_raw("count", move |_: Context, body: Bytes| {
            let gauge = Arc::clone(&gauge);
            let key = String::from_utf8_lossy(&body).into_owned();
            {
                let mut counted = gauge.lock();
                counted.starts.push(wall_ms());
                for name in [key.as_str(), "all"] {
                    let running = counted.running.entry(name.to_owned()).or_default();
                    *running += 1;
                    let running = *running;
                    let most = counted.most.entry(name.to_owned()).or_default();
                    *most = running.max(*most);
                }
            }
            async move {
                until_clock(wall_ms() + ms).await;
                let mut counted = gauge.lock();
                for name in [key.as_str(), "all"] {
                    *counted.running.entry(name.to_owned()).or_default() -= 1;
                }
                Ok(Bytes::new())
            }
        })
}

fn of_key(key: &str) -> v1::Submission {
    v1::Submission {
        body: Bytes::from(key.to_owned()),
        options: Some(v1::ContextOptions {
            fairness: (!key.is_empty()).then(|| v1::Fairness {
                key: key.to_owned(),
                weight: None,
            }),
            ..v1::ContextOptions::default()
        }),
        ..submission("count", 0)
    }
}

fn at_once(concurrency: u32) -> v1::Limit {
    v1::Limit {
        concurrency: Some(concurrency),
        rate: None,
    }
}

fn rate(starts: u32, per_ms: u64, burst: u32) -> v1::Limit {
    v1::Limit {
        concurrency: None,
        rate: Some(v1::Rate {
            starts,
            per_ms,
            burst: Some(burst),
        }),
    }
}

async fn set(
    cluster: &mut Cluster,
    all: Option<v1::Limit>,
    per_key: Option<v1::Limit>,
) -> Result<()> {
    let limits = v1::GroupLimits {
        group: "default".to_owned(),
        all,
        per_key,
        ..v1::GroupLimits::default()
    };
    cluster.client.raw.set_limits(limits).await?;
    // The other trackers read them with their next heartbeat.
    until_clock(wall_ms() + 1_500).await;
    Ok(())
}

async fn three_trackers() -> Result<Option<(Cluster, Gauge)>> {
    let Some(cluster) = Cluster::start(3).await? else {
        return Ok(None);
    };
    Ok(Some((cluster, Gauge::default())))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_of_a_group_run_than_its_limit_lets() -> Result<()> {
    let Some((mut cluster, gauge)) = three_trackers().await? else {
        return Ok(());
    };
    set(&mut cluster, Some(at_once(5)), None).await?;
    for name in ["one", "two"] {
        let builder = worker(&cluster, name, &gauge, 5);
        cluster.add(name, builder.start()?).await?;
    }
    let begun = wall_ms();
    let ids = cluster.submit_all(|_| of_key(""), 1_000).await?;
    cluster.rig.drained(LIMIT).await?;
    let took = wall_ms() - begun;
    let most = gauge.lock().most.get("all").copied().unwrap_or_default();
    println!(
        "1,000 contexts of 5 ms, 5 at once over 16 partitions: {took} ms, {most} at most ran at once"
    );
    ensure!(most <= 5, "{most} ran at once, 5 may");
    ensure!(most == 5, "{most} ran at once, 5 could");
    ensure!(ids.len() == gauge.lock().starts.len(), "each ran once");
    let listed = cluster
        .client
        .raw
        .list_limits(v1::ListLimitsRequest {})
        .await?;
    let listed = listed.into_inner().groups;
    let group = listed.first().context("a group with limits")?;
    ensure!(group.running == 0, "all is given back: {group:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_at_its_limit_stands_in_nobodys_way() -> Result<()> {
    let Some((mut cluster, gauge)) = three_trackers().await? else {
        return Ok(());
    };
    set(&mut cluster, None, Some(at_once(1))).await?;
    let builder = worker(&cluster, "one", &gauge, 20);
    cluster.add("one", builder.start()?).await?;
    cluster.submit_all(|_| of_key("big"), 100).await?;
    let asked = wall_ms();
    let small = cluster
        .submit_all(|n| of_key(&format!("small-{n}")), 20)
        .await?;
    for id in &small {
        let ended = cluster.client.end_of(id).await?;
        ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
    }
    let took = wall_ms() - asked;
    let big = gauge.lock().most.get("big").copied().unwrap_or_default();
    println!("20 other keys behind a hundred of one that runs one at a time: {took} ms");
    ensure!(big == 1, "{big} of a key ran at once, 1 may");
    ensure!(
        took < 1_500,
        "others took {took} ms, a hundred of 20 ms one by one take 2,000"
    );
    cluster.rig.drained(LIMIT).await?;
    ensure!(gauge.lock().starts.len() == 120, "each ran once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_start_than_the_rate_lets() -> Result<()> {
    let Some((mut cluster, gauge)) = three_trackers().await? else {
        return Ok(());
    };
    set(&mut cluster, Some(rate(100, 1_000, 10)), None).await?;
    let builder = worker(&cluster, "one", &gauge, 1);
    cluster.add("one", builder.start()?).await?;
    let begun = wall_ms();
    cluster.submit_all(|_| of_key(""), 300).await?;
    cluster.rig.drained(LIMIT).await?;
    let took = wall_ms() - begun;
    let mut starts = gauge.lock().starts.clone();
    starts.sort_unstable();
    let mut most = 0;
    for (first, start) in starts.iter().enumerate() {
        let within = starts
            .iter()
            .skip(first)
            .take_while(|at| **at < start + 1_000);
        most = most.max(within.count());
    }
    println!("300 starts at 100/s, burst 10: {took} ms, at most {most} in a second");
    ensure!(starts.len() == 300, "each ran once");
    // The clock of the limit is Redis'; a start comes some milliseconds after its claim.
    ensure!(most <= 125, "{most} started within a second");
    ensure!(took >= 2_700, "300 starts took {took} ms");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_change_and_go_while_contexts_wait() -> Result<()> {
    let Some((mut cluster, gauge)) = three_trackers().await? else {
        return Ok(());
    };
    set(&mut cluster, Some(at_once(0)), Some(at_once(1))).await?;
    let builder = worker(&cluster, "one", &gauge, 1);
    cluster.add("one", builder.start()?).await?;
    let ids = cluster
        .submit_all(|n| of_key(&format!("key-{}", n % 3)), 60)
        .await?;
    until_clock(wall_ms() + 500).await;
    ensure!(gauge.lock().starts.is_empty(), "none may run");
    let id = ids.first().context("a context")?;
    let waits = cluster.client.context(id).await?;
    ensure!(
        waits.waiting_reason.contains("limit"),
        "why it waits: {waits:?}"
    );
    set(&mut cluster, None, Some(at_once(1))).await?;
    until("one key after the other", LIMIT, async || {
        let ran = gauge.lock().starts.len();
        ensure!(ran > 5, "{ran} ran");
        Ok(())
    })
    .await?;
    set(&mut cluster, None, None).await?;
    cluster.rig.drained(LIMIT).await?;
    ensure!(gauge.lock().starts.len() == 60, "each ran once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_a_limit_is_refused_with_field_rule_and_value() -> Result<()> {
    let Some((mut cluster, _)) = three_trackers().await? else {
        return Ok(());
    };
    let limits = v1::GroupLimits {
        group: "no group".to_owned(),
        ..v1::GroupLimits::default()
    };
    let refused = cluster.client.raw.set_limits(limits).await.err();
    let words = refused.context("it was taken")?.message().to_owned();
    ensure!(words.contains("group"), "{words}");
    let limits = v1::GroupLimits {
        group: "default".to_owned(),
        all: Some(rate(0, 0, 0)),
        ..v1::GroupLimits::default()
    };
    let refused = cluster.client.raw.set_limits(limits).await.err();
    let words = refused.context("it was taken")?.message().to_owned();
    for part in ["rate", "burst", "1..=1000000", "0"] {
        ensure!(words.contains(part), "{part} is missing: {words}");
    }
    Ok(())
}
