//! The settings of a client.

use std::time::Duration;

use tickwheel_core::Durability;

use crate::call::{Client, Settings};
use crate::endpoints::Endpoints;
use crate::error::Error;

/// How long a call takes at most, with everything that is tried again.
const TIMEOUT: Duration = Duration::from_secs(10);
/// One connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl Client {
    /// Connects to the first of these trackers that answers: URLs such as `http://127.0.0.1:7400`.
    ///
    /// # Errors
    /// As [`Builder::connect`].
    pub async fn connect<I>(urls: I) -> Result<Self, Error>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self::builder(urls).connect().await
    }

    /// The settings of a client of these trackers, 1 to 64.
    pub fn builder<I>(urls: I) -> Builder
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Builder::new(urls.into_iter().map(Into::into).collect())
    }
}

/// A client to be; made by [`Client::builder`].
#[derive(Debug, Clone)]
#[must_use = "a client is made by `connect` or `lazy`"]
pub struct Builder {
    urls: Vec<String>,
    connect_timeout: Duration,
    calls: Settings,
}

impl Builder {
    fn new(urls: Vec<String>) -> Self {
        Self {
            urls,
            connect_timeout: CONNECT_TIMEOUT,
            calls: Settings {
                timeout: TIMEOUT,
                durability: None,
                tries: u32::MAX,
            },
        }
    }

    /// How long a call may take in all, however often it is tried. Default: ten seconds. Waiting for an end has a limit of its own.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.calls.timeout = timeout;
        self
    }

    /// How long one connection to one tracker may take. Default: five seconds, and never more than a call.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How often a call is tried at most, 1 at least. Default: as often as its time-out lets it.
    pub fn tries(mut self, most: u32) -> Self {
        self.calls.tries = most;
        self
    }

    /// How far a write has come when it is confirmed. Default: what the trackers are configured to.
    pub fn durable(mut self, durability: Durability) -> Self {
        self.calls.durability = Some(durability);
        self
    }

    /// Connects to the first tracker that answers.
    ///
    /// # Errors
    /// [`Error::Setting`] for a URL that is none, [`Error::Unavailable`] when no tracker answers. Each is tried once.
    pub async fn connect(self) -> Result<Client, Error> {
        let endpoints = self.endpoints()?.connect().await?;
        Ok(Client::new(endpoints, self.calls))
    }

    /// A client that connects with its first call. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Setting`] for a URL that is none.
    pub fn lazy(self) -> Result<Client, Error> {
        Ok(Client::new(self.endpoints()?, self.calls))
    }

    fn endpoints(&self) -> Result<Endpoints, Error> {
        Endpoints::new(&self.urls, self.connect_timeout.min(self.calls.timeout))
    }
}
