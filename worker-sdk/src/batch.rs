//! Micro-batches: contexts that arrive within a window are handed to one call.
//!
//! Each context keeps its own permit, lease, time-out and cancellation: its attempt waits here for its outcome. The call runs in a task of
//! its own, and ends when none of its contexts waits any more.

mod gather;

use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::attempt::panic_text;
use crate::context::Context;
use crate::error::{HandlerError, HandlerResult, fatal};
use crate::handler::{Handler, decode_json, encode};
use gather::Gather;

/// A context that waits for its batch, and where its outcome goes.
struct Entry<B> {
    ctx: Context,
    body: B,
    outcome: oneshot::Sender<HandlerResult<Bytes>>,
}

/// A handler of batches.
pub(crate) struct Batch<F, B, T> {
    function: Arc<F>,
    gather: Arc<Gather<Entry<B>>>,
    types: PhantomData<fn(B) -> T>,
}

impl<F, B, T> Batch<F, B, T> {
    pub(crate) fn new(function: F, max: usize, window: Duration) -> Self {
        Self {
            function: Arc::new(function),
            gather: Arc::new(Gather::new(max, window)),
            types: PhantomData,
        }
    }
}

impl<F, Fut, B, T> Handler for Batch<F, B, T>
where
    F: Fn(Vec<(Context, B)>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Vec<HandlerResult<T>>> + Send + 'static,
    B: DeserializeOwned + Send + 'static,
    T: Serialize + Send + 'static,
{
    fn call(&self, ctx: Context, body: Bytes) -> BoxFuture<'static, HandlerResult<Bytes>> {
        let body = match decode_json::<B>(&body) {
            Ok(body) => body,
            Err(error) => {
                let handler = ctx.handler();
                let error = format!("the body does not fit handler \"{handler}\": {error}");
                return futures_util::future::ready(Err(fatal(error))).boxed();
            }
        };
        let (outcome, ended) = oneshot::channel();
        let entry = Entry { ctx, body, outcome };
        let function = Arc::clone(&self.function);
        Arc::clone(&self.gather).add(entry, move |batch| {
            tokio::spawn(run(Arc::clone(&function), batch));
        });
        async move {
            ended
                .await
                .unwrap_or_else(|_| Err("the attempt was cancelled before its batch began".into()))
        }
        .boxed()
    }
}

/// Runs one batch, as long as anybody waits for it.
async fn run<F, Fut, B, T>(function: Arc<F>, batch: Vec<Entry<B>>)
where
    F: Fn(Vec<(Context, B)>) -> Fut,
    Fut: Future<Output = Vec<HandlerResult<T>>>,
    T: Serialize,
{
    // Who was cancelled while the batch gathered has no part in it.
    let batch = batch
        .into_iter()
        .filter(|entry| !entry.outcome.is_closed() && entry.ctx.inner().cancel.reason().is_none());
    let (contexts, mut waiting): (Vec<_>, Vec<_>) = batch
        .map(|entry| ((entry.ctx, entry.body), entry.outcome))
        .unzip();
    if waiting.is_empty() {
        return;
    }
    let work = AssertUnwindSafe(async { function(contexts).await }).catch_unwind();
    let ended = tokio::select! {
        biased;
        ended = work => ended,
        _ = join_all(waiting.iter_mut().map(oneshot::Sender::closed)) => return,
    };
    match ended {
        Ok(outcomes) => give_out(waiting, outcomes),
        Err(panic) => {
            let message = format!("panicked: {}", panic_text(&*panic));
            fail_each(waiting, &message);
        }
    }
}

fn give_out<T: Serialize>(
    waiting: Vec<oneshot::Sender<HandlerResult<Bytes>>>,
    outcomes: Vec<HandlerResult<T>>,
) {
    if waiting.len() != outcomes.len() {
        let message = format!(
            "the handler gave {} outcomes for a batch of {}",
            outcomes.len(),
            waiting.len()
        );
        return fail_each(waiting, &message);
    }
    for (waiting, outcome) in waiting.into_iter().zip(outcomes) {
        // Whoever does not wait any more has ended otherwise.
        waiting
            .send(outcome.and_then(|result| encode(&result)))
            .ok();
    }
}

fn fail_each(waiting: Vec<oneshot::Sender<HandlerResult<Bytes>>>, message: &str) {
    for waiting in waiting {
        waiting.send(Err(HandlerError::from(message))).ok();
    }
}
