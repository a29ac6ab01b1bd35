//! One call: its deadline, its durability, and what is tried again.

use std::time::Duration;

use tickwheel_core::Durability;
use tickwheel_proto::DURABILITY_HEADER;
use tickwheel_proto::stranger::knows_no_grpc;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::{Code, Request, Response, Status};

use crate::endpoints::{Api, Cause, Endpoints, advised, is_unsent, pause, with_stranger};
use crate::error::Error;

/// How long a call that fails may take longer than its time-out, to say who answers in the place of a tracker.
const NAMING: Duration = Duration::from_millis(300);

/// Whether a call that may have been executed is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// A second time it changes nothing more: it is made again until its deadline.
    Harmless,
    /// Only when no tracker has seen it.
    Unsent,
}

/// Calls the trackers of a cluster. Cloning is cheap, and clones share their connections.
///
/// Dropping the future of a call gives up waiting for the answer; what the call asks for may happen all the same.
#[derive(Debug, Clone)]
pub struct Client {
    endpoints: Endpoints,
    settings: Settings,
}

/// What holds for each call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// In all, however often it is tried.
    pub(crate) timeout: Duration,
    pub(crate) durability: Option<Durability>,
    pub(crate) tries: u32,
}

impl Client {
    pub(crate) fn new(endpoints: Endpoints, settings: Settings) -> Self {
        Self {
            endpoints,
            settings,
        }
    }

    /// The same, whose writes are confirmed when they have come as far as this.
    #[must_use]
    pub fn durable(&self, durability: Durability) -> Self {
        let settings = Settings {
            durability: Some(durability),
            ..self.settings
        };
        Self::new(self.endpoints.clone(), settings)
    }

    /// The generated client of the tracker that calls go to now, for whatever has no method here. It has no deadline, and nothing is tried
    /// again.
    ///
    /// # Errors
    /// Never, for a client that has trackers.
    pub fn api(&self) -> Result<Api, Error> {
        let (_, api) = self.endpoints.present().ok_or_else(|| self.nobody())?;
        Ok(api)
    }

    /// One call: `client.call(Repeat::Harmless, request, async |mut api, r| api.get_job(r).await)`.
    ///
    /// # Errors
    /// [`Error::Refused`] as the tracker says, [`Error::Unavailable`] when none answered within the time-out of a call.
    pub async fn call<Q: Clone, A>(
        &self,
        repeat: Repeat,
        message: Q,
        method: impl AsyncFn(Api, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Error> {
        self.call_within(self.settings.timeout, (repeat, message), method)
            .await
    }

    /// The same with a time-out of its own.
    pub(crate) async fn call_within<Q: Clone, A>(
        &self,
        limit: Duration,
        (repeat, message): (Repeat, Q),
        method: impl AsyncFn(Api, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Error> {
        let until = Instant::now() + limit;
        let mut tries: u32 = 0;
        loop {
            let (at, api) = self.endpoints.present().ok_or_else(|| self.nobody())?;
            let left = until.saturating_duration_since(Instant::now());
            let request = self.request(message.clone(), left);
            let Ok(answer) = timeout_at(until, method(api, request)).await else {
                self.endpoints.leave(at);
                return Err(Error::Unavailable {
                    urls: self.endpoints.urls(),
                    cause: "no answer in time".to_owned(),
                    unsent: false,
                });
            };
            let status = match answer {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => status,
            };
            let unsent = is_unsent(&status);
            let is_stranger = knows_no_grpc(status.message()).is_some();
            if !(unsent || is_stranger || is_lost(&status)) {
                return Err(status.into());
            }
            self.endpoints.leave(at);
            tries += 1;
            let again = unsent || repeat == Repeat::Harmless;
            let each = u32::try_from(self.endpoints.len()).unwrap_or(u32::MAX);
            // The next one at once; once all were asked, with a pause.
            let wait = match tries % each {
                0 => pause(tries / each - 1),
                _ => Duration::ZERO,
            };
            if !again || tries >= self.settings.tries || Instant::now() + wait >= until {
                let by = until.max(Instant::now() + NAMING);
                return Err(self.unavailable(&status, self.endpoints.url(at), by).await);
            }
            sleep(wait).await;
        }
    }

    fn request<Q>(&self, message: Q, left: Duration) -> Request<Q> {
        let mut request = Request::new(message);
        request.set_timeout(left);
        let mode = self
            .settings
            .durability
            .and_then(|mode| mode.to_string().parse().ok());
        if let Some(mode) = mode {
            request.metadata_mut().insert(DURABILITY_HEADER, mode);
        }
        request
    }

    /// What a tracker said in words is passed on; a broken connection is told as such.
    async fn unavailable(&self, status: &Status, url: &str, by: Instant) -> Error {
        if !status.details().is_empty() {
            return status.clone().into();
        }
        let cause = match std::error::Error::source(status) {
            Some(source) => match advised(source) {
                Cause::Advised(cause) => cause,
                Cause::Other(cause) => {
                    let named = timeout_at(by, with_stranger(url, cause.clone())).await;
                    named.unwrap_or(cause)
                }
            },
            None => match knows_no_grpc(status.message()) {
                Some(stranger) => format!("{} ({stranger})", status.message()),
                None => status.message().to_owned(),
            },
        };
        Error::Unavailable {
            urls: self.endpoints.urls(),
            cause,
            unsent: is_unsent(status),
        }
    }

    fn nobody(&self) -> Error {
        Error::Unavailable {
            urls: self.endpoints.urls(),
            cause: "there are none".to_owned(),
            unsent: true,
        }
    }
}

/// Whether the tracker, its store or the way to it was gone, so that nobody knows what became of the call.
fn is_lost(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable => true,
        // A connection that breaks in the middle of an answer.
        Code::Unknown | Code::Cancelled | Code::Internal => {
            std::error::Error::source(status).is_some()
        }
        Code::Ok
        | Code::InvalidArgument
        | Code::DeadlineExceeded
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss
        | Code::Unauthenticated => false,
    }
}
