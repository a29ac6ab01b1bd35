//! Opening a cluster: what its Redis must be like, what its meta record says, and what can be lost with it.

use fred::interfaces::{ClientLike, HashesInterface, KeysInterface};
use fred::types::{ClusterHash, CustomCommand, InfoKind, Value};
use tickwheel_core::id::TrackerId;
use tickwheel_core::partition::PartitionCount;
use tickwheel_core::time::TimestampMs;

use crate::client::Redis;
use crate::error::Error;
use crate::keys::Keys;
use crate::script;
use crate::store::Store;

/// The layout of keys and records that this program reads and writes.
const SCHEMA: u32 = 1;
/// The oldest server whose scripts know flags.
const REDIS_MIN: (u32, u32) = (7, 0);

/// What the server said about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its version as it prints it.
    pub version: String,
    /// What can be lost, and under which failure.
    pub durability: String,
    /// Settings that a person should change, in words.
    pub warnings: Vec<String>,
}

impl Store {
    /// The cluster behind a connection that is no server's: a simulation answers for it, so there is nothing to check.
    #[must_use]
    pub fn simulated(redis: Redis, prefix: &str, partitions: PartitionCount) -> Self {
        let keys = Keys::new(prefix);
        Self {
            redis,
            keys,
            partitions,
        }
    }

    /// Opens the cluster with this prefix, and creates it with `partitions` when it is new.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the server is too old, evicts keys, or the cluster has another partition count or layout.
    pub async fn open(
        redis: Redis,
        prefix: &str,
        partitions: PartitionCount,
    ) -> Result<(Self, Server), Error> {
        let server = inspect_server(&redis).await?;
        let keys = Keys::new(prefix);
        let store = Self {
            redis,
            keys,
            partitions,
        };
        store.check_meta().await?;
        for script in script::all() {
            store.redis.load(script).await?;
        }
        Ok((store, server))
    }

    /// Opens the cluster with this prefix as it is, for those who look after it: writes nothing, and takes the partition count from it.
    ///
    /// # Errors
    /// [`Error::Unusable`] when there is no such cluster, or it has another layout; [`Error::Unavailable`] when Redis does not answer.
    pub async fn attach(redis: Redis, prefix: &str) -> Result<Self, Error> {
        let keys = Keys::new(prefix);
        let meta = keys.meta();
        let sort = |error| Error::from_redis("meta", error, ToOwned::to_owned);
        let found: Vec<Option<String>> = redis
            .client()
            .hmget(&meta, vec!["schema", "partitions"])
            .await
            .map_err(sort)?;
        let mut found = found.into_iter().map(Option::unwrap_or_default);
        let (schema, count) = (
            found.next().unwrap_or_default(),
            found.next().unwrap_or_default(),
        );
        if schema.is_empty() && count.is_empty() {
            return Err(Error::Unusable(format!(
                "there is no cluster here: redis has no `{meta}`; another redis or another prefix?"
            )));
        }
        if schema != SCHEMA.to_string() {
            return Err(Error::Unusable(format!(
                "`{meta}` has schema {schema}, this program knows {SCHEMA}: run the version that wrote it"
            )));
        }
        let partitions = count
            .parse()
            .ok()
            .and_then(|count| PartitionCount::new(count).ok());
        let partitions = partitions.ok_or_else(|| {
            Error::Unusable(format!("`{meta}` has {count} partitions: must be 1..=1024"))
        })?;
        let store = Self {
            redis,
            keys,
            partitions,
        };
        for script in script::all() {
            store.redis.load(script).await?;
        }
        Ok(store)
    }

    async fn check_meta(&self) -> Result<(), Error> {
        let sort = |error| Error::from_redis("meta", error, ToOwned::to_owned);
        let client = self.redis.client();
        let meta = self.keys.meta();
        let _: bool = client
            .hsetnx(&meta, "schema", SCHEMA.to_string())
            .await
            .map_err(sort)?;
        let _: bool = client
            .hsetnx(&meta, "partitions", self.partitions.as_u16().to_string())
            .await
            .map_err(sort)?;
        let _: bool = client
            .hsetnx(&meta, "created_ms", self.time().await?.as_u64().to_string())
            .await
            .map_err(sort)?;
        let found: Vec<Option<String>> = client
            .hmget(&meta, vec!["schema", "partitions"])
            .await
            .map_err(sort)?;
        let mut found = found.into_iter().map(Option::unwrap_or_default);
        let (schema, partitions) = (
            found.next().unwrap_or_default(),
            found.next().unwrap_or_default(),
        );
        if schema != SCHEMA.to_string() {
            return Err(Error::Unusable(format!(
                "`{meta}` has schema {schema}, this program knows {SCHEMA}: run the version that wrote it, or another prefix"
            )));
        }
        if partitions != self.partitions.as_u16().to_string() {
            return Err(Error::Unusable(format!(
                "`{meta}` was created with {partitions} partitions, which never change: set partitions = {partitions} (given {})",
                self.partitions.as_u16()
            )));
        }
        Ok(())
    }

    /// A number that no other start of a tracker has.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn next_incarnation(&self) -> Result<(u64, TrackerId), Error> {
        let sort = |error| Error::from_redis("incarnations", error, ToOwned::to_owned);
        let number: u64 = self
            .redis
            .client()
            .incr(self.keys.incarnations())
            .await
            .map_err(sort)?;
        Ok((number, TrackerId::of_incarnation(number)))
    }

    /// Redis' clock.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn time(&self) -> Result<TimestampMs, Error> {
        if let Some(stand_in) = self.redis.stand_in() {
            return crate::stand_in::time(stand_in).await;
        }
        let sort = |error| Error::from_redis("time", error, ToOwned::to_owned);
        let hash = ClusterHash::Custom(fred::util::redis_keyslot(self.keys.meta().as_bytes()));
        let command = CustomCommand::new_static("TIME", hash, false);
        let time: Vec<u64> = self
            .redis
            .client()
            .custom(command, Vec::<Value>::new())
            .await
            .map_err(sort)?;
        match time.as_slice() {
            [seconds, micros] => Ok(TimestampMs::new(seconds * 1000 + micros / 1000)),
            other => Err(Error::contract("time", other)),
        }
    }
}

async fn inspect_server(redis: &Redis) -> Result<Server, Error> {
    let server = redis.info(InfoKind::Server).await?;
    let version = field(&server, "redis_version").to_owned();
    let mut numbers = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < REDIS_MIN {
        let (major, minor) = REDIS_MIN;
        return Err(Error::Unusable(format!(
            "redis {version} is too old: {major}.{minor} or later is needed for script flags"
        )));
    }
    let memory = redis.info(InfoKind::Memory).await?;
    let policy = field(&memory, "maxmemory_policy");
    if policy != "noeviction" {
        return Err(Error::Unusable(format!(
            "redis evicts keys (maxmemory-policy {policy}) and would lose jobs: run `redis-cli config set maxmemory-policy noeviction`"
        )));
    }
    let persistence = redis.info(InfoKind::Persistence).await?;
    let replication = redis.info(InfoKind::Replication).await?;
    let mut warnings = Vec::new();
    let durability = if field(&persistence, "aof_enabled") == "1" {
        "append-only file on: a killed redis loses nothing; a power loss loses what was not yet synced (at most about 1 s with \
         appendfsync everysec, nothing with always)"
            .to_owned()
    } else {
        warnings.push("appendonly is off: run `redis-cli config set appendonly yes` to survive a restart of redis".to_owned());
        "append-only file off: a restart of redis loses everything since its last snapshot"
            .to_owned()
    };
    let replicas = field(&replication, "connected_slaves");
    let durability =
        format!("{durability}; {replicas} replicas: a failover loses what they had not received");
    Ok(Server {
        version,
        durability,
        warnings,
    })
}

fn field<'a>(info: &'a str, name: &str) -> &'a str {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map_or("", str::trim)
}
