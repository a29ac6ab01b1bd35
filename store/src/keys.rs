//! Builds every key. Nothing else in this crate, and nothing outside it, puts a key together.
//!
//! docs/keyspace.md lists each key with its type, writers, readers, lifetime and greatest size.

use tickwheel_core::group_limits::LimitName;
use tickwheel_core::id::{ContextId, DedupName, GroupName, HandlerName, JobName, WorkerId};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::LaneId;

use crate::record::Queue;

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

    /// Hash: what partitions were granted of a limit that lies in this one, and what they wait for.
    #[must_use]
    pub fn limit(&self, partition: PartitionId, name: &LimitName) -> String {
        let name = name.to_string().replace(' ', ":");
        self.part(partition, &format!("limit:{name}"))
    }

    /// Hash: what a partition has of each limit, and how many of its contexts run under it.
    #[must_use]
    pub fn shares(&self, partition: PartitionId) -> String {
        self.part(partition, "shares")
    }

    /// Hash: limits that something of a partition waits for.
    #[must_use]
    pub fn stopped(&self, partition: PartitionId) -> String {
        self.part(partition, "stopped")
    }

    /// List: what ended under limits since the last turn of a partition.
    #[must_use]
    pub fn left(&self, partition: PartitionId) -> String {
        self.part(partition, "left")
    }

    /// Hash: limits that a partition has something of and that others wait for.
    #[must_use]
    pub fn contended(&self, partition: PartitionId) -> String {
        self.part(partition, "contended")
    }

    /// Hash of worker groups.
    #[must_use]
    pub fn groups(&self) -> String {
        self.cluster("groups")
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

    /// Hash: the running contexts of a partition.
    #[must_use]
    pub fn held(&self, partition: PartitionId) -> String {
        self.part(partition, "held")
    }

    /// Hash: wheel scores of contexts that wait for their next attempt.
    #[must_use]
    pub fn retry(&self, partition: PartitionId) -> String {
        self.part(partition, "retry")
    }

    /// Hash: the non-empty ready sets.
    #[must_use]
    pub fn backlog(&self, partition: PartitionId) -> String {
        self.part(partition, "backlog")
    }

    /// Sorted set: due contexts of one group, handler and lane that wait for a permit.
    #[must_use]
    pub fn ready(&self, partition: PartitionId, queue: &Queue) -> String {
        let name = queue.to_string().replace(' ', ":");
        self.part(partition, &format!("ready:{name}"))
    }

    /// Hash: the content of lanes.
    #[must_use]
    pub fn lanes(&self, partition: PartitionId) -> String {
        self.part(partition, "lanes")
    }

    /// Hash: the lanes that were used since somebody began to look which are needed.
    #[must_use]
    pub fn used(&self, partition: PartitionId) -> String {
        self.part(partition, "used")
    }

    /// Hash: contexts with a fairness key that wait for a permit, with their scores.
    #[must_use]
    pub fn fair(&self, partition: PartitionId) -> String {
        self.part(partition, "fair")
    }

    /// Zset: the virtual times of a group's fairness keys.
    #[must_use]
    pub fn tags(&self, partition: PartitionId, group: &GroupName) -> String {
        self.part(partition, &format!("tags:{group}"))
    }

    /// Hash: what the policy of a lane counted, by worker.
    #[must_use]
    pub fn route(&self, partition: PartitionId, lane: &LaneId) -> String {
        self.part(partition, &format!("route:{lane}"))
    }

    /// Stream: what was settled.
    #[must_use]
    pub fn events(&self, partition: PartitionId) -> String {
        self.part(partition, "events")
    }

    /// Sorted set: contexts that ended without success, by their end.
    #[must_use]
    pub fn dead(&self, partition: PartitionId) -> String {
        self.part(partition, "dead")
    }

    /// String: the oldest edition of the time zone table that a plan of the partition is from.
    #[must_use]
    pub fn zones(&self, partition: PartitionId) -> String {
        self.part(partition, "zones")
    }

    /// List: records that a repair put aside.
    #[must_use]
    pub fn quarantine(&self, partition: PartitionId) -> String {
        self.part(partition, "quarantine")
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

    /// Hash: one job.
    #[must_use]
    pub fn job(&self, partition: PartitionId, job: &JobName) -> String {
        self.part(partition, &format!("job:{job}"))
    }

    /// String: the jobs that wait for one of this name to be registered.
    #[must_use]
    pub fn awaited(&self, partition: PartitionId, job: &JobName) -> String {
        self.part(partition, &format!("awaited:{job}"))
    }

    /// Hash: contexts of a job that were created and have not ended.
    #[must_use]
    pub fn active(&self, partition: PartitionId, job: &JobName) -> String {
        self.part(partition, &format!("active:{job}"))
    }

    /// Sorted set: contexts of a job that wait for an earlier one.
    #[must_use]
    pub fn queue(&self, partition: PartitionId, job: &JobName) -> String {
        self.part(partition, &format!("queue:{job}"))
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

    /// String: the context that a `dedup_key` stands for, among those submitted alone, or among the runs of a job that were asked for.
    #[must_use]
    pub fn dedup(
        &self,
        partition: PartitionId,
        dedup: &DedupName,
        job: Option<&JobName>,
    ) -> String {
        let job = job.map(|job| format!("@{job}")).unwrap_or_default();
        self.part(partition, &format!("dedup:{dedup}{job}"))
    }

    /// List: a context's log, an entry for each call.
    #[must_use]
    pub fn log(&self, context: &ContextId) -> String {
        self.part(context.partition(), &format!("log:{context}"))
    }

    /// List: attempts of a context that ended without success.
    #[must_use]
    pub fn attempts(&self, context: &ContextId) -> String {
        self.part(context.partition(), &format!("attempts:{context}"))
    }

    /// Sorted set: the contexts that have such attempts, by the last of them.
    #[must_use]
    pub fn attempted(&self, partition: PartitionId) -> String {
        self.part(partition, "attempted")
    }

    /// Hash: what logs, results and the dead of a partition take.
    #[must_use]
    pub fn traces(&self, partition: PartitionId) -> String {
        self.part(partition, "traces")
    }

    /// Zset: contexts of a namespace with a log (`l`) or a result (`r`), the oldest first.
    #[must_use]
    pub fn traced(&self, partition: PartitionId, kind: char, namespace: &str) -> String {
        self.part(partition, &format!("traced:{kind}:{namespace}"))
    }

    /// Zset: namespaces with logs (`l`) or results (`r`), by what they take.
    #[must_use]
    pub fn spaces(&self, partition: PartitionId, kind: char) -> String {
        self.part(partition, &format!("spaces:{kind}"))
    }

    /// List: subtasks of a root that left logs or results.
    #[must_use]
    pub fn subtraced(&self, root: &ContextId) -> String {
        self.part(root.partition(), &format!("subtraced:{root}"))
    }

    /// List: roots whose subtasks' logs and results go.
    #[must_use]
    pub fn untraced(&self, partition: PartitionId) -> String {
        self.part(partition, "untraced")
    }

    /// String: a context's progress.
    #[must_use]
    pub fn progress(&self, context: &ContextId) -> String {
        self.part(context.partition(), &format!("progress:{context}"))
    }

    /// String: a context's result.
    #[must_use]
    pub fn result(&self, context: &ContextId) -> String {
        self.part(context.partition(), &format!("result:{context}"))
    }

    /// Hash: the models of the contexts that are split.
    #[must_use]
    pub fn fans(&self, partition: PartitionId) -> String {
        self.part(partition, "fans")
    }

    /// Hash: how far the subtasks of a root are.
    #[must_use]
    pub fn fan(&self, root: &ContextId) -> String {
        self.part(root.partition(), &format!("fan:{root}"))
    }

    /// List: the subtasks of a root that wait for a permit; those for one worker have a list of their own.
    #[must_use]
    pub fn parts(
        &self,
        root: &ContextId,
        handler: &HandlerName,
        worker: Option<&WorkerId>,
    ) -> String {
        let only = worker
            .map(|worker| format!(":{worker}"))
            .unwrap_or_default();
        self.part(root.partition(), &format!("parts:{handler}:{root}{only}"))
    }

    /// List: how the subtasks of a root ended.
    #[must_use]
    pub fn results(&self, root: &ContextId) -> String {
        self.part(root.partition(), &format!("results:{root}"))
    }

    /// List: how the parts of a split context ended, behind its summary once it has.
    #[must_use]
    pub fn split(&self, root: &ContextId) -> String {
        self.part(root.partition(), &format!("split:{root}"))
    }

    /// Sharded channel on which a partition's trackers are woken.
    #[must_use]
    pub fn wake(&self, partition: PartitionId) -> String {
        self.part(partition, "wake")
    }
}
