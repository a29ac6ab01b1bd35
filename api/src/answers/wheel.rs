//! How much is due when.

use serde::Serialize;
use tickwheel_proto::v1;

/// How much is due when, as the tracker that answers saw it last: five seconds ago at most, or longer where there are more than 160 partitions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Wheel {
    /// When it was looked at.
    pub time_ms: u64,
    /// The width of a bucket.
    pub width_ms: u64,
    /// What was counted. Null for callers who do not see everything.
    pub counts: Option<WheelCounts>,
    /// Partitions that could not be counted, and are in no number.
    pub unreadable: u64,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WheelCounts {
    /// Entries of all wheels: `overdue`, those of the buckets, and `later`.
    pub entries: u64,
    /// Those whose time has come, and that no turn took yet.
    pub overdue: u64,
    /// How long ago the time of the first of them came.
    pub lag_ms: u64,
    /// One behind the other. They begin at whole multiples of their width; the first one has the present instant, and what is due from then on.
    pub buckets: Vec<WheelBucket>,
    /// Entries that are due behind the last bucket.
    pub later: u64,
}

/// What is due in one span of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WheelBucket {
    /// When it begins.
    pub from_ms: u64,
    /// Entries.
    pub entries: u64,
    /// What they are. Null where they are too many to be read.
    pub kinds: Option<WheelKinds>,
}

/// What entries of wheels are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WheelKinds {
    /// Runs that were never tried.
    pub runs: u64,
    /// Runs that wait for another attempt.
    pub retries: u64,
    /// Next firings of jobs.
    pub jobs: u64,
    /// Start deadlines of runs.
    pub deadlines: u64,
    /// What the scheduler does for itself.
    pub upkeep: u64,
}

impl From<v1::Wheel> for Wheel {
    fn from(wheel: v1::Wheel) -> Self {
        Self {
            time_ms: wheel.time_ms,
            width_ms: wheel.width_ms,
            counts: wheel.counts.map(WheelCounts::from),
            unreadable: wheel.unreadable,
        }
    }
}

impl From<v1::WheelCounts> for WheelCounts {
    fn from(counts: v1::WheelCounts) -> Self {
        Self {
            entries: counts.entries,
            overdue: counts.overdue,
            lag_ms: counts.lag_ms,
            buckets: counts.buckets.into_iter().map(Into::into).collect(),
            later: counts.later,
        }
    }
}

impl From<v1::WheelBucket> for WheelBucket {
    fn from(bucket: v1::WheelBucket) -> Self {
        Self {
            from_ms: bucket.from_ms,
            entries: bucket.entries,
            kinds: bucket.kinds.map(WheelKinds::from),
        }
    }
}

impl From<v1::WheelKinds> for WheelKinds {
    fn from(kinds: v1::WheelKinds) -> Self {
        Self {
            runs: kinds.runs,
            retries: kinds.retries,
            jobs: kinds.jobs,
            deadlines: kinds.deadlines,
            upkeep: kinds.upkeep,
        }
    }
}
