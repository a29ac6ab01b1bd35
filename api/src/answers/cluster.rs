//! The cluster: trackers, partitions, and what can be lost.

use serde::Serialize;
use tickwheel_proto::v1;

/// The cluster as one tracker sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cluster {
    /// Of the tracker that answers.
    pub version: String,
    /// Into how many parts the wheel is cut.
    pub partitions: u32,
    /// The id and the URL of each.
    pub trackers: Vec<String>,
    /// What can be lost and under which failure, in words.
    pub durability: String,
    /// The version of Redis.
    pub redis_version: String,
    /// Redis' clock.
    pub redis_time_ms: u64,
    /// The table of time zones of the tracker that answers.
    pub zone_table: String,
}

impl From<v1::Cluster> for Cluster {
    fn from(cluster: v1::Cluster) -> Self {
        Self {
            version: cluster.version,
            partitions: cluster.partitions,
            trackers: cluster.trackers,
            durability: cluster.durability,
            redis_version: cluster.redis_version,
            redis_time_ms: cluster.redis_time_ms,
            zone_table: cluster.zone_table,
        }
    }
}
