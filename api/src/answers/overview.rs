//! How the cluster is, in numbers.

use serde::Serialize;
use tickwheel_proto::v1;

/// How the cluster is, in numbers, as the tracker that answers saw it last: a second ago at most, or longer where there are more than 256
/// partitions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overview {
    /// When it was looked at.
    pub time_ms: u64,
    /// What there is in all. Null for callers who do not see everything.
    pub totals: Option<Totals>,
    /// The groups in sight that have live workers, or something that waits for them.
    pub groups: Vec<GroupNumbers>,
    /// There are more groups or workers than were looked at.
    pub cut: bool,
    /// Partitions and keys that could not be counted, and are in no number.
    pub unreadable: u64,
}

/// What there is in all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Totals {
    /// Entries of the wheel whose time has not come: runs, next due times of jobs, and a few of the scheduler's own.
    pub scheduled: u64,
    /// Those whose time has come, and that no turn took yet.
    pub overdue: u64,
    /// How long ago the time of the first of them came.
    pub lag_ms: u64,
    /// Runs that wait for a permit, of up to 64 queues in each partition.
    pub ready: u64,
    /// Runs that workers hold.
    pub running: u64,
    /// Runs that ended without success and are kept.
    pub dead: u64,
    /// Runs that ended in the last minute.
    pub ended: EndedLately,
    /// Trackers that live.
    pub trackers: u32,
    /// What the primaries of Redis use of their memory; 0: they do not tell.
    pub redis_memory_bytes: u64,
    /// What they may use; 0: one of them has no bound.
    pub redis_memory_max_bytes: u64,
}

/// Runs that ended in the last minute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EndedLately {
    /// With success.
    pub succeeded: u64,
    /// With their attempts used up, or for good.
    pub failed: u64,
    /// The last attempt ran past its timeout.
    pub timed_out: u64,
    /// Stopped by a person or a policy.
    pub cancelled: u64,
    /// Not started by their start deadline.
    pub expired: u64,
    /// There were many: the numbers are reckoned from the newest of them.
    pub estimated: bool,
}

/// A group, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupNumbers {
    /// Its name.
    pub group: String,
    /// Its live workers.
    pub workers: u64,
    /// Runs that they may have at once.
    pub permits: u64,
    /// Runs that they have, by their last heartbeats.
    pub running: u64,
    /// Runs that wait for a permit. Null for callers who do not see all namespaces and handlers.
    pub ready: Option<u64>,
}

impl From<v1::Overview> for Overview {
    fn from(overview: v1::Overview) -> Self {
        Self {
            time_ms: overview.time_ms,
            totals: overview.totals.map(Totals::from),
            groups: overview.groups.into_iter().map(Into::into).collect(),
            cut: overview.cut,
            unreadable: overview.unreadable,
        }
    }
}

impl From<v1::OverviewTotals> for Totals {
    fn from(totals: v1::OverviewTotals) -> Self {
        Self {
            scheduled: totals.scheduled,
            overdue: totals.overdue,
            lag_ms: totals.lag_ms,
            ready: totals.ready,
            running: totals.running,
            dead: totals.dead,
            ended: totals.ended.unwrap_or_default().into(),
            trackers: totals.trackers,
            redis_memory_bytes: totals.redis_memory_bytes,
            redis_memory_max_bytes: totals.redis_memory_max_bytes,
        }
    }
}

impl From<v1::OverviewEnds> for EndedLately {
    fn from(ended: v1::OverviewEnds) -> Self {
        Self {
            succeeded: ended.succeeded,
            failed: ended.failed,
            timed_out: ended.timed_out,
            cancelled: ended.cancelled,
            expired: ended.expired,
            estimated: ended.estimated,
        }
    }
}

impl EndedLately {
    /// All of them.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.succeeded + self.failed + self.timed_out + self.cancelled + self.expired
    }
}

impl From<v1::OverviewGroup> for GroupNumbers {
    fn from(group: v1::OverviewGroup) -> Self {
        Self {
            group: group.group,
            workers: group.workers,
            permits: group.permits,
            running: group.running,
            ready: group.ready,
        }
    }
}
