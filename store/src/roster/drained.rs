//! Workers that take no more work until somebody says so. Script: `lua/tracker/drain.lua`.

use std::collections::HashMap;

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::id::{GroupName, WorkerId};
use tickwheel_core::time::TimestampMs;

use super::{TTL_MAX_MS, WorkerView, millis};
use crate::error::Error;
use crate::reply::Reply;
use crate::script::DRAIN;
use crate::store::Store;

impl Store {
    /// Lets a worker take no more work, or some again. Every tracker knows it after its next heartbeat. Repeating is harmless.
    ///
    /// # Errors
    /// [`Error::Full`] when a thousand are drained; [`Error::Unavailable`]: repeat.
    pub async fn drain_worker(&self, worker: &WorkerId, takes: bool) -> Result<(), Error> {
        let args = vec![
            Value::from(""),
            Value::from(worker.as_str()),
            Value::from(if takes { "1" } else { "0" }),
        ];
        let value = self
            .redis
            .call(&DRAIN, vec![self.keys.drained()], args)
            .await?;
        match Reply::open(DRAIN.name(), value)?.0.as_str() {
            "DRAINED" | "TAKES" => Ok(()),
            "FULL" => Err(Error::Full(
                "1,000 workers are drained: let those that are gone, or take work, be undrained"
                    .to_owned(),
            )),
            other => Err(Error::contract(DRAIN.name(), other)),
        }
    }

    /// The workers that take no more work, and since when.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn drained_workers(&self) -> Result<HashMap<WorkerId, TimestampMs>, Error> {
        let range = ["0", "-1", "WITHSCORES"].map(ToOwned::to_owned);
        let args = [vec![self.keys.drained()], range.to_vec()].concat();
        let found: Vec<(Bytes, f64)> = self.redis.read("ZRANGE", args).await?;
        let read = |(id, since): (Bytes, f64)| {
            // What is no worker is passed by.
            let id = String::from_utf8_lossy(&id).parse().ok()?;
            Some((id, millis(since)))
        };
        Ok(found.into_iter().filter_map(read).collect())
    }

    /// One live worker; `None` when none goes by this id.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn find_worker(&self, id: &WorkerId) -> Result<Option<WorkerView>, Error> {
        let key = self.keys.worker(id);
        let group: Option<Bytes> = self
            .redis
            .read("HGET", vec![key, "group".to_owned()])
            .await?;
        let group =
            group.and_then(|group| String::from_utf8_lossy(&group).parse::<GroupName>().ok());
        let Some(group) = group else {
            return Ok(None);
        };
        let place = vec![self.keys.workers(&group), id.as_str().to_owned()];
        let expires: Option<f64> = self.redis.read("ZSCORE", place).await?;
        let now = self.time().await?.as_u64();
        let lives =
            |at: &f64| (now + 1..=now.saturating_add(TTL_MAX_MS)).contains(&millis(*at).as_u64());
        let Some(expires) = expires.filter(lives) else {
            return Ok(None);
        };
        let drained = self.drained_workers().await?;
        let view = self.worker(id.as_str().as_bytes(), &group, expires).await?;
        Ok(Some(WorkerView {
            drained: drained.get(id).copied(),
            ..view
        }))
    }
}
