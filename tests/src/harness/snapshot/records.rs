//! What a snapshot holds.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::ledger::LedgerRecord;
use tickwheel_store::record::{Dead, Held, Member, Settled};

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
