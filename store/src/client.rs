//! The connection to Redis: how the client is set up, and how scripts are called.
//!
//! Everything else of the client stays in this folder, so that another client costs this folder only: `hear` takes in wake messages,
//! `confirm` waits for replicas and disks, `fence` holds calls back while it is unclear whose data answer, `nodes` asks single servers.

mod calling;
mod confirm;
mod fence;
mod hear;
mod nodes;
mod room;

use std::sync::Arc;
use std::time::Duration;

use fred::clients::{Client, WithOptions};
use fred::interfaces::ClientLike;
use fred::types::config::{Config, Options, ReconnectPolicy, ServerConfig, TcpConfig};
use fred::types::{Builder, ClusterHash, CustomCommand, FromValue, Value};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::error::Error;
use crate::script::Script;
use crate::stand_in::{self, StandIn};

pub(crate) use calling::{Ways, has_no_functions, is_unknown};
use confirm::Confirmer;
pub(crate) use confirm::{Fsync, Promise};
pub(crate) use fence::Fence;
pub use hear::{Heard, Hearing, WAKE_DEAF};
pub(crate) use nodes::Node;
pub(crate) use room::Memory;

/// No command waits longer. A frozen server would otherwise hold its callers for ever, as the client has no limit of its own.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(3);
/// A server that says that it cannot now, and certainly did nothing, is asked again for this long: a slot that moves, a node that loads
/// its data, another client's long script.
pub const RIDE_OUT: Duration = Duration::from_secs(5);
/// Between two of these questions, at first and at most.
const ASK_AGAIN_MIN: Duration = Duration::from_millis(5);
const ASK_AGAIN_MAX: Duration = Duration::from_millis(200);
/// Reconnecting starts at this delay and doubles up to [`RECONNECT_MAX`], without end.
const RECONNECT_MIN: Duration = Duration::from_millis(50);
const RECONNECT_MAX: Duration = Duration::from_secs(1);

/// The metric of script calls: seconds as the caller sees them, by the script's name.
pub const SCRIPT_SECONDS: &str = "tickwheel_script_seconds";

/// What the servers form together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// One server, with or without replicas.
    Single,
    /// A primary that sentinels name.
    Sentinel,
    /// A Redis Cluster.
    Cluster,
}

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
            topology: Topology::Single,
            fence: Arc::default(),
            fsync: Arc::default(),
            room: Arc::default(),
            confirmer: Arc::default(),
            promise: None,
            ways: Arc::default(),
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
        let topology = match config.server {
            ServerConfig::Clustered { .. } => Topology::Cluster,
            ServerConfig::Sentinel { .. } => Topology::Sentinel,
            ServerConfig::Centralized { .. } => Topology::Single,
        };
        let builder = builder(config, COMMAND_TIMEOUT);
        let client = builder.build().map_err(unusable)?;
        let started = tokio::time::timeout(COMMAND_TIMEOUT, client.init()).await;
        match started {
            Ok(Ok(_)) => Ok(Self {
                client,
                builder,
                topology,
                fence: Arc::default(),
                fsync: Arc::default(),
                room: Arc::default(),
                confirmer: Arc::default(),
                promise: None,
                ways: Arc::default(),
                stand_in: None,
            }),
            Ok(Err(error)) => Err(Error::Unavailable {
                reason: format!(
                    "`{}` does not answer: {}{}",
                    masked(url),
                    error.details(),
                    what_to_do(topology, error.details())
                ),
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
        if let Some(stand_in) = &self.stand_in {
            let value = stand_in::call(stand_in.as_ref(), &self.ways, script, keys, args).await?;
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
        match &self.stand_in {
            None => {
                calling::run(
                    &self.client,
                    (self.topology, &self.ways),
                    script,
                    (keys, args),
                )
                .await
            }
            Some(stand_in) => {
                stand_in::call(stand_in.as_ref(), &self.ways, script, keys, args).await
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
        let read: Result<Value, _> = match &self.stand_in {
            Some(stand_in) => stand_in::read(stand_in.as_ref(), command, args).await,
            None => {
                let command = CustomCommand::new_static(command, ClusterHash::FirstKey, false);
                self.plain().custom(command, args).await
            }
        };
        let sort = |error| Error::from_redis(command, error, ToOwned::to_owned);
        read.and_then(|value| value.convert()).map_err(sort)
    }

    /// What stands in for a server, if anything does.
    pub(crate) fn stand_in(&self) -> Option<&dyn StandIn> {
        self.stand_in.as_deref()
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

/// For commands that may be repeated: they follow their keys, and are sent again when a connection breaks.
fn repeatable() -> Options {
    Options {
        max_attempts: Some(3),
        max_redirections: Some(5),
        ..Options::default()
    }
}

/// How every client of this program is set up; `patience` is how long a command may take.
fn builder(config: Config, patience: Duration) -> Builder {
    let mut builder = Builder::from_config(config);
    builder
        .with_performance_config(|performance| {
            performance.default_command_timeout = patience;
        })
        .with_connection_config(|connection| {
            connection.connection_timeout = COMMAND_TIMEOUT;
            connection.internal_command_timeout = COMMAND_TIMEOUT;
            // A script that may have run is not sent again behind the caller's back. The client counts a redirection as an attempt,
            // so it tells of them, having learnt where the slot is now, and `run` asks again.
            connection.max_command_attempts = 1;
            connection.max_redirections = 0;
            connection.unresponsive.max_timeout = Some(patience * 2);
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
    builder
}

/// A key that no server has, in the slot of `key`.
///
/// While a slot moves between nodes, each node has some of its keys, and a script would see those only: a running context would seem
/// gone. A call whose keys are not all on one side is refused with TRYAGAIN before it begins, so a key that is on neither side makes the
/// partition stand still until its slot has arrived, which takes milliseconds.
fn never_there(key: &str) -> Option<String> {
    Some(format!("{}}}:~", key.split_once('}')?.0))
}

pub(crate) fn sorted(script: &'static Script, error: fred::error::Error) -> Error {
    Error::from_redis(script.name(), error, |text| script.locate(text))
}

/// The URL without its password.
fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    // The password of sentinels stands in the query.
    let rest = rest.split('?').next().unwrap_or_default();
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}"),
        None => format!("{scheme}://{rest}"),
    }
}

/// A hint behind the reason of a server that cannot be reached.
fn what_to_do(topology: Topology, details: &str) -> &'static str {
    if topology == Topology::Cluster && details.contains("lookup address") {
        return " (a node that never met another does not know its own address, and names none: set `cluster-announce-ip` on it)";
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_without_an_address_is_told_apart() {
        let lookup = "IO: failed to lookup address information: Name or service not known";
        assert!(what_to_do(Topology::Cluster, lookup).contains("cluster-announce-ip"));
        assert_eq!(what_to_do(Topology::Single, lookup), "");
        assert_eq!(what_to_do(Topology::Cluster, "connection refused"), "");
    }

    #[test]
    fn the_key_that_is_never_there_shares_the_slot() {
        let (wheel, absent) = ("{tw:7}:wheel", never_there("{tw:7}:wheel").unwrap());
        assert_eq!(absent, "{tw:7}:~");
        let slot = |key: &str| fred::util::redis_keyslot(key.as_bytes());
        assert_eq!(slot(wheel), slot(&absent));
        assert_eq!(never_there("plain"), None);
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(masked("redis://u:p@h:1"), "redis://***@h:1");
        assert_eq!(masked("redis://h:1"), "redis://h:1");
        let sentinel = "redis-sentinel://h:1?sentinelServiceName=main&sentinelPassword=p";
        assert_eq!(masked(sentinel), "redis-sentinel://h:1");
    }
}
