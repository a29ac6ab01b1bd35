//! The handle that every typed operation hangs on: a connection, the keys, and the partition count.

use tickwheel_core::partition::{PartitionCount, PartitionId};
use tickwheel_core::zone::Edition;

use crate::client::Redis;
use crate::error::Error;
use crate::keys::Keys;
use crate::wheel::Bulk;

/// Typed operations on one cluster. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) redis: Redis,
    pub(crate) keys: Keys,
    pub(crate) partitions: PartitionCount,
    /// Of the time zone table that due times of plans are from.
    pub(crate) zones: Edition,
    /// Heavy submissions take turns.
    pub(crate) bulk: Bulk,
}

impl Store {
    /// The partition count the cluster was created with.
    #[must_use]
    pub fn partitions(&self) -> PartitionCount {
        self.partitions
    }

    /// The edition of the time zone table that plans are made with: that of this process, unless a caller says otherwise.
    #[must_use]
    pub const fn zones(&self) -> &Edition {
        &self.zones
    }

    /// The same store for a caller whose plans are from another edition.
    #[must_use]
    pub fn with_zones(self, zones: Edition) -> Self {
        Self { zones, ..self }
    }

    /// The keys of the cluster.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The connection.
    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    /// Refuses a partition that this cluster does not have, say from an id of another cluster.
    ///
    /// # Errors
    /// [`Error::NotFound`] with the id as given.
    pub(crate) fn known(&self, partition: PartitionId, id: &str) -> Result<PartitionId, Error> {
        if u32::from(partition.as_u16()) < u32::from(self.partitions.as_u16()) {
            Ok(partition)
        } else {
            Err(Error::NotFound {
                kind: "context",
                id: id.to_owned(),
            })
        }
    }
}
