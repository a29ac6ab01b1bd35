//! The walk over a live cluster: every key, every entry of every place and every job, page by page, with rests between.
//!
//! Nothing is kept but the names of jobs and ready sets, and what was found. Each call is bounded and short; what is reported was read at
//! one instant by one script. What moves meanwhile from a place that is still to be walked to one that was walked may be passed by: it was
//! moved by a script, and scripts keep the rules.

mod contexts;
mod edges;
mod keys;

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::partition::PartitionId;
use tokio::time::Instant;

use self::edges::Edges;
use super::facts::QueueFacts;
use super::finding::{Finding, Kind};
use super::read::{FANS_STEP, JOBS_STEP};
use super::rules;
use crate::error::Error;
use crate::history::Sizes;
use crate::store::Store;

/// Findings that are kept in full; further ones are only counted.
const FINDINGS_MAX: usize = 10_000;

/// How gently a check walks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// The walk rests for this share of each call's time: 1.0 leaves Redis half of its time, 0.0 never rests.
    pub rest: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rest: 1.0 }
    }
}

/// What a check looked at, and what it found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Keys under the prefix.
    pub keys: u64,
    /// Entries of wheels, ready sets, queues, indexes, and ended contexts.
    pub entries: u64,
    /// Jobs.
    pub jobs: u64,
    /// Script calls.
    pub calls: u64,
    /// The longest time a call took as its caller saw it, in µs.
    pub longest_us: u64,
    /// What the history takes.
    pub history: Sizes,
    /// What it may take, in the partitions where a tracker said so.
    pub budget: Sizes,
    /// What is broken, by partition; at most 10,000.
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub more: u64,
}

impl Checked {
    fn add(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            let same = |one: &&mut Finding| {
                (one.kind, one.partition) == (finding.kind, finding.partition)
                    && one.subject == finding.subject
            };
            if let Some(known) = self.findings.iter_mut().find(same) {
                for seen in finding.evidence {
                    if !known.evidence.contains(&seen) {
                        known.evidence.push(seen);
                    }
                }
            } else if self.findings.len() < FINDINGS_MAX {
                self.findings.push(finding);
            } else {
                self.more += 1;
            }
        }
    }

    /// True when nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.more == 0
    }

    /// Takes over what another part of the walk looked at and found.
    pub fn merge(&mut self, other: Self) {
        self.keys += other.keys;
        self.entries += other.entries;
        self.jobs += other.jobs;
        self.calls += other.calls;
        self.history = self.history.plus(other.history);
        self.budget = self.budget.plus(other.budget);
        self.longest_us = self.longest_us.max(other.longest_us);
        self.more += other.more;
        self.add(other.findings);
    }
}

/// One partition's walk.
struct Walk<'a> {
    store: &'a Store,
    partition: PartitionId,
    pace: Pace,
    checked: Checked,
    /// Redis' clock at the last page.
    now: u64,
    /// Jobs of which anything was seen.
    jobs: BTreeSet<JobName>,
    /// Ready sets that were seen.
    queues: BTreeSet<String>,
    /// Keys of places, to be walked.
    places: BTreeSet<String>,
    /// Split contexts of which anything was seen, with the keys.
    fans: BTreeMap<ContextId, Vec<String>>,
    /// Which jobs follow which, by the jobs that were seen.
    edges: Edges,
}

impl Store {
    /// Looks at everything of the cluster, partition by partition. Safe while it works: nothing is written, no call takes Redis more than
    /// a few milliseconds. Dropping the future stops the walk.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer; what was found so far is lost.
    pub async fn check(&self, pace: Pace) -> Result<Checked, Error> {
        let mut all = Checked::default();
        let names = self.scan_names(&mut all).await?;
        all.add(self.strange_keys(&names));
        for partition in self.partitions.partitions() {
            let of_partition = names.of(partition);
            all.merge(self.check_partition(partition, of_partition, pace).await?);
        }
        Ok(all)
    }

    async fn check_partition(
        &self,
        partition: PartitionId,
        names: &[String],
        pace: Pace,
    ) -> Result<Checked, Error> {
        let mut walk = Walk {
            store: self,
            partition,
            pace,
            checked: Checked::default(),
            now: 0,
            jobs: BTreeSet::new(),
            queues: BTreeSet::new(),
            places: BTreeSet::new(),
            fans: BTreeMap::new(),
            edges: Edges::default(),
        };
        walk.keys(names).await?;
        if walk
            .checked
            .findings
            .iter()
            .any(|one| one.kind == Kind::WrongType)
        {
            // Every other script that meets such a key fails, and so would ours.
            return Ok(walk.checked);
        }
        walk.contexts().await?;
        walk.fans().await?;
        walk.limits(names).await?;
        walk.jobs().await?;
        walk.edges().await?;
        Ok(walk.checked)
    }
}

impl Walk<'_> {
    /// Split contexts, and what is left of them.
    async fn fans(&mut self) -> Result<(), Error> {
        let roots: Vec<_> = std::mem::take(&mut self.fans).into_iter().collect();
        for few in roots.chunks(FANS_STEP) {
            let call = self.store.check_fans(self.partition, few);
            for fan in self.timed(call).await? {
                self.checked.add(rules::of_fan(&fan));
            }
        }
        Ok(())
    }

    /// What limits count, where something runs or is counted.
    async fn limits(&mut self, names: &[String]) -> Result<(), Error> {
        let counted = ["held", "shares", "left"];
        if names.iter().any(|name| counted.contains(&name.as_str())) {
            for limit in self.timed(self.store.check_limits(self.partition)).await? {
                self.checked.add(rules::w6_limit_counts(&limit));
            }
        }
        Ok(())
    }

    /// Measures a call, and rests after it.
    async fn timed<T>(&mut self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let began = Instant::now();
        let answer = call.await?;
        let took = began.elapsed();
        self.checked.calls += 1;
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.checked.longest_us = self.checked.longest_us.max(micros);
        if self.pace.rest > 0.0 {
            tokio::time::sleep(took.mul_f64(self.pace.rest)).await;
        }
        Ok(answer)
    }

    /// Jobs, and what is left of deleted ones.
    async fn jobs(&mut self) -> Result<(), Error> {
        let names: Vec<JobName> = self.jobs.iter().cloned().collect();
        for few in names.chunks(JOBS_STEP) {
            let facts = self
                .timed(self.store.check_jobs(self.partition, few))
                .await?;
            for job in facts {
                self.checked.jobs += u64::from(job.exists());
                self.edges.note(&job);
                self.checked.add(rules::of_job(&job));
            }
        }
        Ok(())
    }

    /// Ready sets that the backlog does not name were seen as keys.
    async fn backlog(&mut self) -> Result<(), Error> {
        let queues: Vec<String> = self.queues.iter().cloned().collect();
        let names: Vec<String> = queues
            .iter()
            .map(|queue| format!("ready:{}", queue.replace(' ', ":")))
            .chain(["backlog".to_owned()])
            .collect();
        for few in names.chunks(super::read::KEYS_STEP) {
            let read = self
                .timed(self.store.check_keys(self.partition, few))
                .await?;
            for key in read
                .keys
                .iter()
                .filter(|key| key.name.starts_with("ready:"))
            {
                let queue = key.name.trim_start_matches("ready:").replace(':', " ");
                let listed = read.queues.iter().any(|one| one.queue == queue);
                let facts = QueueFacts {
                    queue,
                    partition: self.partition,
                    listed,
                    waiting: key.size,
                };
                self.checked.add(rules::w1_backlog(&facts));
            }
            for queue in &read.queues {
                self.checked.add(rules::w1_backlog(queue));
            }
        }
        Ok(())
    }
}
