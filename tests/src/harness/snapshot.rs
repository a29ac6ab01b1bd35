//! Everything a cluster has in Redis, each partition read at one instant, taken apart by the grammar of its records.

mod read;
mod records;

use anyhow::{Context as _, Result};
use tickwheel_core::id::JobName;

use super::wire::Wire;
pub use records::{Job, Key, Partition};

/// All partitions.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// By number.
    pub partitions: Vec<Partition>,
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
