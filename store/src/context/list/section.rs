//! The sections of a list: places that every partition has, each in an order of its own.

use crate::context::count::Counts;

/// Ids of a hash that a partition is asked to put in order. It takes half a millisecond.
const SORTED_MAX: u64 = 1_000;
/// The same over all partitions: an eighth of them counts as looked at.
const SORTED_SUM_MAX: u64 = 16_000;

/// A place of `context/list`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// What runs, the earliest due time first.
    Running,
    /// What is split and waits for its subtasks, in the same order.
    Split,
    /// What waits for a permit, queue by queue.
    Ready,
    /// What waits behind an earlier run, job by job.
    Queued,
    /// What waits for another attempt, the earliest first.
    Retrying,
    /// What has a time: what is scheduled and what waits for another attempt, the earliest first.
    Timed,
    /// What a job has under way, the earliest due time first.
    Active,
    /// What has ended, by the events, and behind them by the dead that are older, the newest end first.
    Ends,
    /// The dead, the newest end first.
    Dead,
    /// What has ended of a job, the newest end first.
    Runs,
}

impl Section {
    /// What the script calls it.
    pub(super) const fn place(self) -> &'static str {
        match self {
            Self::Running => "held",
            Self::Split => "fans",
            Self::Ready => "ready",
            Self::Queued => "queue",
            Self::Retrying => "retry",
            Self::Timed => "wheel",
            Self::Active => "active",
            Self::Ends => "ends",
            Self::Dead => "dead",
            Self::Runs => "runs",
        }
    }

    /// Whether it has what has ended: the newest first.
    pub(super) const fn is_ended(self) -> bool {
        matches!(self, Self::Ends | Self::Dead | Self::Runs)
    }

    /// Whether it lies in a hash, which has no order of its own.
    pub(super) const fn is_hash(self) -> bool {
        matches!(
            self,
            Self::Running | Self::Split | Self::Retrying | Self::Active
        )
    }

    /// Whether it has sets one behind the other, so that a point has the name of one in front of it.
    pub(super) const fn has_names(self) -> bool {
        matches!(self, Self::Ready | Self::Queued)
    }

    /// What was let go of it, in words.
    pub(super) const fn horizon(self) -> &'static str {
        match self {
            Self::Ends => {
                "a partition keeps its newest 1,000 batches of ends, or 16 MiB of them; of what ended before, only what is kept among the dead is listed"
            }
            Self::Dead => "a partition keeps its newest 10,000 dead, within their budget of bytes",
            Self::Runs => "a job keeps as many of its newest runs as it says",
            Self::Running
            | Self::Split
            | Self::Ready
            | Self::Queued
            | Self::Retrying
            | Self::Timed
            | Self::Active => "",
        }
    }

    /// About how many entries it has; `None` when nobody counts them.
    fn count(self, counts: &Counts) -> Option<u64> {
        match self {
            Self::Running | Self::Active => Some(counts.held),
            Self::Split => Some(counts.fans),
            Self::Ready => Some(counts.ready),
            Self::Queued => counts.queue,
            Self::Retrying => Some(counts.retry),
            Self::Timed => Some(counts.wheel),
            // Most of the dead are among the events as well.
            Self::Ends => Some(counts.ends.max(counts.dead)),
            Self::Dead => Some(counts.dead),
            Self::Runs => Some(counts.ends),
        }
    }

    /// What it adds to the sum that a list has to look at.
    pub(super) fn weight(self, counts: &Counts) -> u64 {
        self.count(counts).unwrap_or_default()
    }

    /// Whether there is nothing to be asked for. What has ended is asked for in any case, as it says since when it is complete, and so is
    /// everything where a key could not be counted.
    pub(super) fn is_empty(self, counts: &Counts) -> bool {
        !self.is_ended() && counts.unreadable == 0 && self.count(counts) == Some(0)
    }

    /// Whether it is too much to be put in order.
    pub(super) fn is_crowded(self, counts: &Counts) -> bool {
        let most = match self {
            Self::Running | Self::Active => counts.held_most,
            Self::Split => counts.fans_most,
            Self::Retrying => counts.retry_most,
            Self::Ready | Self::Queued | Self::Timed | Self::Ends | Self::Dead | Self::Runs => {
                return false;
            }
        };
        most > SORTED_MAX || self.weight(counts) > SORTED_SUM_MAX
    }
}
