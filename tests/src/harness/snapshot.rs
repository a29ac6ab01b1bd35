//! Everything a cluster has in Redis, each partition read at one instant, taken apart by the grammar of its records.

mod read;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::ledger::LedgerRecord;
use tickwheel_store::record::{Dead, Held, Member, Settled};

use super::wire::Wire;

/// All partitions.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// By number.
    pub partitions: Vec<Partition>,
}

/// One partition at one instant.
#[derive(Debug, Default)]
pub struct Partition {
    /// Its number.
    pub number: u16,
    /// The instant, by Redis' clock.
    pub now_ms: u64,
    /// Contexts in the wheel, with their scores.
    pub planned: Vec<(u64, Member)>,
    /// What else is in the wheel: jobs (`@`), the lease scan (`!`), start deadlines (`#`), deliveries to followers (`&`).
    pub entries: Vec<(u64, String)>,
    /// Running contexts.
    pub held: BTreeMap<ContextId, Held>,
    /// Contexts that wait for a retry, with their scores in the wheel.
    pub retry: BTreeMap<ContextId, u64>,
    /// Contexts with a fairness key that wait for a permit, with their scores.
    pub fair: BTreeMap<ContextId, u64>,
    /// How many contexts run under each limit, as the partition says.
    pub using: BTreeMap<String, u64>,
    /// How many of them ended since the last turn.
    pub left: BTreeMap<String, u64>,
    /// Contexts that wait for a permit, by `<group> <handler>`, with their scores.
    pub ready: BTreeMap<String, Vec<(u64, Member)>>,
    /// Contexts that are split and whose subtasks have not ended, with their models.
    pub fans: BTreeMap<ContextId, String>,
    /// How far the subtasks of each are: the fields of its hash.
    pub fan_fields: BTreeMap<ContextId, BTreeMap<String, String>>,
    /// How many subtasks wait in each list, by `<handler>:<root>[:<worker>]`.
    pub parts: BTreeMap<String, u64>,
    /// What the partition says of its ready sets.
    pub backlog: BTreeSet<String>,
    /// Names of its jobs.
    pub job_names: BTreeSet<JobName>,
    /// Its jobs, and what is left of deleted ones.
    pub jobs: BTreeMap<JobName, Job>,
    /// Followers of jobs that are not registered, as a job has them: `<follower>:<on>` separated by spaces.
    pub awaited: BTreeMap<JobName, String>,
    /// Ended contexts, as far as the stream of events reaches back, oldest first.
    pub settled: Vec<Settled>,
    /// Contexts that ended without success.
    pub dead: Vec<(u64, Dead)>,
    /// Counters.
    pub stats: BTreeMap<String, u64>,
    /// Every key, for its size and lifetime.
    pub keys: Vec<Key>,
}

/// A job in its partition.
#[derive(Debug, Default)]
pub struct Job {
    /// The fields of its hash; empty when the job was deleted and contexts of it still run.
    pub fields: BTreeMap<String, String>,
    /// Contexts that were created and have not ended: `s` scheduled, `m` any other.
    pub active: BTreeMap<ContextId, String>,
    /// Contexts that wait for an earlier one.
    pub queue: Vec<(u64, Member)>,
    /// What became of its due times, oldest first.
    pub ledger: Vec<LedgerRecord>,
    /// Its ended contexts, oldest first.
    pub runs: Vec<Settled>,
}

/// A key of a partition.
#[derive(Debug, Default)]
pub struct Key {
    /// Without the partition.
    pub name: String,
    /// As Redis calls it.
    pub kind: String,
    /// Elements, or bytes of a string.
    pub length: usize,
    /// Milliseconds it lives on; negative: for ever.
    pub ttl_ms: i64,
}

impl Job {
    /// A field of its hash; empty where there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// A field as a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.field(name).parse().ok()
    }
}

impl Snapshot {
    /// Reads `partitions` partitions of the cluster `prefix`.
    ///
    /// # Errors
    /// When Redis does not answer, or a record does not follow its grammar.
    pub async fn take(wire: &mut Wire, prefix: &str, partitions: u16) -> Result<Self> {
        let mut snapshot = Self::default();
        for number in 0..partitions {
            let base = base(prefix, number);
            let command = read::command(&base);
            let reply = wire.command(&command.each_ref().map(String::as_str)).await;
            let partition = reply.and_then(|reply| read::partition(&base, number, reply));
            snapshot
                .partitions
                .push(partition.with_context(|| format!("read partition {number}"))?);
        }
        Ok(snapshot)
    }

    /// Reads all of it and executes `last`, at one instant: what a command destroys was exactly this. Not on a Redis Cluster.
    ///
    /// # Errors
    /// When Redis does not answer or refuses, or a record does not follow its grammar.
    pub async fn take_before(
        wire: &mut Wire,
        (prefix, partitions): (&str, u16),
        last: &[&str],
    ) -> Result<Self> {
        wire.command(&["MULTI"]).await?;
        for number in 0..partitions {
            let command = read::command(&base(prefix, number));
            wire.command(&command.each_ref().map(String::as_str))
                .await?;
        }
        wire.command(last).await?;
        let mut replies = wire.command(&["EXEC"]).await?.list().into_iter();
        let mut snapshot = Self::default();
        for number in 0..partitions {
            let reply = replies.next().context("a reply for each partition")?;
            let partition = read::partition(&base(prefix, number), number, reply);
            snapshot
                .partitions
                .push(partition.with_context(|| format!("read partition {number}"))?);
        }
        Ok(snapshot)
    }

    /// All jobs that exist.
    pub fn jobs(&self) -> impl Iterator<Item = (&JobName, &Job)> {
        let jobs = self.partitions.iter().flat_map(|partition| &partition.jobs);
        jobs.filter(|(_, job)| !job.fields.is_empty())
    }

    /// One job.
    #[must_use]
    pub fn job(&self, name: &str) -> Option<&Job> {
        let name = JobName::new(name).ok()?;
        self.partitions
            .iter()
            .find_map(|partition| partition.jobs.get(&name))
            .filter(|job| !job.fields.is_empty())
    }

    /// Where something is under way: contexts that run, wait for a permit, a retry or an earlier one, or are due; and deliveries.
    #[must_use]
    pub fn under_way(&self) -> Vec<String> {
        let mut found = Vec::new();
        for partition in &self.partitions {
            found.extend(partition.held.keys().map(|id| format!("running {id}")));
            found.extend(partition.retry.keys().map(|id| format!("retrying {id}")));
            found.extend(partition.fans.keys().map(|id| format!("split {id}")));
            let ready = partition.ready.iter().flat_map(|(queue, members)| {
                members.iter().map(move |(_, member)| (queue, member))
            });
            found.extend(ready.map(|(queue, member)| format!("ready {} for {queue}", member.id)));
            let due = partition.planned.iter().filter(|(score, member)| {
                *score <= partition.now_ms && !partition.retry.contains_key(&member.id)
            });
            found.extend(due.map(|(_, member)| format!("due {}", member.id)));
            let queues = partition.jobs.values().flat_map(|job| &job.queue);
            found.extend(queues.map(|(_, member)| format!("queued {}", member.id)));
            let deliveries = partition
                .entries
                .iter()
                .filter(|(_, entry)| entry.starts_with('&'));
            found.extend(deliveries.map(|(_, entry)| format!("delivery {entry}")));
        }
        found
    }

    /// A counter, over all partitions.
    #[must_use]
    pub fn stat(&self, name: &str) -> u64 {
        self.partitions
            .iter()
            .filter_map(|partition| partition.stats.get(name))
            .sum()
    }
}

/// What the keys of a partition begin with.
fn base(prefix: &str, number: u16) -> String {
    format!("{{{prefix}:{number}}}:")
}
