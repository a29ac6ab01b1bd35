//! Submits contexts through gRPC, a few calls at a time.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use futures::StreamExt;
use tickwheel_client::Client;
use tickwheel_proto::v1::submission::When;
use tickwheel_proto::v1::{
    ContextOptions, Fairness, GroupLimits, Limit, Rate, Routing, Submission, WorkerSelection,
};
use tokio::time::Instant;

use crate::args::Options;
use crate::report::Spread;

/// Calls under way at once.
const CALLS: usize = 4;

/// No call of a measurement takes longer.
const CALL_LIMIT: Duration = Duration::from_secs(120);

/// Connects to one tracker; a call that fails is told, and not made again.
pub(crate) async fn connect(url: &str) -> Result<Client> {
    let builder = Client::builder([url]).timeout(CALL_LIMIT).tries(1);
    Ok(builder.connect().await?)
}

/// A context for handler `noop`, numbered in its body.
pub(crate) fn context(number: usize, body_bytes: usize, when: When) -> Submission {
    let mut body = BytesMut::with_capacity(body_bytes);
    body.put_u64_le(number as u64);
    body.resize(body_bytes, b'x');
    Submission {
        group: "bench".to_owned(),
        handler: "noop".to_owned(),
        body: Bytes::from(body),
        when: Some(when),
        ..Submission::default()
    }
}

/// The same, for a worker that this policy chooses.
pub(crate) fn routed(context: Submission, policy: Option<&str>) -> Submission {
    let Some(policy) = policy else {
        return context;
    };
    let named = ["specified", "failover", "busy_transfer"].contains(&policy);
    let routing = Routing {
        policy: policy.to_owned(),
        list: named.then(|| "bench".to_owned()).into_iter().collect(),
        ..Routing::default()
    };
    // Without a wish there would be no placement.
    let workers = WorkerSelection {
        deny: vec!["nobody".to_owned()],
        ..WorkerSelection::default()
    };
    Submission {
        options: Some(ContextOptions {
            routing: Some(routing),
            workers: Some(workers),
            ..ContextOptions::default()
        }),
        ..context
    }
}

/// The same, with one of so many fairness keys.
pub(crate) fn keyed(context: Submission, number: usize, keys: Option<usize>) -> Submission {
    let Some(keys) = keys else {
        return context;
    };
    let fairness = Fairness {
        key: format!("tenant-{}", number % keys.max(1)),
        weight: None,
    };
    Submission {
        options: Some(ContextOptions {
            fairness: Some(fairness),
            ..context.options.unwrap_or_default()
        }),
        ..context
    }
}

/// Gives the group of the contexts the limits that the options name.
pub(crate) async fn limit(urls: &[String], options: &Options) -> Result<()> {
    let limit = |concurrency: Option<u32>, rate: Option<u32>| Limit {
        concurrency,
        rate: rate.map(|starts| Rate {
            starts,
            per_ms: 1_000,
            burst: None,
        }),
    };
    let limits = GroupLimits {
        group: "bench".to_owned(),
        all: Some(limit(options.limit_concurrency, options.limit_rate)),
        per_key: Some(limit(options.limit_key_concurrency, None)),
        ..GroupLimits::default()
    };
    if limits.all == Some(Limit::default()) && limits.per_key == Some(Limit::default()) {
        return Ok(());
    }
    let client = connect(urls.first().context("no tracker")?).await?;
    client.set_limits(limits).await?;
    // The other trackers read them with their next heartbeat.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    Ok(())
}

/// Submits `count` contexts made by `make`, in batches; answers how long the calls took.
pub(crate) async fn submit(
    urls: &[String],
    (count, batch): (usize, usize),
    make: impl Fn(usize) -> Submission,
) -> Result<Spread> {
    let clients = connect_all(urls).await?;
    let starts: Vec<usize> = (0..count).step_by(batch.max(1)).collect();
    let calls = starts.into_iter().enumerate().map(|(call, start)| {
        let client = clients.get(call % clients.len().max(1)).cloned();
        let contexts: Vec<Submission> = (start..count.min(start + batch)).map(&make).collect();
        async move {
            let client = client.context("no tracker")?;
            let asked = Instant::now();
            let answer = client.submit_all(contexts).await?;
            let took = u64::try_from(asked.elapsed().as_micros())?;
            anyhow::Ok((answer.len(), took))
        }
    });
    let (mut accepted, mut times) = (0, Vec::new());
    let mut answers = futures::stream::iter(calls).buffer_unordered(CALLS);
    while let Some(answer) = answers.next().await {
        let (contexts, took) = answer?;
        accepted += contexts;
        times.push(took);
    }
    ensure!(
        accepted == count,
        "{accepted} of {count} contexts were accepted"
    );
    Spread::of(times.into_iter())
}

/// Connects to each tracker.
pub(crate) async fn connect_all(urls: &[String]) -> Result<Vec<Client>> {
    let mut clients = Vec::new();
    for url in urls {
        clients.push(connect(url).await?);
    }
    Ok(clients)
}
