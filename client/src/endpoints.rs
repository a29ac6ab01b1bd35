//! The trackers that a client knows, and which of them it speaks with.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tickwheel_proto::AUTHORIZATION_HEADER;
use tickwheel_proto::credential::Authorization;
use tickwheel_proto::stranger::{in_place_of_tracker, mistake};
use tickwheel_proto::trust::{Trust, Unfit, advice, closed};
use tickwheel_proto::v1::scheduler_service_client::SchedulerServiceClient;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{ConnectError, Request, Status};

use crate::error::Error;

/// Trackers of one client.
pub(crate) const URLS_MAX: usize = 64;
/// A ledger of 100,000 records, or a page of contexts with bodies, is larger than the default of 4 MiB.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// What a client says it is, in the metadata of its calls.
const AGENT: &str = concat!("tickwheel-rust/", env!("CARGO_PKG_VERSION"));
/// A tracker that says nothing for this long is asked for a sign.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two rounds through all trackers, drawn from 0 to a ceiling that doubles.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// The generated client of one tracker; its calls show the token of the client.
pub type Api = SchedulerServiceClient<InterceptedService<Channel, Shows>>;

/// What is shown with each call: a token, or nothing.
#[derive(Clone, Default)]
pub struct Shows(pub(crate) Option<Authorization>);

impl std::fmt::Debug for Shows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() {
            "a token"
        } else {
            "nothing"
        })
    }
}

impl Interceptor for Shows {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(shown) = &self.0 {
            request
                .metadata_mut()
                .insert(AUTHORIZATION_HEADER, shown.clone());
        }
        Ok(request)
    }
}

/// Shared by all clones of a client.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    all: Arc<[(String, Endpoint, Api)]>,
    present: Arc<AtomicUsize>,
    shows: Shows,
}

impl Endpoints {
    /// Connections that are made with their first call, and again after each failure.
    pub(crate) fn new(
        urls: &[String],
        connect: Duration,
        (shows, trust): (Shows, &Trust),
    ) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Setting {
            setting: "urls",
            reason,
        };
        if urls.is_empty() || urls.len() > URLS_MAX {
            let given = urls.len();
            return Err(wrong(format!(
                "1 to {URLS_MAX} trackers, {given} are given"
            )));
        }
        let all = urls.iter().map(|url| {
            let endpoint = Endpoint::from_shared(url.clone())
                .ok()
                .filter(|one| mistake(url).is_none() && one.uri().host().is_some())
                .ok_or_else(|| {
                    let mistake = mistake(url).unwrap_or_else(|| "it is no URL".to_owned());
                    wrong(format!(
                        "{url:?} must be a URL such as http://127.0.0.1:7400: {mistake}"
                    ))
                })?
                .user_agent(AGENT)
                .map_err(|error| wrong(error.to_string()))?
                .connect_timeout(connect)
                .tcp_nodelay(true)
                .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
                .keep_alive_timeout(KEEPALIVE_TIMEOUT);
            let secured = trust.secured(endpoint);
            let endpoint =
                secured.map_err(|Unfit { setting, reason }| Error::Setting { setting, reason })?;
            let api = api(endpoint.connect_lazy(), shows.clone());
            Ok((url.clone(), endpoint, api))
        });
        Ok(Self {
            all: all.collect::<Result<_, Error>>()?,
            present: Arc::new(AtomicUsize::new(0)),
            shows,
        })
    }

    /// Connects to the first that answers, and speaks with it from now on.
    pub(crate) async fn connect(mut self) -> Result<Self, Error> {
        let mut causes = Vec::new();
        let mut found = None;
        for (at, (url, endpoint, _)) in self.all.iter().enumerate() {
            match endpoint.connect().await {
                Ok(channel) => {
                    found = Some((at, channel));
                    break;
                }
                Err(error) => causes.push((url, advised(&error))),
            }
        }
        let Some((at, channel)) = found else {
            // Only now: a caller that has another tracker to go to does not wait for what a stranger says.
            let mut named = Vec::new();
            for (url, cause) in causes {
                let cause = match cause {
                    Cause::Advised(cause) => cause,
                    Cause::Other(cause) => with_stranger(url, cause).await,
                };
                named.push(match self.all.len() {
                    1 => cause,
                    _ => format!("{url}: {cause}"),
                });
            }
            return Err(Error::Unavailable {
                urls: self.urls(),
                cause: named.join(", "),
                unsent: true,
            });
        };
        let mut all = self.all.to_vec();
        if let Some((_, _, connected)) = all.get_mut(at) {
            *connected = api(channel, self.shows.clone());
        }
        self.all = all.into();
        self.present.store(at, Ordering::Relaxed);
        Ok(self)
    }

    /// The one that calls go to now, and its number.
    pub(crate) fn present(&self) -> Option<(usize, Api)> {
        let at = self.present.load(Ordering::Relaxed) % self.all.len().max(1);
        self.all.get(at).map(|(_, _, api)| (at, api.clone()))
    }

    /// From now on calls go to the one behind `at`, unless somebody moved on already.
    pub(crate) fn leave(&self, at: usize) {
        let next = (at + 1) % self.all.len().max(1);
        self.present
            .compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed)
            .ok();
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The URL of a tracker by its number.
    pub(crate) fn url(&self, at: usize) -> &str {
        self.all.get(at).map_or("", |(url, _, _)| url)
    }

    pub(crate) fn urls(&self) -> String {
        let urls: Vec<&str> = self.all.iter().map(|(url, _, _)| url.as_str()).collect();
        urls.join(", ")
    }
}

fn api(channel: Channel, shows: Shows) -> Api {
    SchedulerServiceClient::with_interceptor(channel, shows)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

/// Why a tracker was not reached.
pub(crate) enum Cause {
    /// With what to do about it.
    Advised(String),
    /// It may be that no tracker is there.
    Other(String),
}

/// The innermost cause of a failure; with what to do where it is one of TLS.
pub(crate) fn advised(error: &(dyn std::error::Error + 'static)) -> Cause {
    let cause = root_cause(error);
    match advice(error) {
        Some(advice) => Cause::Advised(format!("{cause}: {advice}")),
        None => Cause::Other(cause),
    }
}

/// The cause of a failure, and who answers at `url` where that is no tracker.
pub(crate) async fn with_stranger(url: &str, cause: String) -> String {
    match in_place_of_tracker(url).await {
        Some(stranger) => format!("{cause} ({stranger})"),
        None => match closed(url, &cause) {
            Some(reason) => format!("{cause}: {reason}"),
            None => cause,
        },
    }
}

/// The pause behind round number `round`, from 0.
pub(crate) fn pause(round: u32) -> Duration {
    let factor = 1_u32.checked_shl(round.min(16)).unwrap_or(u32::MAX);
    let ceiling = BACKOFF_MIN.saturating_mul(factor).min(BACKOFF_MAX);
    ceiling.mul_f64(fastrand::f64())
}

/// Whether the connection could not be made, so that the call was never sent.
pub(crate) fn is_unsent(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if error.is::<ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The innermost cause says what happened; the outer ones say "transport error".
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_their_bound() {
        for (round, ceiling) in [(0, 50), (1, 100), (5, 1_600), (6, 2_000), (40, 2_000)] {
            assert!(pause(round) <= Duration::from_millis(ceiling), "{round}");
        }
    }

    #[tokio::test]
    async fn what_is_no_url_is_refused_before_anything_is_called() {
        for urls in [
            &[][..],
            &[String::new()],
            &["127.0.0.1".to_owned()],
            &["not a url".to_owned()],
        ] {
            let error = Endpoints::new(urls, BACKOFF_MAX, (Shows::default(), &Trust::default()))
                .unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Setting {
                        setting: "urls",
                        ..
                    }
                ),
                "{urls:?}: {error}"
            );
        }
    }
}
