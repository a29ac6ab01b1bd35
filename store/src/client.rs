//! The connection to Redis: how the client is set up, and how scripts are called.
//!
//! Everything else of the client stays in this folder, so that another client costs this folder only: `hear` takes in wake messages,
//! `confirm` waits for replicas and disks, `fence` holds calls back while it is unclear whose data answer, `nodes` asks single servers.

mod address;
mod calling;
mod confirm;
mod fence;
mod hear;
mod info;
mod nodes;
mod room;
mod setup;
mod tls;

use std::sync::Arc;

use fred::clients::{Client, WithOptions};
use fred::interfaces::ClientLike;
use fred::types::config::{Config, Server, ServerConfig};
use fred::types::{Builder, ClusterHash, CustomCommand, FromValue, Value};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::error::Error;
use crate::script::Script;
use crate::transport::{self, Transport};
use crate::words::plain;

pub(crate) use calling::{Ways, has_no_functions, is_unknown, primary_at};
use confirm::Confirmer;
pub(crate) use confirm::{Fsync, Promise};
pub(crate) use fence::Fence;
pub use hear::{Heard, Hearing, WAKE_DEAF};
pub(crate) use info::{field, primary_of};
pub(crate) use nodes::Node;
pub(crate) use room::Memory;
pub use room::MemoryUse;
pub(crate) use setup::sorted;
pub use setup::{COMMAND_TIMEOUT, RIDE_OUT, Topology};
use setup::{builder, repeatable};
use tls::Live;
pub use tls::Tls;

/// The metric of script calls: seconds as the caller sees them, by the script's name.
pub const SCRIPT_SECONDS: &str = "tickwheel_script_seconds";

/// A connection to one Redis, Sentinel group or Redis Cluster.
#[derive(Clone, Debug)]
pub struct Redis {
    client: Client,
    builder: Builder,
    topology: Topology,
    fence: Arc<Fence>,
    fsync: Arc<confirm::FsyncCell>,
    confirmer: Arc<OnceCell<Confirmer>>,
    room: Arc<room::RoomCell>,
    promise: Option<Promise>,
    ways: Arc<Ways>,
    transport: Option<Arc<dyn Transport>>,
}

impl Redis {
    /// A connection to something that is no server: a simulation. Only scripts can be called on it.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the client cannot be built.
    pub fn with_transport(transport: Arc<dyn Transport>) -> Result<Self, Error> {
        let builder = Builder::default_centralized();
        let unusable = |error: fred::error::Error| Error::Unusable(plain(error.details()));
        Ok(Self {
            client: builder.build().map_err(unusable)?,
            builder,
            topology: Topology::Single,
            fence: Arc::default(),
            fsync: Arc::default(),
            room: Arc::default(),
            confirmer: Arc::default(),
            promise: None,
            ways: Arc::default(),
            transport: Some(transport),
        })
    }

    /// Connects to `url` (`redis://`, `rediss://`, `redis-cluster://`, `redis-sentinel://`); over TLS with the authorities of this system.
    ///
    /// # Errors
    /// As [`Redis::connect_with`].
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::connect_with(url, &Tls::default()).await
    }

    /// Connects to `url`, with these files where it has TLS (`rediss://`, `rediss-cluster://`, `rediss-sentinel://`). They are looked at again
    /// while this, or a clone of it, is there; what is new in them is used for connections from then on.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the URL cannot be read, or TLS cannot be spoken with these files, or with this server;
    /// [`Error::Unavailable`] when no server answers within [`COMMAND_TIMEOUT`].
    pub async fn connect_with(url: &str, tls: &Tls) -> Result<Self, Error> {
        let shown = masked(url);
        let wrong = |why: &str| Error::Unusable(format!("redis url `{shown}`: {why}"));
        if let Some(mistake) = address::mistake(url) {
            return Err(wrong(&mistake));
        }
        let unusable = |error: fred::error::Error| wrong(&plain(error.details()));
        let live = Live::start(tls, &shown);
        let live = live.map_err(|violations| Error::Unusable(violations.to_string()))?;
        let mut config = Config::from_url(&address::without_tls(url)).map_err(unusable)?;
        if let Some(live) = &live {
            config.tls = Some(live.config().map_err(|why| wrong(&why))?.into());
        }
        let topology = match config.server {
            ServerConfig::Clustered { .. } => Topology::Cluster,
            ServerConfig::Sentinel { .. } => Topology::Sentinel,
            ServerConfig::Centralized { .. } => Topology::Single,
        };
        let servers = servers(&config.server);
        let builder = builder(config, COMMAND_TIMEOUT);
        let client = builder.build().map_err(unusable)?;
        let started = tokio::time::timeout(COMMAND_TIMEOUT, client.init()).await;
        let error = match started {
            Ok(Ok(_)) => {
                if let Some(live) = &live {
                    tls::renew(live);
                }
                return Ok(Self {
                    client,
                    builder,
                    topology,
                    fence: Arc::default(),
                    fsync: Arc::default(),
                    room: Arc::default(),
                    confirmer: Arc::default(),
                    promise: None,
                    ways: Arc::default(),
                    transport: None,
                });
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        if let Some(live) = &live
            && let Some(violation) = tls::why(live, &shown, &servers).await
        {
            return Err(Error::Unusable(violation.to_string()));
        }
        Err(silent(url, topology, error).await)
    }

    /// What the servers form together.
    #[must_use]
    pub fn topology(&self) -> Topology {
        self.topology
    }

    /// Calls `script`, by its text where the server does not know it (a restart or a flush empties its cache), which makes it known. When
    /// this handle promises more than the memory of the primary, what the script wrote has come that far when this returns.
    ///
    /// # Errors
    /// As sorted by [`Error`]. After [`Error::Unavailable`] the script may have run, or may run yet; after [`Error::Unconfirmed`] it has.
    pub(crate) async fn call(
        &self,
        script: &'static Script,
        keys: Vec<String>,
        args: Vec<Value>,
    ) -> Result<Value, Error> {
        let (value, confirmed) = self.call_kept(script, keys, args).await?;
        confirmed.map(|()| value)
    }

    /// The same, with the reply also where what was promised is not known to be true: [`Error::Unconfirmed`] stands behind it then.
    ///
    /// # Errors
    /// As [`Redis::call`].
    pub(crate) async fn call_kept(
        &self,
        script: &'static Script,
        keys: Vec<String>,
        args: Vec<Value>,
    ) -> Result<(Value, Result<(), Error>), Error> {
        self.fence.pass().await?;
        let began = Instant::now();
        let called = self.call_measured(script, keys, args).await;
        metrics::histogram!(SCRIPT_SECONDS, "script" => script.name()).record(began.elapsed());
        called
    }

    async fn call_measured(
        &self,
        script: &'static Script,
        keys: Vec<String>,
        args: Vec<Value>,
    ) -> Result<(Value, Result<(), Error>), Error> {
        if let Some(transport) = &self.transport {
            let value = transport::call(transport.as_ref(), &self.ways, script, keys, args).await?;
            return Ok((value, Ok(())));
        }
        match self.promise {
            Some(promise) if script.writes() && self.needs_waiting(promise) => {
                let confirmed = async {
                    let confirmer = self.confirmer().await?;
                    confirmer.call(script, (keys, args), promise).await
                };
                Box::pin(confirmed).await
            }
            Some(_) | None => {
                let value = calling::run(
                    &self.client,
                    (self.topology, &self.ways),
                    script,
                    (keys, args),
                )
                .await?;
                Ok((value, Ok(())))
            }
        }
    }

    /// Calls `script` past the fence: it is what opens the fence.
    pub(crate) async fn call_unfenced(
        &self,
        script: &'static Script,
        keys: Vec<String>,
        args: Vec<Value>,
    ) -> Result<Value, Error> {
        match &self.transport {
            None => {
                calling::run(
                    &self.client,
                    (self.topology, &self.ways),
                    script,
                    (keys, args),
                )
                .await
            }
            Some(transport) => {
                transport::call(transport.as_ref(), &self.ways, script, keys, args).await
            }
        }
    }

    /// Runs a plain command that reads one key, its first argument.
    ///
    /// # Errors
    /// As sorted by [`Error`].
    pub(crate) async fn read<R: FromValue>(
        &self,
        command: &'static str,
        args: Vec<String>,
    ) -> Result<R, Error> {
        let read: Result<Value, _> = match &self.transport {
            Some(transport) => transport::read(transport.as_ref(), command, args).await,
            None => {
                let command = CustomCommand::new_static(command, ClusterHash::FirstKey, false);
                self.plain().custom(command, args).await
            }
        };
        let sort = |error| Error::from_redis(command, error, ToOwned::to_owned);
        read.and_then(|value| value.convert()).map_err(sort)
    }

    /// What stands in for a server, if anything does.
    pub(crate) fn transport(&self) -> Option<&dyn Transport> {
        self.transport.as_deref()
    }

    /// The client itself, for what it tells of its connections.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The client for plain commands of one key, which may be repeated.
    pub(crate) fn plain(&self) -> WithOptions<Client> {
        self.client.with_options(&repeatable())
    }

    /// What holds calls back.
    pub(crate) fn fence(&self) -> &Arc<Fence> {
        &self.fence
    }
}

/// Why nobody answers, with what to do where that can be told.
async fn silent(url: &str, topology: Topology, error: Option<fred::error::Error>) -> Error {
    let why = match &error {
        Some(error) => format!(": {}", plain(error.details())),
        None => format!(" within {} s", COMMAND_TIMEOUT.as_secs()),
    };
    let hint = address::what_to_do(url, topology, &why).await;
    Error::Unavailable {
        reason: format!("`{}` does not answer{why}{hint}", masked(url)),
        source: error,
    }
}

/// Host and port of each server of a configuration.
fn servers(config: &ServerConfig) -> Vec<(String, u16)> {
    let of = |server: Server| (server.host.to_string(), server.port);
    config.hosts().into_iter().map(of).collect()
}

/// The URL without its password.
fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.rsplit('@').next().unwrap_or_default().to_owned();
    };
    // The password of sentinels stands in the query.
    let rest = rest.split('?').next().unwrap_or_default();
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}"),
        None => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(masked("redis://u:p@h:1"), "redis://***@h:1");
        assert_eq!(masked("redis://h:1"), "redis://h:1");
        let sentinel = "redis-sentinel://h:1?sentinelServiceName=main&sentinelPassword=p";
        assert_eq!(masked(sentinel), "redis-sentinel://h:1");
    }
}
