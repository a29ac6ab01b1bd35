//! Cron expressions in a time zone.
//!
//! Five fields (or `@daily` …) are Linux crontab, six or seven are Quartz. Two engines evaluate them on plain local
//! times: the `cron` crate plain Quartz, `days.rs` everything. What happens when a zone skips or repeats a local time is
//! decided in `gap.rs` for both alike. Every call has a bounded cost, also for an expression that never fires.

mod days;
mod explain;
mod fields;
mod gap;
mod hints;
mod quartz;

use chrono::{NaiveDate, NaiveDateTime};

use self::days::Walker;
use self::fields::{Dialect, Fields};
use self::quartz::QuartzEngine;
use crate::bounds::{INSTANT_MS_MAX, UPCOMING_MAX};
use crate::error::Violation;
use crate::time::TimestampMs;
use crate::zone::Zone;

/// A checked cron expression in its zone.
#[derive(Debug, Clone)]
pub struct CronSchedule {
    expression: String,
    zone: Zone,
    fields: Fields,
    engine: Engine,
    interval: bool,
}

/// Who knows which local times match.
#[derive(Debug, Clone)]
struct Engine {
    walker: Walker,
    /// Plain Quartz, up to the year 2100.
    quartz: Option<Box<QuartzEngine>>,
}

impl Engine {
    fn of(fields: &Fields) -> Result<Self, String> {
        let plain = fields.dialect == Dialect::Quartz && !fields.is_extended();
        let quartz = plain.then(|| QuartzEngine::new(fields).map(Box::new));
        Ok(Self {
            walker: Walker::new(fields),
            quartz: quartz.transpose()?,
        })
    }

    fn next(&self, after: NaiveDateTime, last: NaiveDate) -> Option<NaiveDateTime> {
        let quartz = self.quartz.as_ref();
        quartz
            .and_then(|engine| engine.next(after, last))
            .or_else(|| self.walker.next(after, last))
    }

    /// Whether any day ever matches. The calendar repeats itself every 400 years, and this looks at more.
    fn ever_fires(&self) -> bool {
        let first = NaiveDateTime::default();
        horizon().is_some_and(|last| self.walker.next(first, last).is_some())
    }
}

/// The last day that a due time may have: a search that goes this far finds every expression that has one.
fn horizon() -> Option<NaiveDate> {
    TimestampMs::new(INSTANT_MS_MAX)
        .to_utc()
        .map(|last| last.date_naive())
}

impl CronSchedule {
    /// Checks an expression and the IANA name of its zone (empty: UTC).
    ///
    /// # Errors
    /// A violation of the field `cron` or `zone`: too long, wrong grammar, a number out of its range, days that no
    /// calendar has, an unknown zone. A text of another system is answered with what to write instead.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, Violation> {
        let zone = Zone::parse(zone)?;
        let fields = Fields::parse(expression)?;
        let engine =
            Engine::of(&fields).map_err(|rule| Violation::new("cron", rule, expression))?;
        if !engine.ever_fires() {
            let rule = "never fires: no such day exists; a job that only runs when it is asked to has the trigger `manual`";
            return Err(Violation::new("cron", rule, expression));
        }
        let interval = gap::is_interval(&fields.hour);
        Ok(Self {
            expression: expression.trim().to_owned(),
            zone,
            fields,
            engine,
            interval,
        })
    }

    /// The first due time strictly after `after`, or `None` when there is none up to the last instant that a job may name,
    /// in the year 2527: the expression's years are over.
    #[must_use]
    pub fn next_after(&self, after: TimestampMs) -> Option<TimestampMs> {
        let last = horizon()?;
        let due = gap::next_instant(&self.zone, after, self.interval, |local| {
            self.engine.next(local, last)
        })?;
        (due.as_u64() <= INSTANT_MS_MAX).then_some(due)
    }

    /// The next `n` due times strictly after `after` (1,000 at most).
    #[must_use]
    pub fn upcoming(&self, after: TimestampMs, n: usize) -> Vec<TimestampMs> {
        std::iter::successors(self.next_after(after), |due| self.next_after(*due))
            .take(n.min(UPCOMING_MAX))
            .collect()
    }

    /// The expression in English words, with its zone.
    #[must_use]
    pub fn explain(&self) -> String {
        explain::explain(&self.fields, &self.zone, self.interval)
    }

    /// What is valid and was perhaps not meant: numbers of weekdays that other systems with six fields read differently.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        hints::other_numbers(&self.expression)
    }

    /// The expression as it was given.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The IANA name of the zone.
    #[must_use]
    pub fn zone(&self) -> &str {
        self.zone.name()
    }

    /// Whether it is an interval: it follows real time where the clocks change, instead of firing once per local time.
    #[must_use]
    pub const fn is_interval(&self) -> bool {
        self.interval
    }
}

#[cfg(test)]
mod tests;
