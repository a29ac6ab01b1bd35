//! What is known of one job.

use std::collections::BTreeSet;

use tickwheel_core::id::ContextId;
use tickwheel_core::job::JobSpec;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict};
use tickwheel_core::partition::PartitionCount;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::record::Settled;

use crate::harness::snapshot::Job;

/// What is known of one job.
#[derive(Debug, Clone)]
pub struct Story {
    /// As registered.
    pub spec: JobSpec,
    /// The next due time that was answered to its registration.
    pub first_due: Option<TimestampMs>,
    /// Its ledger, oldest first.
    pub records: Vec<LedgerRecord>,
    /// Its ended contexts, oldest first.
    pub runs: Vec<Settled>,
    /// Its contexts that have not ended.
    pub live: BTreeSet<ContextId>,
    /// The due time it expects next.
    pub next_due: Option<TimestampMs>,
    /// The newest due time it decided.
    pub last_due: Option<TimestampMs>,
    /// Its state word.
    pub state: String,
    /// How many scheduled firings it counts.
    pub fired: u64,
    /// Of the cluster.
    pub partitions: PartitionCount,
}

impl Story {
    /// Of a job as it stands in Redis. `records` oldest first, as any reader gave them.
    #[must_use]
    pub fn new(
        spec: JobSpec,
        first_due: Option<u64>,
        records: Vec<LedgerRecord>,
        job: &Job,
        partitions: PartitionCount,
    ) -> Self {
        let queued = job.queue.iter().map(|(_, member)| member.id.clone());
        Self {
            spec,
            first_due: first_due.map(TimestampMs::new),
            records,
            runs: job.runs.clone(),
            live: job.active.keys().cloned().chain(queued).collect(),
            next_due: job.number("next").map(TimestampMs::new),
            last_due: job.number("last").map(TimestampMs::new),
            state: job.field("state").to_owned(),
            fired: job.number("fired").unwrap_or(0),
            partitions,
        }
    }

    /// The ledger as the API shows it: each firing with its context.
    #[must_use]
    pub fn complete_records(&self) -> Vec<LedgerRecord> {
        let complete = |record: &LedgerRecord| {
            let mut record = record.clone();
            if record.verdict == LedgerVerdict::Fired && record.context_id.is_none() {
                let id = ContextId::firing(&self.spec.name, record.from, self.partitions);
                record.context_id = Some(id);
            }
            record
        };
        self.records.iter().map(complete).collect()
    }

    /// Records of due times, without firings from outside the trigger and without marks of new revisions.
    pub(super) fn scheduled(&self) -> impl DoubleEndedIterator<Item = &LedgerRecord> {
        self.records.iter().filter(|record| {
            record.context_id.as_ref().is_none_or(ContextId::is_firing)
                && record.verdict != LedgerVerdict::Redefined
        })
    }

    pub(super) fn problem(&self, what: impl std::fmt::Display) -> String {
        format!("{} ({}): {what}", self.spec.name, self.spec.trigger.kind())
    }

    /// A few records around `due`, for whoever reads the problem.
    pub(super) fn around(&self, due: TimestampMs) -> String {
        let at = self.records.partition_point(|record| record.to < due);
        let near = self.records.iter().skip(at.saturating_sub(2)).take(4);
        near.map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" | ")
    }
}
