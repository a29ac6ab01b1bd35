//! One run of a handler, and what it is told.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tickwheel_proto::v1::{self, Assignment};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::Harness;
use super::ran::{Ran, Told, failed, succeeded};
use crate::attempt::{Attempt, AttemptKey, CancelReason, Ended, Sink, run};
use crate::fan::SubtaskKind;
use crate::handler::encode_json;
use crate::tracing_layer::span_of;

/// One run of a handler.
#[derive(Debug)]
#[must_use = "a call does nothing until `run`"]
pub struct Call<'a> {
    harness: &'a Harness,
    handler: &'a str,
    context: Assignment,
    body: Result<Bytes, serde_json::Error>,
    cancel: Option<(CancellationToken, CancelReason)>,
    mapped_before: u64,
    results: Vec<v1::SubtaskResult>,
}

impl Harness {
    /// Runs the handler once, as the first attempt.
    pub async fn run(&self, handler: &str, body: &(impl Serialize + ?Sized)) -> Ran {
        self.call(handler).body(body).run().await
    }

    /// Runs the handler for all these bodies at the same time, as contexts of their own: what a handler of batches gets in one call.
    pub async fn run_all<B: Serialize>(
        &self,
        handler: &str,
        bodies: impl IntoIterator<Item = B>,
    ) -> Vec<Ran> {
        let calls = bodies.into_iter().enumerate().map(|(number, body)| {
            let call = self.call(handler).context_id(format!("0.0.test-{number}"));
            call.body(&body).run()
        });
        futures_util::future::join_all(calls).await
    }

    /// A run to be described.
    pub fn call<'a>(&'a self, handler: &'a str) -> Call<'a> {
        Call::new(self, handler)
    }
}

impl<'a> Call<'a> {
    /// The first attempt of a context without a job.
    fn new(harness: &'a Harness, handler: &'a str) -> Self {
        let context = Assignment {
            context_id: "0.0.test".to_owned(),
            attempt: 1,
            lease_ms: 10_000,
            cancel_grace_ms: 5_000,
            max_attempts: 3,
            ..Assignment::default()
        };
        Self {
            harness,
            handler,
            context,
            body: Ok(Bytes::new()),
            cancel: None,
            mapped_before: 0,
            results: Vec::new(),
        }
    }

    /// The body, written as JSON.
    pub fn body(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = serde_json::to_vec(body).map(Bytes::from);
        self
    }

    /// The body as it is.
    pub fn body_raw(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Ok(body.into());
        self
    }

    /// The attempt's number. Default: 1.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.context.attempt = attempt;
        self
    }

    /// Failures before this attempt. Default: 0.
    pub fn failures(mut self, failures: u32) -> Self {
        self.context.failures = failures;
        self
    }

    /// How often the context may fail; 0: without limit. Default: 3.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.context.max_attempts = attempts;
        self
    }

    /// The context's identity.
    pub fn context_id(mut self, id: impl Into<String>) -> Self {
        self.context.context_id = id.into();
        self
    }

    /// The job's name. Default: none.
    pub fn job(mut self, job: impl Into<String>) -> Self {
        self.context.job = job.into();
        self
    }

    /// When the context was due, in milliseconds since the Unix epoch. Default: 0.
    pub fn due_ms(mut self, due_ms: u64) -> Self {
        self.context.due_ms = due_ms;
        self
    }

    /// How long the attempt may run. Default: without limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.context.timeout_ms = u64::try_from(timeout.as_millis())
            .unwrap_or(u64::MAX)
            .max(1);
        self
    }

    /// How long a cancelled handler may go on. Default: 5 s.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.context.cancel_grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// Makes the context a part of a split one: what [`Context::subtask`](crate::Context::subtask) and [`Context::shard`](crate::Context::shard) tell. `total` 0: not known.
    pub fn subtask(mut self, kind: SubtaskKind, index: u64, total: u64) -> Self {
        let parameter = self.context.subtask.take().map(|part| part.parameter);
        self.context.subtask = Some(v1::Subtask {
            kind: kind.to_wire().into(),
            index,
            total,
            parameter: parameter.unwrap_or_default(),
        });
        self
    }

    /// What the item of a shard was registered with: `Beijing` of `0=Beijing`. Belongs to [`subtask`](Self::subtask).
    pub fn parameter(mut self, parameter: impl Into<String>) -> Self {
        self.context.subtask.get_or_insert_default().parameter = parameter.into();
        self
    }

    /// Makes the context a reduce that reads these results, written as JSON: of subtasks that succeeded or failed, in this order.
    pub fn results<T: Serialize>(
        mut self,
        results: impl IntoIterator<Item = Result<T, String>>,
    ) -> Self {
        for (index, result) in (0..).zip(results) {
            let written =
                result.map(|result| encode_json(&result).map_err(|error| error.to_string()));
            self.results.push(match written {
                Ok(Ok(result)) => succeeded(index, result),
                Ok(Err(error)) | Err(error) => failed(index, error),
            });
        }
        let total = self.results.len() as u64;
        self.subtask(SubtaskKind::Reduce, total, total)
    }

    /// As if an earlier attempt had mapped so many items: they are skipped, and [`Ran::mapped`] has the others.
    pub fn mapped_before(mut self, items: u64) -> Self {
        self.mapped_before = items;
        self
    }

    pub(super) fn raw_results(mut self, results: Vec<v1::SubtaskResult>) -> Self {
        let total = results.len() as u64;
        self.results = results;
        self.subtask(SubtaskKind::Reduce, total, total)
    }

    /// Cancels the attempt for this reason when the token is cancelled.
    pub fn cancel_on(mut self, token: CancellationToken, reason: CancelReason) -> Self {
        self.cancel = Some((token, reason));
        self
    }

    /// Runs the handler to its end.
    pub async fn run(self) -> Ran {
        let Some(entry) = self.harness.registry.get(self.handler) else {
            return Ran::without_run(format!("the harness has no handler \"{}\"", self.handler));
        };
        let body = match self.body {
            Ok(body) => body,
            Err(error) => {
                return Ran::without_run(format!("the body cannot be written as JSON: {error}"));
            }
        };
        let key = AttemptKey::new(&self.context.context_id, self.context.attempt);
        let told = Arc::new(Told::new(self.mapped_before, self.results));
        let sink: Arc<dyn Sink> = Arc::<Told>::clone(&told);
        let attempt = Arc::new(Attempt::new(
            key,
            self.context,
            Arc::clone(&entry.name),
            sink,
            Instant::now(),
        ));
        let registry = &self.harness.registry;
        let ctx = registry.context(&attempt);
        let work = async { registry.call(Arc::clone(&entry.handler), ctx, body).await };
        let work = run(&attempt, work).instrument(span_of(&attempt));
        let ended = with_cancel(work, &attempt, self.cancel).await;
        let outcome = match ended {
            Ended::With(outcome) => Some(outcome),
            Ended::GivenBack | Ended::Dropped => None,
        };
        told.take_ran(outcome, attempt.dropped_lines())
    }
}

async fn with_cancel(
    work: impl Future<Output = Ended>,
    attempt: &Attempt,
    cancel: Option<(CancellationToken, CancelReason)>,
) -> Ended {
    let cancel = async {
        if let Some((token, reason)) = cancel {
            token.cancelled().await;
            attempt.cancel.cancel(reason, Instant::now());
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = work => ended,
        () = cancel => Ended::Dropped,
    }
}
