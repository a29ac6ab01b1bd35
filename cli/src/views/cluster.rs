//! The cluster: trackers, partitions, and what can be lost.

use tickwheel_api::answers::Cluster;

use crate::instant;
use crate::output::Detail;

impl Detail for Cluster {
    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            ("version", self.version.clone()),
            ("partitions", self.partitions.to_string()),
            ("trackers", self.trackers.join("\n")),
            ("redis", self.redis_version.clone()),
            ("redis time", instant::text(self.redis_time_ms)),
            ("zone table", self.zone_table.clone()),
            ("durability", self.durability.clone()),
        ]
    }
}
