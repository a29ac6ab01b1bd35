//! When a job is due.

use serde::{Deserialize, Serialize};

use crate::id::JobName;
use crate::time::TimestampMs;
use crate::word::word_enum;

/// When a job is due.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// At the local times an expression names.
    Cron {
        /// Five fields (or `@daily` …): Linux crontab. Six or seven: Quartz.
        expression: String,
        /// IANA zone; empty: UTC.
        time_zone: String,
    },
    /// On a grid of instants, whatever the executions take.
    FixedRate {
        /// Milliseconds between two due times, 10 at least.
        period_ms: u64,
        /// One due time of the grid; `None`: `start_at`, or the instant of registration.
        anchor_ms: Option<TimestampMs>,
    },
    /// A while after the previous execution ended.
    FixedDelay {
        /// Milliseconds from an end to the next due time.
        delay_ms: u64,
    },
    /// At one instant.
    Once {
        /// The instant.
        at_ms: TimestampMs,
    },
    /// Only when somebody asks for it.
    Manual,
    /// When another job's context ended.
    After {
        /// The job to wait for.
        job: JobName,
        /// Which of its ends count.
        on: AfterOn,
    },
}

impl Trigger {
    /// Whether its due times follow from the clock alone.
    #[must_use]
    pub const fn has_calendar(&self) -> bool {
        match self {
            Self::Cron { .. }
            | Self::FixedRate { .. }
            | Self::FixedDelay { .. }
            | Self::Once { .. } => true,
            Self::Manual | Self::After { .. } => false,
        }
    }

    /// The word for this kind of trigger.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Cron { .. } => "cron",
            Self::FixedRate { .. } => "fixed_rate",
            Self::FixedDelay { .. } => "fixed_delay",
            Self::Once { .. } => "once",
            Self::Manual => "manual",
            Self::After { .. } => "after",
        }
    }

    /// Milliseconds from the end of an execution to the next due time, for a fixed delay.
    #[must_use]
    pub fn delay_ms(&self) -> Option<u64> {
        match self {
            Self::FixedDelay { delay_ms } => Some(*delay_ms),
            Self::Cron { .. }
            | Self::FixedRate { .. }
            | Self::Once { .. }
            | Self::Manual
            | Self::After { .. } => None,
        }
    }
}

word_enum! {
    /// Which ends of the upstream job's contexts make a follower due.
    AfterOn {
        /// Only a success.
        Succeeded = "succeeded",
        /// An end without success: failed, timed out or expired. A cancellation is neither.
        Failed = "failed",
        /// Every end.
        Ended = "ended",
    }
}
