//! The due times of a job: pure arithmetic on its trigger, start, end and instant of registration.
//!
//! Nominal due times only. Jitter is added when a firing is placed in the wheel, and a delay's next due time follows
//! from the end of an execution; neither changes what is computed here.

use crate::bounds::UPCOMING_MAX;
use crate::cron::CronSchedule;
use crate::error::Violation;
use crate::job::{JobSpec, Trigger};
use crate::time::TimestampMs;

/// The due times of one job.
#[derive(Debug, Clone)]
pub struct Calendar {
    rule: Rule,
    start_at: Option<TimestampMs>,
    end_at: Option<TimestampMs>,
    registered_at: TimestampMs,
}

/// How due times follow from each other.
#[derive(Debug, Clone)]
enum Rule {
    Cron(Box<CronSchedule>),
    /// `anchor + k * period`, for any whole k.
    Grid {
        anchor: TimestampMs,
        period_ms: u64,
    },
    /// One instant; a delay's following ones come from completions.
    Single(TimestampMs),
    /// None follows from the clock.
    Never,
}

impl Calendar {
    /// The calendar of a job registered at `registered_at`.
    ///
    /// # Errors
    /// A violation when the cron expression or its zone is wrong.
    pub fn new(spec: &JobSpec, registered_at: TimestampMs) -> Result<Self, Violation> {
        // A start in the past is over: a job never begins with due times from before its registration.
        let start = spec
            .start_at
            .map_or(registered_at, |start| start.max(registered_at));
        let rule = match &spec.trigger {
            Trigger::Cron {
                expression,
                time_zone: zone,
            } => {
                let schedule = CronSchedule::parse(expression, zone)
                    .map_err(|wrong| wrong.prefix("trigger"))?;
                Rule::Cron(Box::new(schedule))
            }
            Trigger::FixedRate {
                period_ms,
                anchor_ms,
            } => {
                let anchor = anchor_ms.or(spec.start_at).unwrap_or(registered_at);
                Rule::Grid {
                    anchor,
                    period_ms: (*period_ms).max(1),
                }
            }
            Trigger::FixedDelay { .. } => Rule::Single(start),
            Trigger::Once { at_ms } => Rule::Single(*at_ms),
            Trigger::Manual | Trigger::After { .. } => Rule::Never,
        };
        Ok(Self {
            rule,
            start_at: spec.start_at,
            end_at: spec.end_at,
            registered_at,
        })
    }

    /// The first due time, or `None` when there is none.
    ///
    /// Cron and fixed rate: the first after the registration, or from `start_at` on when that is later (`start_at` itself
    /// counts). Without an anchor or `start_at` the grid of a fixed rate begins one period after the registration. Delays:
    /// the registration, or `start_at` when that is later. Once: its instant, also when it has passed: the misfire policy
    /// decides about that.
    #[must_use]
    pub fn first(&self) -> Option<TimestampMs> {
        let due = match &self.rule {
            Rule::Cron(schedule) => schedule.next_after(self.eve())?,
            Rule::Grid { anchor, period_ms } => grid_after(*anchor, *period_ms, self.eve())?,
            Rule::Single(at) => *at,
            Rule::Never => return None,
        };
        self.within(due)
    }

    /// The first due time strictly after `due`, within `start_at` and `end_at`.
    #[must_use]
    pub fn next_after(&self, due: TimestampMs) -> Option<TimestampMs> {
        let next = match &self.rule {
            Rule::Cron(schedule) => schedule.next_after(due.max(self.eve_of_start()))?,
            Rule::Grid { anchor, period_ms } => {
                grid_after(*anchor, *period_ms, due.max(self.eve_of_start()))?
            }
            Rule::Single(at) if *at > due => *at,
            Rule::Single(_) | Rule::Never => return None,
        };
        self.within(next)
    }

    /// The next `n` due times after `after` (1,000 at most).
    #[must_use]
    pub fn upcoming(&self, after: TimestampMs, n: usize) -> Vec<TimestampMs> {
        std::iter::successors(self.next_after(after), |due| self.next_after(*due))
            .take(n.min(UPCOMING_MAX))
            .collect()
    }

    /// Due times come after this instant: the registration, or just before `start_at` when that is later.
    fn eve(&self) -> TimestampMs {
        self.registered_at.max(self.eve_of_start())
    }

    fn eve_of_start(&self) -> TimestampMs {
        self.start_at
            .map_or(TimestampMs::ZERO, |start| start.minus_ms(1))
    }

    fn within(&self, due: TimestampMs) -> Option<TimestampMs> {
        let started = self.start_at.is_none_or(|start| due >= start);
        let ended = self.end_at.is_some_and(|end| due > end);
        (started && !ended).then_some(due)
    }
}

/// The first instant of a grid strictly after `eve`; `None` beyond the last representable one.
fn grid_after(anchor: TimestampMs, period_ms: u64, eve: TimestampMs) -> Option<TimestampMs> {
    let (anchor, eve) = (anchor.as_u64(), eve.as_u64());
    let due = if eve >= anchor {
        let periods = (eve - anchor) / period_ms + 1;
        anchor.checked_add(periods.checked_mul(period_ms)?)?
    } else {
        anchor - (anchor - eve - 1) / period_ms * period_ms
    };
    Some(TimestampMs::new(due))
}

#[cfg(test)]
mod tests;
