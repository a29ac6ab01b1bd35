//! The cluster: trackers, partitions, and what can be lost.

use serde::Serialize;
use tickwheel_proto::v1;

use crate::instant;
use crate::output::Detail;

/// The cluster as one tracker sees it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ClusterView {
    pub(crate) version: String,
    pub(crate) partitions: u32,
    pub(crate) trackers: Vec<String>,
    pub(crate) durability: String,
    pub(crate) redis_version: String,
    pub(crate) redis_time_ms: u64,
    pub(crate) redis_time: String,
    pub(crate) zone_table: String,
}

impl From<v1::Cluster> for ClusterView {
    fn from(c: v1::Cluster) -> Self {
        Self {
            redis_time: instant::text(c.redis_time_ms),
            version: c.version,
            partitions: c.partitions,
            trackers: c.trackers,
            durability: c.durability,
            redis_version: c.redis_version,
            redis_time_ms: c.redis_time_ms,
            zone_table: c.zone_table,
        }
    }
}

impl Detail for ClusterView {
    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            ("version", self.version.clone()),
            ("partitions", self.partitions.to_string()),
            ("trackers", self.trackers.join("\n")),
            ("redis", self.redis_version.clone()),
            ("redis time", self.redis_time.clone()),
            ("zone table", self.zone_table.clone()),
            ("durability", self.durability.clone()),
        ]
    }
}
