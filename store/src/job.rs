//! Operations on jobs: apply, plan, pause, resume, delete, follow, and reading them back. Scripts: `lua/job/`.

mod apply;
mod delete;
mod follow;
mod history;
mod over;
mod plan;
mod read;
mod state;
mod zones;

use fred::types::Value;
use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::job::{AfterOn, JobSpec};
use tickwheel_core::partition::{PartitionId, partition_of};
use tickwheel_core::time::TimestampMs;
use tickwheel_core::zone::Edition;

pub use apply::{Applied, Change, Only};
pub use delete::{Deleted, Deletion, IdleDeletion};
pub use follow::{FOLLOWERS_MAX, followers_full};
pub use history::LedgerRange;
pub use over::OverPage;
pub use plan::{PlanGuard, PlanOutcome};
pub use zones::StalePlans;

use crate::error::Error;
use crate::reply::Reply;
use crate::script::Script;
use crate::store::Store;

/// Due times that a tracker worked out for a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Ascending, at most 1,000. The first is the next due time, or follows the last planned one.
    pub dues: Vec<TimestampMs>,
    /// True when no due time follows these.
    pub end: bool,
}

impl Plan {
    /// The due times behind the edition of the zone table they are from.
    fn dues_arg(&self, zones: &Edition) -> String {
        let dues: Vec<String> = self
            .dues
            .iter()
            .map(|due| due.as_u64().to_string())
            .collect();
        format!("{zones} {}", dues.join(" "))
    }
}

/// Whether a job fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// By its trigger.
    Active,
    /// Not by its trigger, until resumed.
    Paused,
    /// Nothing is left to fire.
    Finished,
    /// Its deletion has begun and needs another call.
    Deleting,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Active, Self::Paused, Self::Finished, Self::Deleting];

    /// The word in Redis.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Deleting => "deleting",
        }
    }
}

/// A job with what became of it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    /// As applied last.
    pub spec: JobSpec,
    /// Grows by one with each change of the spec, from 1.
    pub revision: u64,
    /// Whether it fires.
    pub state: JobState,
    /// Why it is paused.
    pub note: String,
    /// When its first revision was applied.
    pub created: TimestampMs,
    /// When it was last applied, paused or resumed.
    pub updated: TimestampMs,
    /// The next due time. `None` while it is not known yet, and when there is none. A paused job keeps the one it had.
    pub next_due: Option<TimestampMs>,
    /// The newest due time that was decided: fired, skipped or missed.
    pub last_due: Option<TimestampMs>,
    /// Due times that became contexts.
    pub fired: u64,
    /// Contexts created outside the trigger.
    pub manual: u64,
    /// Due times known behind the next one.
    pub planned: Vec<TimestampMs>,
    /// True when nothing follows the planned ones.
    pub plan_end: bool,
    /// The edition of the time zone table that the planned ones are from, the oldest of them; empty when it is not known or makes no difference.
    pub zones: String,
    /// Contexts created and not ended; at most 1,000 of them.
    pub active: Vec<ContextId>,
    /// Contexts that wait for one of the active ones.
    pub queued: u64,
    /// Who is told of its ends.
    pub followers: Vec<(JobName, AfterOn)>,
}

impl Store {
    /// The partition of `job`.
    #[must_use]
    pub fn partition_of_job(&self, job: &JobName) -> PartitionId {
        partition_of(job.as_str(), self.partitions)
    }

    /// Calls a script on the partition of `job`.
    async fn call_job(
        &self,
        script: &'static Script,
        job: &JobName,
        args: Vec<Value>,
    ) -> Result<(String, Reply), Error> {
        let keys = vec![self.keys.wheel(self.partition_of_job(job))];
        let value = self.redis.call(script, keys, args).await?;
        Reply::open(script.name(), value)
    }
}

/// Followers as they are kept: `<follower>:<on>` separated by spaces; `None` when they cannot be read.
pub(crate) fn followers_of(text: &str) -> Option<Vec<(JobName, AfterOn)>> {
    let follower = |pair: &str| {
        let (job, on) = pair.split_once(':')?;
        Some((JobName::new(job).ok()?, on.parse().ok()?))
    };
    text.split_whitespace().map(follower).collect()
}

fn no_job(job: &JobName) -> Error {
    Error::NotFound {
        kind: "job",
        id: job.to_string(),
    }
}

/// It has another revision than whoever asks knows of.
fn changed(job: &JobName, revision: u64) -> Error {
    Error::Changed {
        what: format!("job `{job}`"),
        revision,
    }
}

fn deleting(job: &JobName) -> Error {
    Error::Conflict(format!("job `{job}` is being deleted"))
}
