//! The keys that the store itself names: those that its scripts are called with, and those that it reads. Whatever a script puts together
//! is built by `lua/lib/keys.lua`.
//!
//! [`KINDS`] has every kind of key; docs/keyspace.md lists each with its writers, readers, lifetime and greatest size.

mod kind;

pub use kind::{KINDS, KeyKind, Of, Tag};

use tickwheel_core::id::{DedupName, GroupName, JobName, WorkerId};
use tickwheel_core::partition::PartitionId;

/// The keys of one cluster, that is, of one prefix in one Redis.
#[derive(Debug, Clone)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// Keys that start with `{prefix}`; the prefix is `tw` unless configured.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// What every key starts with, behind its brace.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    fn cluster(&self, name: &str) -> String {
        format!("{{{}}}:{name}", self.prefix)
    }

    fn part(&self, partition: PartitionId, name: &str) -> String {
        format!("{{{}:{partition}}}:{name}", self.prefix)
    }

    /// Hash: schema, partitions, created_ms.
    #[must_use]
    pub fn meta(&self) -> String {
        self.cluster("meta")
    }

    /// Counter of tracker starts.
    #[must_use]
    pub fn incarnations(&self) -> String {
        self.cluster("incarnations")
    }

    /// Hash: how new the data under the tag `{prefix}` are.
    #[must_use]
    pub fn cluster_epoch(&self) -> String {
        self.cluster("epoch")
    }

    /// Hash: how new a partition is.
    #[must_use]
    pub fn epoch(&self, partition: PartitionId) -> String {
        self.part(partition, "epoch")
    }

    /// Sorted set of live trackers by expiry.
    #[must_use]
    pub fn trackers(&self) -> String {
        self.cluster("trackers")
    }

    /// Hash: limits of groups.
    #[must_use]
    pub fn limits(&self) -> String {
        self.cluster("limits")
    }

    /// Hash: who may do what.
    #[must_use]
    pub fn tokens(&self) -> String {
        self.cluster("tokens")
    }

    /// Stream: what was done and refused.
    #[must_use]
    pub fn audit(&self) -> String {
        self.cluster("audit")
    }

    /// Hash of worker groups.
    #[must_use]
    pub fn groups(&self) -> String {
        self.cluster("groups")
    }

    /// Sorted set: workers that take no more work, by since when.
    #[must_use]
    pub fn drained(&self) -> String {
        self.cluster("drained")
    }

    /// Sorted set of a group's live workers by expiry.
    #[must_use]
    pub fn workers(&self, group: &GroupName) -> String {
        self.cluster(&format!("workers:{group}"))
    }

    /// Hash of one worker's report.
    #[must_use]
    pub fn worker(&self, id: &WorkerId) -> String {
        self.cluster(&format!("worker:{id}"))
    }

    /// Sorted set: everything of a partition that has a time.
    #[must_use]
    pub fn wheel(&self, partition: PartitionId) -> String {
        self.part(partition, "wheel")
    }

    /// Sorted set: contexts that ended without success, by their end.
    #[must_use]
    pub fn dead(&self, partition: PartitionId) -> String {
        self.part(partition, "dead")
    }

    /// Hash: counters of a partition.
    #[must_use]
    pub fn stats(&self, partition: PartitionId) -> String {
        self.part(partition, "stats")
    }

    /// Sorted set: the names of a partition's jobs.
    #[must_use]
    pub fn jobs(&self, partition: PartitionId) -> String {
        self.part(partition, "jobs")
    }

    /// List: what became of each due time of a job.
    #[must_use]
    pub fn ledger(&self, partition: PartitionId, job: &JobName) -> String {
        self.part(partition, &format!("ledger:{job}"))
    }

    /// List: the settled contexts of a job.
    #[must_use]
    pub fn runs(&self, partition: PartitionId, job: &JobName) -> String {
        self.part(partition, &format!("runs:{job}"))
    }

    /// String: the context that a `dedup_key` stands for, among those submitted alone into a namespace, or among the runs of a job that were
    /// asked for; `owner` is what stands behind the key then.
    #[must_use]
    pub fn dedup(&self, partition: PartitionId, dedup: &DedupName, owner: &str) -> String {
        self.part(partition, &format!("dedup:{dedup}{owner}"))
    }

    /// Sharded channel on which a partition's trackers are woken.
    #[must_use]
    pub fn wake(&self, partition: PartitionId) -> String {
        self.part(partition, "wake")
    }
}
