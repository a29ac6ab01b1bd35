//! Fairness: a key with a hundred thousand contexts waiting does not hold up another one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use parking_lot::Mutex;
use tickwheel_proto::v1;
use tickwheel_tests::harness::jobs::submission;
use tickwheel_tests::harness::{Client, until, until_clock, wall_ms};
use tickwheel_worker::{Context, Worker, WorkerBuilder};

use crate::routing::cluster::Cluster;

const LIMIT: Duration = Duration::from_secs(90);
/// Of the tenant that floods.
const FLOOD: u64 = 100_000;
/// Of one call.
const BATCH: u64 = 1_000;
/// Of the small tenant, one each second.
const SMALL: u64 = 10;

/// When each context of each tenant started.
type Starts = Arc<Mutex<HashMap<String, Vec<u64>>>>;

fn tenant(name: &str, number: u64) -> v1::Submission {
    v1::Submission {
        body: Bytes::from(format!(r#"{{"tenant":"{name}","n":{number}}}"#)),
        options: Some(v1::ContextOptions {
            fairness: Some(v1::Fairness {
                key: "/tenant".to_owned(),
                weight: None,
            }),
            ..v1::ContextOptions::default()
        }),
        ..submission("serve", number)
    }
}

/// A worker that takes a millisecond for each, four at once.
fn worker(cluster: &Cluster, starts: &Starts) -> WorkerBuilder {
    let starts = Arc::clone(starts);
    Worker::builder(cluster.urls().join(","))
        .name("server")
        .concurrency(4)
        .handle_raw("serve", move |_: Context, body: Bytes| {
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            let tenant = body.pointer("/tenant").and_then(|name| name.as_str());
            let tenant = tenant.unwrap_or_default().to_owned();
            let mut starts = starts.lock();
            starts.entry(tenant).or_default().push(wall_ms());
            async move {
                until_clock(wall_ms() + 1).await;
                Ok(Bytes::new())
            }
        })
}

fn started(starts: &Starts, tenant: &str) -> Vec<u64> {
    let starts = starts.lock();
    starts.get(tenant).cloned().unwrap_or_default()
}

async fn flood(client: &mut Client, name: &str, count: u64) -> Result<()> {
    for first in (0..count).step_by(usize::try_from(BATCH)?) {
        let contexts = (first..first + BATCH).map(|number| tenant(name, number));
        client.submit(contexts.collect()).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_floods_does_not_hold_up_another_one() -> Result<()> {
    let Some(mut cluster) = Cluster::start(2).await? else {
        return Ok(());
    };
    let starts = Starts::default();
    flood(&mut cluster.client, "big", FLOOD).await?;
    let builder = worker(&cluster, &starts);
    cluster.add("server", builder.start()?).await?;
    until("the big tenant is served", LIMIT, async || {
        let begun = started(&starts, "big").len();
        ensure!(begun > 100, "{begun} of them have started");
        Ok(())
    })
    .await?;
    let mut waits = Vec::new();
    for number in 0..SMALL {
        let asked = wall_ms();
        cluster.client.submit(vec![tenant("small", number)]).await?;
        let at = until("the small tenant is served", LIMIT, async || {
            let starts = started(&starts, "small");
            let at = starts.get(usize::try_from(number)?).copied();
            at.context("it has not started")
        })
        .await?;
        waits.push(at.saturating_sub(asked));
        until_clock(asked + 1_000).await;
    }
    let big = started(&starts, "big").len();
    println!("waits of the small tenant in ms: {waits:?}; {big} of the big one had started");
    ensure!(
        u64::try_from(big)? < FLOOD,
        "the big tenant no longer waits: nothing was shown"
    );
    let longest = waits.iter().max().context("some waits")?;
    ensure!(*longest <= 1_000, "the small tenant waited {longest} ms");
    Ok(())
}
