//! Runs handlers without a network.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tickwheel_proto::v1::Assignment;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempt, AttemptKey, CancelReason, Ended, Sink, run};
use crate::context::Context;
use crate::error::{BoxError, HandlerResult};
use crate::handler::{Handler, Raw, Typed};
use crate::outcome::Outcome;
use crate::registry::Registry;
use crate::sync::lock;

/// Handlers to be tested.
///
/// ```
/// use tickwheel_worker::{Context, testing::Harness};
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let harness = Harness::new().handle("sum", |ctx: Context, terms: Vec<i64>| async move {
///     ctx.log("adding").await;
///     Ok(terms.iter().sum::<i64>())
/// });
/// let ran = harness.run("sum", &[1, 2, 3]).await;
/// assert_eq!(ran.result::<i64>().unwrap(), 6);
/// assert_eq!(ran.logs, ["adding"]);
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct Harness {
    registry: Registry,
}

impl Harness {
    /// Without handlers.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`WorkerBuilder::handle`](crate::WorkerBuilder::handle).
    pub fn handle<F, Fut, B, T>(self, name: impl AsRef<str>, function: F) -> Self
    where
        F: Fn(Context, B) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = HandlerResult<T>> + Send + 'static,
        B: DeserializeOwned + 'static,
        T: Serialize + 'static,
    {
        self.handler(name, Typed::<F, B, T>::new(function))
    }

    /// As [`WorkerBuilder::handle_raw`](crate::WorkerBuilder::handle_raw).
    pub fn handle_raw<F, Fut>(self, name: impl AsRef<str>, function: F) -> Self
    where
        F: Fn(Context, Bytes) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = HandlerResult<Bytes>> + Send + 'static,
    {
        self.handler(name, Raw(function))
    }

    /// As [`WorkerBuilder::handler`](crate::WorkerBuilder::handler).
    pub fn handler(mut self, name: impl AsRef<str>, handler: impl Handler) -> Self {
        self.registry.add(name.as_ref(), Arc::new(handler));
        self
    }

    /// Runs the handler once, as the first attempt.
    pub async fn run(&self, handler: &str, body: &(impl Serialize + ?Sized)) -> Ran {
        self.call(handler).body(body).run().await
    }

    /// A run to be described.
    pub fn call<'a>(&'a self, handler: &'a str) -> Call<'a> {
        let context = Assignment {
            context_id: "0.000000000.test".to_owned(),
            attempt: 1,
            lease_ms: 10_000,
            cancel_grace_ms: 5_000,
            max_attempts: 3,
            ..Assignment::default()
        };
        Call {
            harness: self,
            handler,
            context,
            body: Ok(Bytes::new()),
            cancel: None,
        }
    }
}

/// One run of a handler.
#[derive(Debug)]
#[must_use = "a call does nothing until `run`"]
pub struct Call<'a> {
    harness: &'a Harness,
    handler: &'a str,
    context: Assignment,
    body: Result<Bytes, serde_json::Error>,
    cancel: Option<(CancellationToken, CancelReason)>,
}

impl Call<'_> {
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
        let told = Arc::new(Told::default());
        let sink: Arc<dyn Sink> = Arc::<Told>::clone(&told);
        let attempt = Arc::new(Attempt::new(
            key,
            self.context,
            Arc::clone(&entry.name),
            sink,
            Instant::now(),
        ));
        let ctx = Context::new(Arc::clone(&attempt));
        let handler = &entry.handler;
        let work = run(&attempt, async move { handler.call(ctx, body).await });
        let ended = with_cancel(work, &attempt, self.cancel).await;
        let outcome = match ended {
            Ended::With(outcome) => Some(outcome),
            Ended::GivenBack | Ended::Dropped => None,
        };
        let mut logs = std::mem::take(&mut *lock(&told.logs));
        logs.extend(attempt.dropped_lines());
        let progress = std::mem::take(&mut *lock(&told.progress));
        Ran {
            outcome,
            logs,
            progress,
        }
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

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// What would be settled; `None` when the attempt was fenced, or given back by a drain.
    pub outcome: Option<Outcome>,
    /// The log lines, in order.
    pub logs: Vec<String>,
    /// All progress told: percent and message.
    pub progress: Vec<(u32, String)>,
}

impl Ran {
    fn without_run(error: String) -> Self {
        Self {
            outcome: Some(Outcome::Fatal(error)),
            logs: Vec::new(),
            progress: Vec::new(),
        }
    }

    /// The result of a typed handler that succeeded.
    ///
    /// # Errors
    /// When it did not succeed, or the result is no `T`.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, BoxError> {
        match &self.outcome {
            Some(Outcome::Succeeded(result)) if result.is_empty() => {
                Ok(serde_json::from_slice(b"null")?)
            }
            Some(Outcome::Succeeded(result)) => Ok(serde_json::from_slice(result)?),
            other => Err(format!("the handler did not succeed: {other:?}").into()),
        }
    }

    /// The message of a failure.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match self.outcome.as_ref()? {
            Outcome::Failed(error) | Outcome::Fatal(error) | Outcome::RetryAfter(_, error) => {
                Some(error)
            }
            Outcome::Succeeded(_) | Outcome::Cancelled | Outcome::TimedOut => None,
        }
    }
}

#[derive(Debug, Default)]
struct Told {
    logs: Mutex<Vec<String>>,
    progress: Mutex<Vec<(u32, String)>>,
}

impl Sink for Told {
    fn log(&self, _: &Attempt, line: String) -> bool {
        lock(&self.logs).push(line);
        true
    }

    fn progress(&self, _: &Attempt, percent: u32, message: String) {
        lock(&self.progress).push((percent, message));
    }
}
