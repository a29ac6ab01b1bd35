//! How a job fared, in numbers.

use serde::Serialize;
use tickwheel_proto::v1;

/// A job's due times and runs, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobStats {
    /// Due times from here on were looked at.
    pub from_ms: u64,
    /// And before this.
    pub to_ms: u64,
    /// The width of a cell.
    pub cell_ms: u64,
    /// Due times that fired. Of a row of due times in one record each counts; they are taken for evenly spread.
    pub fired: u64,
    /// Due times that the overlap policy or a pause let pass.
    pub skipped: u64,
    /// Due times that were popped too late.
    pub missed: u64,
    /// Due times of a job that ended before them.
    pub cancelled: u64,
    /// Runs that ended well, of those whose ends are kept.
    pub runs_succeeded: u64,
    /// Runs that failed.
    pub runs_failed: u64,
    /// Runs that took too long.
    pub runs_timed_out: u64,
    /// Runs that were stopped.
    pub runs_cancelled: u64,
    /// Runs that no worker took in time.
    pub runs_expired: u64,
    /// From the due time to the decision to fire, of what the trigger fired.
    pub decided: Option<Spread>,
    /// From the due time to the start of the last attempt.
    pub started: Option<Spread>,
    /// From the start of the last attempt to the end.
    pub ran: Option<Spread>,
    /// Those in which something was due, the oldest first.
    pub cells: Vec<StatsCell>,
    /// Records that could not be read, and are not counted.
    pub unreadable: u64,
}

/// How spans are spread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Spread {
    /// How many there are.
    pub count: u64,
    /// The shortest.
    pub least_ms: u64,
    /// Half of them are at most as long.
    pub p50_ms: u64,
    /// Nine of ten are.
    pub p90_ms: u64,
    /// Ninety-nine of a hundred are.
    pub p99_ms: u64,
    /// The longest.
    pub most_ms: u64,
}

/// What was due in a span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatsCell {
    /// Where it begins; it is as long as a cell.
    pub from_ms: u64,
    /// Due times that fired.
    pub fired: u64,
    /// Due times that were let pass.
    pub skipped: u64,
    /// Due times that were popped too late.
    pub missed: u64,
    /// Due times of a job that ended before them.
    pub cancelled: u64,
    /// Runs that were due in it and ended well.
    pub succeeded: u64,
    /// Runs that were due in it and failed, took too long or were not taken in time.
    pub failed: u64,
}

impl From<v1::JobStats> for JobStats {
    fn from(stats: v1::JobStats) -> Self {
        Self {
            from_ms: stats.from_ms,
            to_ms: stats.to_ms,
            cell_ms: stats.cell_ms,
            fired: stats.fired,
            skipped: stats.skipped,
            missed: stats.missed,
            cancelled: stats.cancelled,
            runs_succeeded: stats.runs_succeeded,
            runs_failed: stats.runs_failed,
            runs_timed_out: stats.runs_timed_out,
            runs_cancelled: stats.runs_cancelled,
            runs_expired: stats.runs_expired,
            decided: stats.decided.map(Spread::from),
            started: stats.started.map(Spread::from),
            ran: stats.ran.map(Spread::from),
            cells: stats.cells.into_iter().map(StatsCell::from).collect(),
            unreadable: stats.unreadable,
        }
    }
}

impl From<v1::Spread> for Spread {
    fn from(spread: v1::Spread) -> Self {
        Self {
            count: spread.count,
            least_ms: spread.least_ms,
            p50_ms: spread.p50_ms,
            p90_ms: spread.p90_ms,
            p99_ms: spread.p99_ms,
            most_ms: spread.most_ms,
        }
    }
}

impl From<v1::StatsCell> for StatsCell {
    fn from(cell: v1::StatsCell) -> Self {
        Self {
            from_ms: cell.from_ms,
            fired: cell.fired,
            skipped: cell.skipped,
            missed: cell.missed,
            cancelled: cell.cancelled,
            succeeded: cell.succeeded,
            failed: cell.failed,
        }
    }
}
