//! Opening a cluster: what its Redis must be like, and what its meta record says.

use std::time::Duration;

use fred::interfaces::{ClientLike, HashesInterface, KeysInterface};
use fred::types::{ClusterHash, CustomCommand, Value};
use tickwheel_core::Durability;
use tickwheel_core::id::TrackerId;
use tickwheel_core::partition::PartitionCount;
use tickwheel_core::time::TimestampMs;

use crate::client::{Promise, Redis, primary_at};
use crate::error::Error;
use crate::keys::Keys;
use tickwheel_core::zone::table;

use crate::store::Store;
use crate::wheel::Bulk;

pub use crate::server::{Eviction, Server};

/// The layout of keys and records that this program reads and writes.
const SCHEMA: u32 = 5;
/// Counters of starts begin with the seconds since then: ids stay short.
const YEAR_2026_MS: u64 = 1_767_225_600_000;

/// The store was written by another version.
fn other_schema(meta: &str, schema: &str) -> Error {
    let age = match schema.parse::<u32>() {
        Ok(found) if found < SCHEMA => "the store is too old for this program",
        Ok(_) => "the store is too new for this program",
        Err(_) => "the store cannot be used by this program",
    };
    Error::Unusable(format!(
        "{age}: `{meta}` has schema {schema}, this program knows {SCHEMA}: run the version that wrote it, or another prefix"
    ))
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
            zones: table().edition().clone(),
            bulk: Bulk::default(),
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
        Self::open_on(redis, prefix, partitions, Eviction::Refused).await
    }

    /// The same, on a server that may evict keys if a person wants it so.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_on(
        redis: Redis,
        prefix: &str,
        partitions: PartitionCount,
        eviction: Eviction,
    ) -> Result<(Self, Server), Error> {
        let server = redis.inspect().await?;
        let misconfigured = server.misconfigured(eviction);
        if !misconfigured.is_empty() {
            return Err(Error::Unusable(misconfigured.join("; ")));
        }
        if let Some(primary) = server.replica_of() {
            return Err(Error::Unavailable {
                reason: format!(
                    "this server is a replica, and takes no writes: {}",
                    primary_at(primary)
                ),
                source: None,
            });
        }
        let keys = Keys::new(prefix);
        let store = Self {
            redis,
            keys,
            partitions,
            zones: table().edition().clone(),
            bulk: Bulk::default(),
        };
        store.check_meta().await?;
        store.redis.make_known().await?;
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
            .plain()
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
            return Err(other_schema(&meta, &schema));
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
            zones: table().edition().clone(),
            bulk: Bulk::default(),
        };
        store.redis.make_known().await?;
        Ok(store)
    }

    /// Checks the meta record, and makes one in an empty store.
    pub(crate) async fn check_meta(&self) -> Result<(), Error> {
        let sort = |error| Error::from_redis("meta", error, ToOwned::to_owned);
        let client = self.redis.plain();
        let meta = self.keys.meta();
        let made: bool = client
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
        if made {
            tracing::warn!(
                partitions = self.partitions.as_u16(),
                "made a new cluster in an empty store: redis had no `{meta}`. If there was one before (a restored backup, another address or \
                 prefix), stop this tracker before it takes work: docs/backup.md"
            );
        }
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
            return Err(other_schema(&meta, &schema));
        }
        if partitions != self.partitions.as_u16().to_string() {
            return Err(Error::Unusable(format!(
                "`{meta}` was created with {partitions} partitions, which never change: set partitions = {partitions} (given {})",
                self.partitions.as_u16()
            )));
        }
        Ok(())
    }

    /// The same store, for writes that have come as far as `durability` says when a call returns; none waits longer than `wait` for it.
    ///
    /// # Errors
    /// [`Error::Unusable`] when these servers cannot do that.
    pub fn durable(&self, durability: Durability, wait: Duration) -> Result<Self, Error> {
        Ok(Self {
            redis: self.redis.promising(Promise { durability, wait })?,
            ..self.clone()
        })
    }

    /// A number that no other start of a tracker has, not even one before the store was emptied: a new counter begins with Redis' clock in
    /// seconds, which is ahead of any number of starts.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn next_incarnation(&self) -> Result<(u64, TrackerId), Error> {
        let sort = |error| Error::from_redis("incarnations", error, ToOwned::to_owned);
        let counter = self.keys.incarnations();
        let seconds = self.time().await?.as_u64().saturating_sub(YEAR_2026_MS) / 1000;
        let _: i64 = self
            .redis
            .read("SETNX", vec![counter.clone(), seconds.to_string()])
            .await?;
        let number: u64 = self.redis.plain().incr(counter).await.map_err(sort)?;
        Ok((number, TrackerId::of_incarnation(number)))
    }

    /// Redis' clock.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn time(&self) -> Result<TimestampMs, Error> {
        if let Some(transport) = self.redis.transport() {
            return crate::transport::time(transport).await;
        }
        let sort = |error| Error::from_redis("time", error, ToOwned::to_owned);
        let hash = ClusterHash::Custom(fred::util::redis_keyslot(self.keys.meta().as_bytes()));
        let command = CustomCommand::new_static("TIME", hash, false);
        let time: Vec<u64> = self
            .redis
            .plain()
            .custom(command, Vec::<Value>::new())
            .await
            .map_err(sort)?;
        match time.as_slice() {
            [seconds, micros] => Ok(TimestampMs::new(seconds * 1000 + micros / 1000)),
            other => Err(Error::contract("time", other)),
        }
    }
}
