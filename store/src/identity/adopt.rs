//! Reads the meta record, and adopts a store whose record is another.

use tickwheel_core::partition::PartitionCount;
use tickwheel_core::time::TimestampMs;
use tickwheel_core::zone::table;

use super::{FIELDS, Identity, NONE};
use crate::client::Redis;
use crate::error::Error;
use crate::keys::Keys;
use crate::store::Store;
use crate::wheel::Bulk;

impl Store {
    /// The meta record as it is.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub(crate) async fn identity(&self) -> Result<Identity, Error> {
        let mut args = vec![self.keys.meta()];
        args.extend(FIELDS.map(ToOwned::to_owned));
        let found: Vec<Option<String>> = self.redis.read("HMGET", args).await?;
        Ok(Identity::of(
            found
                .into_iter()
                .map(|field| field.unwrap_or_else(|| NONE.to_owned())),
        ))
    }

    /// Decides that the cluster with this prefix goes on with what this Redis holds, whatever its trackers saw before: those that refuse it
    /// take it within a second. An emptied store becomes a new cluster with `partitions`; one that has a meta record keeps it.
    ///
    /// Safe to repeat.
    ///
    /// # Errors
    /// [`Error::Unusable`] when it has another layout or partition count; [`Error::Unavailable`] when Redis does not answer.
    pub async fn adopt(
        redis: Redis,
        prefix: &str,
        partitions: PartitionCount,
    ) -> Result<TimestampMs, Error> {
        let store = Self {
            redis,
            keys: Keys::new(prefix),
            partitions,
            zones: table().edition().clone(),
            bulk: Bulk::default(),
        };
        store.check_meta().await?;
        let now = store.time().await?;
        let mark = [
            store.keys.meta(),
            "adopted_ms".to_owned(),
            now.as_u64().to_string(),
        ];
        let _: i64 = store.redis.read("HSET", mark.to_vec()).await?;
        Ok(now)
    }
}
