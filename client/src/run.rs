//! What was submitted, and its end.

use std::marker::PhantomData;
use std::time::Duration;

use tickwheel_core::Task;
use tickwheel_proto::convert::state_from_wire;
use tickwheel_proto::v1;
use tokio::time::Instant;

use crate::call::{Client, Repeat};
use crate::error::Error;
use crate::submission::ms;

/// One `WaitContext` call waits at most this long at the tracker; longer waits are several calls.
const WAIT_STEP: Duration = Duration::from_secs(60);
/// How much later than at its limit a tracker may answer.
const WAIT_SLACK: Duration = Duration::from_secs(10);

/// A context that was submitted. It goes on without this.
#[derive(Debug)]
pub struct Run<T = ()> {
    client: Client,
    submitted: v1::Submitted,
    task: PhantomData<fn() -> T>,
}

impl<T> Run<T> {
    pub(crate) fn new(client: Client, submitted: v1::Submitted) -> Self {
        Self {
            client,
            submitted,
            task: PhantomData,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.submitted.id
    }

    /// What the tracker said of it: whether its key stood for it before, and what it replaced.
    #[must_use]
    pub fn submitted(&self) -> &v1::Submitted {
        &self.submitted
    }

    /// Waits until it has ended, however it has; `None`: as long as it takes.
    ///
    /// # Errors
    /// As [`Client::wait`].
    pub async fn wait(&self, limit: Option<Duration>) -> Result<v1::Context, Error> {
        self.client.wait(self.id(), limit).await
    }

    /// Cancels it, wherever it is.
    ///
    /// # Errors
    /// As [`Client::cancel`].
    pub async fn cancel(&self) -> Result<v1::Context, Error> {
        self.client.cancel(self.id()).await
    }
}

impl<T: Task> Run<T> {
    /// Waits until it has ended, and answers with what its handler returned; `None`: as long as it takes.
    ///
    /// # Errors
    /// [`Error::Ended`] when it has not succeeded, [`Error::Json`] when the result is none of the task, and as [`Client::wait`].
    pub async fn result(&self, limit: Option<Duration>) -> Result<T::Output, Error> {
        let context = self.wait(limit).await?;
        if context.state() != v1::ContextState::Succeeded {
            return Err(Error::Ended {
                state: word(context.state()),
                id: context.id,
                message: context.error,
            });
        }
        // A worker writes `null` as nothing.
        let json = match &*context.result {
            b"" => b"null",
            json => json,
        };
        serde_json::from_slice(json).map_err(|source| Error::Json {
            what: format!("the result of `{}`", T::HANDLER),
            source,
        })
    }
}

impl Client {
    /// Waits until a context has ended, however it has; `None`: as long as it takes. A tracker that dies meanwhile makes no difference.
    ///
    /// # Errors
    /// [`Error::NotEnded`] when it has not within `limit`; [`Error::Refused`] when nobody knows it; [`Error::Unavailable`].
    pub async fn wait(&self, id: &str, limit: Option<Duration>) -> Result<v1::Context, Error> {
        let started = Instant::now();
        loop {
            let left = limit.map(|limit| limit.saturating_sub(started.elapsed()));
            let step = left.unwrap_or(WAIT_STEP).min(WAIT_STEP);
            let request = v1::WaitContextRequest {
                id: id.to_owned(),
                // 0 would mean the tracker's own default.
                timeout_ms: ms(step).max(1),
            };
            let asked = (Repeat::Harmless, request);
            let context = self
                .call_within(step + WAIT_SLACK, asked, async |mut api, r| {
                    api.wait_context(r).await
                })
                .await?;
            if has_ended(context.state()) {
                return Ok(context);
            }
            if limit.is_some_and(|limit| started.elapsed() >= limit) {
                return Err(Error::NotEnded {
                    state: word(context.state()),
                    id: context.id,
                });
            }
        }
    }
}

/// Whether nothing more will happen to a context in this state, unless somebody has it run again.
#[must_use]
pub fn has_ended(state: v1::ContextState) -> bool {
    state_from_wire(state.into())
        .ok()
        .flatten()
        .is_some_and(|state| state.is_settled())
}

fn word(state: v1::ContextState) -> &'static str {
    let state = state_from_wire(state.into()).ok().flatten();
    state.map_or("unknown", |state| state.as_str())
}
