//! What a user registers: a job with its trigger, policies and options.
//!
//! A [`JobSpec`] is kept in Redis as named msgpack; every field has a default on reading, so a record written by an
//! older version still decodes.

mod options;
mod policy;
mod trigger;
mod validate;

pub use options::{Backoff, ContextOptions, Priority, RetryPolicy};
pub use policy::{Misfire, MisfirePolicy, Overlap};
pub use trigger::{AfterOn, Trigger};
pub(crate) use validate::check_range;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::bounds::{LEDGER_DEFAULT, RUNS_DEFAULT};
use crate::error::Violation;
use crate::fairness::Fairness;
use crate::id::{GroupName, HandlerName, JobName, Namespace};
use crate::model::{Model, ReduceOn};
use crate::routing::{Placement, Routing, Selection, Units};
use crate::time::TimestampMs;

/// A job as its user describes it. Equal specs have equal digests, and registering one again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Full name, `namespace/name`.
    pub name: JobName,
    /// Workers of this group run it.
    pub group: GroupName,
    /// What they run.
    pub handler: HandlerName,
    /// Handed to the handler, at most 256 KiB.
    #[serde(default)]
    pub body: Bytes,
    /// When it is due.
    pub trigger: Trigger,
    /// No due time lies before this instant.
    #[serde(default)]
    pub start_at: Option<TimestampMs>,
    /// No due time lies after this instant; the instant itself counts.
    #[serde(default)]
    pub end_at: Option<TimestampMs>,
    /// Scheduled firings in all, 1 at least; `None`: no bound.
    #[serde(default)]
    pub max_runs: Option<u64>,
    /// A firing is moved by up to this many milliseconds, never as far as the next one.
    #[serde(default)]
    pub jitter_ms: u64,
    /// What becomes of due times that were popped too late.
    #[serde(default)]
    pub misfire: Misfire,
    /// What a firing does while an earlier one runs.
    #[serde(default)]
    pub overlap: Overlap,
    /// What holds for each context of the job.
    #[serde(default)]
    pub options: ContextOptions,
    /// Which of the workers that fit takes a context.
    #[serde(default, skip_serializing_if = "is_default")]
    pub routing: Routing,
    /// Which workers fit.
    #[serde(default, skip_serializing_if = "is_default")]
    pub workers: Selection,
    /// What a context takes of its worker's resources while it runs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub resources: Units,
    /// With whom its contexts share the permits of the group.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fairness: Fairness,
    /// Into which subtasks each context is split.
    #[serde(default, skip_serializing_if = "Model::is_standalone")]
    pub model: Model,
    /// The handler that runs once when the subtasks have ended, and whose result is the context's; only with a model other than standalone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduce: Option<HandlerName>,
    /// When it runs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reduce_on: ReduceOn,
    /// What holds for each subtask; `options` are those of the context as a whole.
    #[serde(default, skip_serializing_if = "is_default")]
    pub subtask: ContextOptions,
    /// Ledger records kept, 1..=100000.
    #[serde(default = "ledger_default")]
    pub ledger_limit: u32,
    /// Settled contexts kept, 1..=10000.
    #[serde(default = "runs_default")]
    pub runs_limit: u32,
    /// For people, at most 1,024 characters.
    #[serde(default, skip_serializing_if = "is_default")]
    pub description: String,
    /// Names and values by which people find it, at most 16.
    #[serde(default, skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// Namespaces whose jobs may follow it, at most 100; those of its own always may.
    #[serde(default, skip_serializing_if = "is_default")]
    pub followed_by: BTreeSet<Namespace>,
}

impl JobSpec {
    /// A spec with every policy and option at its default.
    #[must_use]
    pub fn new(name: JobName, group: GroupName, handler: HandlerName, trigger: Trigger) -> Self {
        Self {
            name,
            group,
            handler,
            trigger,
            body: Bytes::new(),
            start_at: None,
            end_at: None,
            max_runs: None,
            jitter_ms: 0,
            misfire: Misfire::default(),
            overlap: Overlap::default(),
            options: ContextOptions::default(),
            routing: Routing::default(),
            workers: Selection::default(),
            resources: Units::default(),
            fairness: Fairness::default(),
            model: Model::Standalone,
            reduce: None,
            reduce_on: ReduceOn::default(),
            subtask: ContextOptions::default(),
            ledger_limit: LEDGER_DEFAULT,
            runs_limit: RUNS_DEFAULT,
            description: String::new(),
            labels: BTreeMap::new(),
            followed_by: BTreeSet::new(),
        }
    }

    /// The placement of its contexts; `None` where any worker of the group will do.
    #[must_use]
    pub fn placement(&self) -> Option<Placement> {
        Placement::of(
            Some(&self.name),
            &self.routing,
            (&self.workers, &self.resources),
        )
    }

    /// Whether `follower` may be started by its ends.
    #[must_use]
    pub fn lets_follow(&self, follower: &JobName) -> bool {
        let namespace = follower.namespace();
        let is_named = |one: &Namespace| one.as_str() == namespace;
        namespace == self.name.namespace() || self.followed_by.iter().any(is_named)
    }

    /// The spec as named msgpack, the form it has in Redis.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "strings, numbers and bytes always encode into a vector"
    )]
    pub fn encode(&self) -> Vec<u8> {
        rmp_serde::to_vec_named(self).expect("a job spec encodes")
    }

    /// Reads what [`JobSpec::encode`] wrote.
    ///
    /// # Errors
    /// A violation when the bytes are no spec.
    pub fn decode(bytes: &[u8]) -> Result<Self, Violation> {
        rmp_serde::from_slice(bytes)
            .map_err(|error| Violation::new("spec", "is a job spec in msgpack", error))
    }

    /// Digest of the whole spec, 40 hexadecimal digits: a new revision is made only when it changes.
    #[must_use]
    pub fn digest(&self) -> String {
        crate::id::hex(&Sha1::digest(self.encode()))
    }
}

/// Fields at their default are not written, so that the digest of a spec that does without them stays what it was.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn ledger_default() -> u32 {
    LEDGER_DEFAULT
}

fn runs_default() -> u32 {
    RUNS_DEFAULT
}

#[cfg(test)]
mod tests;
