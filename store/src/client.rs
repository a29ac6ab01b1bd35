//! The connection to Redis: how the client is set up, and the two things it is used for, calling scripts and hearing wake messages.
//!
//! Everything else of the client stays behind this file, so that another client costs this file only.

use std::sync::Arc;
use std::time::Duration;

use fred::clients::{Client, SubscriberClient};
use fred::interfaces::{ClientLike, EventInterface, LuaInterface, PubsubInterface};
use fred::types::config::{Config, ReconnectPolicy, TcpConfig};
use fred::types::scan::{ScanResult, Scanner};
use fred::types::{Builder, Key, Value};
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::mpsc;

use crate::error::Error;
use crate::script::Script;
use crate::stand_in::{self, StandIn};

/// No command waits longer. A frozen server would otherwise hold its callers for ever, as the client has no limit of its own.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(3);
/// Reconnecting starts at this delay and doubles up to [`RECONNECT_MAX`], without end.
const RECONNECT_MIN: Duration = Duration::from_millis(50);
const RECONNECT_MAX: Duration = Duration::from_secs(1);
/// Wake messages that wait for a slow tracker. A full channel drops the oldest: a look at every partition follows.
const MESSAGES_MAX: usize = 16_384;

/// A message of a sharded channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The channel and the text.
    Message(String, String),
    /// The connection is new, or messages were dropped: anything may have been missed.
    Gap,
}

/// A connection to one Redis, Sentinel group or Redis Cluster.
#[derive(Clone, Debug)]
pub struct Redis {
    client: Client,
    builder: Builder,
    clustered: bool,
    stand_in: Option<Arc<dyn StandIn>>,
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

impl Redis {
    /// A connection to something that is no server: a simulation. Only scripts can be called on it.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the client cannot be built.
    pub fn standing_in(stand_in: Arc<dyn StandIn>) -> Result<Self, Error> {
        let builder = Builder::default_centralized();
        let unusable = |error: fred::error::Error| Error::Unusable(error.details().to_owned());
        Ok(Self {
            client: builder.build().map_err(unusable)?,
            builder,
            clustered: false,
            stand_in: Some(stand_in),
        })
    }

    /// Connects to `url` (`redis://`, `rediss://`, `redis-cluster://`, `redis-sentinel://`, `redis+unix://`).
    ///
    /// # Errors
    /// [`Error::Unusable`] when the URL cannot be read; [`Error::Unavailable`] when no server answers within [`COMMAND_TIMEOUT`].
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let unusable = |error: fred::error::Error| {
            Error::Unusable(format!("redis url `{}`: {}", masked(url), error.details()))
        };
        let config = Config::from_url(url).map_err(unusable)?;
        let clustered = config.server.is_clustered();
        let mut builder = Builder::from_config(config);
        builder
            .with_performance_config(|performance| {
                performance.default_command_timeout = COMMAND_TIMEOUT;
            })
            .with_connection_config(|connection| {
                connection.connection_timeout = COMMAND_TIMEOUT;
                connection.internal_command_timeout = COMMAND_TIMEOUT;
                // A script that may have run is not sent again behind the caller's back.
                connection.max_command_attempts = 1;
                connection.unresponsive.max_timeout = Some(COMMAND_TIMEOUT * 2);
                connection.tcp = TcpConfig {
                    nodelay: Some(true),
                    ..TcpConfig::default()
                };
            })
            .set_policy(ReconnectPolicy::new_exponential(
                0,
                millis(RECONNECT_MIN),
                millis(RECONNECT_MAX),
                2,
            ));
        let client = builder.build().map_err(unusable)?;
        let started = tokio::time::timeout(COMMAND_TIMEOUT, client.init()).await;
        match started {
            Ok(Ok(_)) => Ok(Self {
                client,
                builder,
                clustered,
                stand_in: None,
            }),
            Ok(Err(error)) => Err(Error::Unavailable {
                reason: format!("`{}` does not answer: {}", masked(url), error.details()),
                source: Some(error),
            }),
            Err(_) => Err(Error::Unavailable {
                reason: format!(
                    "`{}` does not answer within {} s",
                    masked(url),
                    COMMAND_TIMEOUT.as_secs()
                ),
                source: None,
            }),
        }
    }

    /// Calls `script`, by its text where the server does not know it (a restart or a flush empties its cache), which makes it known.
    ///
    /// # Errors
    /// As sorted by [`Error`]. After [`Error::Unavailable`] the script may have run, or may run yet.
    pub(crate) async fn call(
        &self,
        script: &'static Script,
        keys: Vec<String>,
        args: Vec<Value>,
    ) -> Result<Value, Error> {
        let called = self.evalsha(script, keys.clone(), args.clone()).await;
        let error = match called {
            Ok(value) => return Ok(value),
            Err(error) if error.details().starts_with("NOSCRIPT") => {
                // With the text in the same command: a script that was loaded may be flushed before it is called.
                match self.eval(script, keys, args).await {
                    Ok(value) => return Ok(value),
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        Err(Error::from_redis(script.name(), error, |text| {
            script.locate(text)
        }))
    }

    async fn eval(
        &self,
        script: &'static Script,
        keys: Vec<String>,
        args: Vec<Value>,
    ) -> Result<Value, fred::error::Error> {
        match &self.stand_in {
            None => self.client.eval(script.text(), keys, args).await,
            Some(stand_in) => stand_in::eval(stand_in.as_ref(), script, keys, args).await,
        }
    }

    async fn evalsha(
        &self,
        script: &'static Script,
        keys: Vec<String>,
        args: Vec<Value>,
    ) -> Result<Value, fred::error::Error> {
        match &self.stand_in {
            None => self.client.evalsha(script.sha1(), keys, args).await,
            Some(stand_in) => stand_in::evalsha(stand_in.as_ref(), script, keys, args).await,
        }
    }

    /// Makes `script` known to every primary.
    pub(crate) async fn load(&self, script: &'static Script) -> Result<(), Error> {
        let loaded: Result<Value, _> = if let Some(stand_in) = &self.stand_in {
            stand_in::load(stand_in.as_ref(), script).await
        } else if self.clustered {
            self.client.script_load_cluster(script.text()).await
        } else {
            self.client.script_load(script.text()).await
        };
        loaded
            .map(drop)
            .map_err(|error| Error::from_redis(script.name(), error, |text| script.locate(text)))
    }

    /// A section of the server's `INFO`, as its lines `name:value`.
    pub(crate) async fn info(&self, section: fred::types::InfoKind) -> Result<String, Error> {
        self.client
            .info(Some(section))
            .await
            .map_err(|error| Error::from_redis("info", error, ToOwned::to_owned))
    }

    /// Every key that matches `pattern`, page by page, on every primary. One that is there from the first page to the last comes at least
    /// once.
    pub(crate) fn scan(
        &self,
        pattern: String,
        count: u32,
    ) -> BoxStream<'_, Result<Vec<String>, Error>> {
        let page = |found: Result<ScanResult, fred::error::Error>| {
            let mut found =
                found.map_err(|error| Error::from_redis("scan", error, ToOwned::to_owned))?;
            let keys = found.take_results().unwrap_or_default();
            found.next();
            let text = |key: &Key| String::from_utf8_lossy(key.as_bytes()).into_owned();
            Ok(keys.iter().map(text).collect())
        };
        if self.clustered {
            let pages = self.client.scan_cluster(pattern, Some(count), None);
            pages.map(page).boxed()
        } else {
            let pages = self.client.scan(pattern, Some(count), None);
            pages.map(page).boxed()
        }
    }

    /// What stands in for a server, if anything does.
    pub(crate) fn stand_in(&self) -> Option<&dyn StandIn> {
        self.stand_in.as_deref()
    }

    /// The client, for the plain readers of this crate.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Hears the sharded channels on a connection of its own until the receiver is dropped.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the connection or the subscription fails at the start; later failures are ridden out and
    /// told as [`Heard::Gap`].
    pub async fn subscribe(&self, channels: Vec<String>) -> Result<mpsc::Receiver<Heard>, Error> {
        let sort = |error| Error::from_redis("ssubscribe", error, ToOwned::to_owned);
        let subscriber: SubscriberClient = self.builder.build_subscriber_client().map_err(sort)?;
        let mut messages = subscriber.message_rx();
        let mut reconnects = subscriber.reconnect_rx();
        subscriber.init().await.map_err(sort)?;
        for channel in channels {
            subscriber.ssubscribe(channel).await.map_err(sort)?;
        }
        let manage = subscriber.manage_subscriptions();
        let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
        tokio::spawn(async move {
            loop {
                let heard = tokio::select! {
                    message = messages.recv() => match message {
                        Ok(message) => Heard::Message(message.channel.to_string(), message.value.into_string().unwrap_or_default()),
                        Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => Heard::Gap,
                        Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
                    },
                    reconnect = reconnects.recv() => match reconnect {
                        Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => Heard::Gap,
                        Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
                    },
                    () = sender.closed() => break,
                };
                if sender.send(heard).await.is_err() {
                    break;
                }
            }
            manage.abort();
            // The connection ends with its last user; an error on the way out changes nothing.
            subscriber.quit().await.ok();
        });
        Ok(receiver)
    }
}

/// The URL without its password.
fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}"),
        None => url.to_owned(),
    }
}
