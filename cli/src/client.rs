//! The connection of the client commands to a tracker.

use std::time::Duration;

use tickwheel_core::Durability;
use tickwheel_proto::DURABILITY_HEADER;
use tickwheel_proto::v1;
use tickwheel_proto::v1::scheduler_service_client::SchedulerServiceClient;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

use crate::failure::Failure;

/// The API as the client commands use it.
pub(crate) type Api = SchedulerServiceClient<Channel>;

/// How long a call may take when the user gives no `--timeout`.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// One `WaitContext` call waits at most this long at the tracker; longer waits are several calls.
const WAIT_STEP: Duration = Duration::from_secs(60);

/// A ledger of 100,000 records or a page of contexts with bodies is larger than the default of 4 MiB.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A connected client; each call has its deadline.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    api: Api,
    timeout: Option<Duration>,
    durability: Option<Durability>,
}

impl Client {
    /// Connects to a tracker.
    ///
    /// # Errors
    /// Usage, when `server` is no URL; unavailable, when nobody answers there.
    pub(crate) async fn connect(server: &str, timeout: Option<Duration>) -> Result<Self, Failure> {
        let endpoint = Endpoint::from_shared(server.to_owned())
            .ok()
            .filter(|e| e.uri().scheme().is_some() && e.uri().host().is_some())
            .ok_or_else(|| {
                Failure::usage(format!(
                    "--server {server}: must be a URL such as http://127.0.0.1:7400"
                ))
            })?
            .connect_timeout(timeout.unwrap_or(CALL_TIMEOUT).min(Duration::from_secs(5)))
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5));
        let channel = endpoint.connect().await.map_err(|e| {
            Failure::unavailable(format!(
                "no tracker answers at {server}: {}\nis one running? `tickwheel dev` starts one; `--server URL` names another",
                root_cause(&e)
            ))
        })?;
        Ok(Self {
            api: Api::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX),
            timeout,
            durability: None,
        })
    }

    /// The same, whose writes are confirmed when they have come as far as this.
    #[must_use]
    pub(crate) fn durable(self, durability: Option<Durability>) -> Self {
        Self { durability, ..self }
    }

    /// One call: `client.call(request, async |mut api, r| api.get_job(r).await)`.
    pub(crate) async fn call<Q, A>(
        &self,
        message: Q,
        method: impl AsyncFnOnce(Api, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Failure> {
        self.call_within(self.timeout.unwrap_or(CALL_TIMEOUT), message, method)
            .await
    }

    async fn call_within<Q, A>(
        &self,
        limit: Duration,
        message: Q,
        method: impl AsyncFnOnce(Api, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Failure> {
        let mut request = Request::new(message);
        request.set_timeout(limit);
        if let Some(mode) = self
            .durability
            .and_then(|mode| mode.to_string().parse().ok())
        {
            request.metadata_mut().insert(DURABILITY_HEADER, mode);
        }
        let answer = method(self.api.clone(), request).await?;
        Ok(answer.into_inner())
    }

    /// Waits until the context has ended, or the `--timeout` of the user has passed.
    ///
    /// # Errors
    /// Unavailable, when it has not ended in time.
    pub(crate) async fn wait(&self, id: &str) -> Result<v1::Context, Failure> {
        let started = tokio::time::Instant::now();
        loop {
            let left = self.timeout.map(|t| t.saturating_sub(started.elapsed()));
            let step = left.unwrap_or(WAIT_STEP).min(WAIT_STEP);
            let request = v1::WaitContextRequest {
                id: id.to_owned(),
                // 0 would mean the tracker's own default.
                timeout_ms: u64::try_from(step.as_millis()).unwrap_or(1).max(1),
            };
            let context = self
                .call_within(step + CALL_TIMEOUT, request, async |mut api, r| {
                    api.wait_context(r).await
                })
                .await?;
            if ended(context.state()) {
                return Ok(context);
            }
            if self.timeout.is_some_and(|t| started.elapsed() >= t) {
                return Err(Failure::unavailable(format!(
                    "{id} has not ended in time; it is {}",
                    crate::views::context_state_word(context.state())
                )));
            }
        }
    }
}

/// Whether nothing more will happen to a context in this state.
pub(crate) fn ended(state: v1::ContextState) -> bool {
    match state {
        v1::ContextState::Succeeded
        | v1::ContextState::Failed
        | v1::ContextState::TimedOut
        | v1::ContextState::Cancelled
        | v1::ContextState::Expired => true,
        v1::ContextState::Unspecified
        | v1::ContextState::Scheduled
        | v1::ContextState::Retrying
        | v1::ContextState::Ready
        | v1::ContextState::Queued
        | v1::ContextState::Running
        | v1::ContextState::Fanned => false,
    }
}

/// The innermost cause says what happened; the outer ones say "transport error".
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    #[tokio::test]
    async fn a_server_that_is_no_url_is_wrong_usage() {
        for server in ["", "not a url", "127.0.0.1"] {
            let failure = Client::connect(server, None).await.unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage, "{server:?}: {failure}");
        }
    }

    #[tokio::test]
    async fn nobody_listening_is_unavailable_and_says_what_to_do() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let failure = Client::connect(&server, None).await.unwrap_err();
        assert_eq!(failure.exit(), Exit::Unavailable);
        assert!(failure.to_string().contains("tickwheel dev"), "{failure}");
    }
}
