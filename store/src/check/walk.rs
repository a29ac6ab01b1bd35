//! The walk over a live cluster: every key, every entry of every place and every job, page by page, with rests between.
//!
//! Nothing is kept but the names of jobs and ready sets, and what was found. Each call is bounded and short; what is reported was read at
//! one instant by one script. What moves meanwhile from a place that is still to be walked to one that was walked may be passed by: it was
//! moved by a script, and scripts keep the rules.

mod contexts;
mod edges;
mod keys;
mod pacer;

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::partition::PartitionId;

use self::edges::Edges;
pub use self::pacer::Pace;
use self::pacer::Pacer;
use super::facts::QueueFacts;
use super::finding::{Finding, Kind};
use super::read::{FANS_STEP, JOBS_STEP, Wanted};
use super::rules;
use crate::error::Error;
use crate::history::Sizes;
use crate::store::Store;

/// Findings that are kept in full; further ones are only counted.
const FINDINGS_MAX: usize = 10_000;

/// Partitions that are walked at once. On a busy server a call waits for others; the pace holds for all of them together.
const AT_ONCE: usize = 16;

/// How much of the history a check looks at: what ended contexts left, by which nobody decides anything any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum History {
    /// Of each partition the newest records of ends, some of the dead, and some of the logs, results and dedup keys: a check ends within
    /// seconds, however much ends meanwhile.
    #[default]
    Sample,
    /// All of it. Of a store in which thousands of contexts end in each second, that takes minutes.
    All,
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Partitions that were looked at.
    pub done: u16,
    /// Partitions in all.
    pub partitions: u16,
    /// Entries so far.
    pub entries: u64,
    /// Findings so far.
    pub findings: u64,
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
    /// Places that grew faster than they were walked, and were left before their ends.
    pub unfinished: u64,
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
        self.unfinished += other.unfinished;
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
    pacer: &'a Pacer,
    history: History,
    /// Contexts that were seen in places of which none needs a wide look, and are still to be looked up.
    wanted: Vec<Wanted>,
    checked: Checked,
    /// Redis' clock at the last page.
    now: u64,
    /// Jobs of which anything was seen.
    jobs: BTreeSet<JobName>,
    /// Ready sets that were seen.
    queues: BTreeSet<String>,
    /// Keys of places, to be walked, and how many entries each had.
    places: BTreeMap<String, u64>,
    /// Split contexts of which anything was seen, with the keys.
    fans: BTreeMap<ContextId, Vec<String>>,
    /// Which jobs follow which, by the jobs that were seen.
    edges: Edges,
}

impl Store {
    /// Looks at everything of the cluster, partition by partition. Safe while it works: nothing is written, no call takes Redis more than
    /// a few milliseconds, and no walk is longer for what is written meanwhile. Dropping the future stops it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer; what was found so far is lost.
    pub async fn check(&self, pace: Pace) -> Result<Checked, Error> {
        self.check_watched(pace, History::All, |_| {}).await
    }

    /// The same with so much of the history, telling `watch` how far it is after each partition.
    ///
    /// # Errors
    /// As [`Store::check`].
    pub async fn check_watched(
        &self,
        pace: Pace,
        history: History,
        mut watch: impl FnMut(Progress),
    ) -> Result<Checked, Error> {
        let mut all = Checked::default();
        let names = self.scan_names(&mut all, history).await?;
        all.add(self.strange_keys(&names));
        let pacer = Pacer::new(pace);
        let walk = |partition| {
            Box::pin(self.check_partition(partition, names.of(partition), (&pacer, history)))
        };
        let walks: Vec<_> = self.partitions.partitions().map(walk).collect();
        let mut walked = futures::stream::iter(walks).buffered(AT_ONCE);
        let mut done = 0;
        while let Some(of_partition) = walked.next().await {
            all.merge(of_partition?);
            done += 1;
            watch(Progress {
                done,
                partitions: self.partitions.as_u16(),
                entries: all.entries,
                findings: u64::try_from(all.findings.len()).unwrap_or(u64::MAX) + all.more,
            });
        }
        Ok(all)
    }

    async fn check_partition(
        &self,
        partition: PartitionId,
        names: &[String],
        (pacer, history): (&Pacer, History),
    ) -> Result<Checked, Error> {
        let mut walk = Walk {
            store: self,
            partition,
            pacer,
            history,
            wanted: Vec::new(),
            checked: Checked::default(),
            now: 0,
            jobs: BTreeSet::new(),
            queues: BTreeSet::new(),
            places: BTreeMap::new(),
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
        let counted = ["held", "limit_shares", "limit_released"];
        if names.iter().any(|name| counted.contains(&name.as_str())) {
            for limit in self.timed(self.store.check_limits(self.partition)).await? {
                self.checked.add(rules::w6_limit_counts(&limit));
            }
        }
        Ok(())
    }

    /// Measures a call, and rests after it.
    async fn timed<T>(&mut self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let (answer, took) = self.pacer.call(Box::pin(call)).await?;
        self.checked.calls += 1;
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.checked.longest_us = self.checked.longest_us.max(micros);
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
