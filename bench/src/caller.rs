//! Submits contexts through gRPC, a few calls at a time.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use futures::StreamExt;
use tickwheel_client::Client;
use tickwheel_proto::v1::submission::When;
use tickwheel_proto::v1::{
    ContextOptions, Fairness, GroupLimits, Limit, MakeTokenRequest, Rate, Role, Routing, Scope,
    Submission, WorkerSelection,
};
use tokio::time::Instant;

use crate::args::Options;
use crate::report::Spread;

/// No call of a measurement takes longer.
const CALL_LIMIT: Duration = Duration::from_secs(120);

/// Where the trackers of a run are reached, and what is shown to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trackers {
    /// By gRPC.
    pub(crate) urls: Vec<String>,
    /// By HTTP.
    pub(crate) http: Vec<SocketAddr>,
    /// A file with the token of somebody who may do everything; none where nobody is asked for one.
    pub(crate) token: Option<PathBuf>,
}

impl Trackers {
    /// Connects to one of them; a call that fails is told, and not made again.
    pub(crate) async fn connect(&self) -> Result<Client> {
        self.connect_to(self.urls.first().context("no tracker")?)
            .await
    }

    /// Connects to each of them.
    pub(crate) async fn connect_all(&self) -> Result<Vec<Client>> {
        let mut clients = Vec::new();
        for url in &self.urls {
            clients.push(self.connect_to(url).await?);
        }
        Ok(clients)
    }

    async fn connect_to(&self, url: &str) -> Result<Client> {
        let mut builder = Client::builder([url]).timeout(CALL_LIMIT).tries(1);
        if let Some(file) = &self.token {
            builder = builder.token_file(file);
        }
        Ok(builder.connect().await?)
    }

    /// Makes a token for the workers of the run.
    pub(crate) async fn worker_token(&self) -> Result<String> {
        let any = || vec!["*".to_owned()];
        let scope = Scope {
            role: Role::Worker.into(),
            groups: any(),
            handlers: any(),
            worker_ids: any(),
            ..Scope::default()
        };
        let request = MakeTokenRequest {
            name: "workers".to_owned(),
            scope: Some(scope),
            ..MakeTokenRequest::default()
        };
        Ok(self.connect().await?.make_token(request).await?.text)
    }
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
pub(crate) async fn limit(trackers: &Trackers, options: &Options) -> Result<()> {
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
    let client = trackers.connect().await?;
    client.set_limits(limits).await?;
    // The other trackers read them with their next heartbeat.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    Ok(())
}

/// Submits `count` contexts made by `make`, in batches; answers how long the calls took.
pub(crate) async fn submit(
    trackers: &Trackers,
    (count, options): (usize, &Options),
    make: impl Fn(usize) -> Submission,
) -> Result<Spread> {
    let clients = trackers.connect_all().await?;
    let batch = options.batch.max(1);
    let starts: Vec<usize> = (0..count).step_by(batch).collect();
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
    let mut answers = futures::stream::iter(calls).buffer_unordered(options.calls.max(1));
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
