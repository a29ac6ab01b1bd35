//! Submits contexts through gRPC, a few calls at a time.

use anyhow::{Context as _, Result, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use futures::StreamExt;
use tickwheel_proto::v1::scheduler_service_client::SchedulerServiceClient;
use tickwheel_proto::v1::submission::When;
use tickwheel_proto::v1::{ContextOptions, Routing, Submission, SubmitRequest, WorkerSelection};
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};

use crate::report::Spread;

/// Calls under way at once.
const CALLS: usize = 4;

/// Connects to a tracker.
pub(crate) async fn connect(url: &str) -> Result<SchedulerServiceClient<Channel>> {
    let channel = Endpoint::from_shared(url.to_owned())?
        .tcp_nodelay(true)
        .connect()
        .await?;
    Ok(SchedulerServiceClient::new(channel).max_decoding_message_size(64 * 1024 * 1024))
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
    // Without a wish there would be no lane.
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
            let mut client = client.context("no tracker")?;
            let asked = Instant::now();
            let answer = client.submit(SubmitRequest { contexts }).await?;
            let took = u64::try_from(asked.elapsed().as_micros())?;
            anyhow::Ok((answer.into_inner().contexts.len(), took))
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
pub(crate) async fn connect_all(urls: &[String]) -> Result<Vec<SchedulerServiceClient<Channel>>> {
    let mut clients = Vec::new();
    for url in urls {
        clients.push(connect(url).await?);
    }
    Ok(clients)
}
