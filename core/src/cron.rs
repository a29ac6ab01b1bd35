//! Cron expressions in a time zone.
//!
//! Five fields (or `@daily` …) are Linux crontab, six or seven are Quartz. Two engines evaluate them on plain local
//! times; what happens when a zone skips or repeats a local time is decided in `gap.rs` for both alike. Every call has a
//! bounded cost, also for an expression that never fires.

mod crontab;
mod explain;
mod fields;
mod gap;
mod quartz;

use chrono::{Days, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

use self::crontab::CronerEngine;
use self::fields::{Dialect, Fields};
use self::quartz::QuartzEngine;
use crate::error::Violation;
use crate::limits::{CRON_HORIZON_YEARS, UPCOMING_MAX};
use crate::time::{TimestampMs, parse_zone};

/// A checked cron expression in its zone.
#[derive(Debug, Clone)]
pub struct CronSchedule {
    expression: String,
    zone: Tz,
    fields: Fields,
    engine: Engine,
    interval: bool,
}

/// Who knows which local times match.
#[derive(Debug, Clone)]
enum Engine {
    Croner(Box<CronerEngine>),
    Quartz(Box<QuartzEngine>),
}

impl Engine {
    fn of(fields: &Fields) -> Result<Self, String> {
        match fields.dialect {
            Dialect::Quartz if !fields.is_extended() => {
                QuartzEngine::new(fields).map(|engine| Self::Quartz(Box::new(engine)))
            }
            Dialect::Quartz | Dialect::Crontab => {
                CronerEngine::new(fields).map(|engine| Self::Croner(Box::new(engine)))
            }
        }
    }

    fn next(&self, after: NaiveDateTime, last: NaiveDate) -> Option<NaiveDateTime> {
        match self {
            Self::Croner(engine) => engine.next(after, last),
            Self::Quartz(engine) => engine.next(after, last),
        }
    }

    fn ever_fires(&self) -> bool {
        match self {
            Self::Croner(engine) => engine.ever_fires(),
            Self::Quartz(engine) => engine.ever_fires(),
        }
    }
}

impl CronSchedule {
    /// Checks an expression and the IANA name of its zone (empty: UTC).
    ///
    /// # Errors
    /// A violation of the field `cron` or `zone`: too long, wrong grammar, a number out of its range, days that no
    /// calendar has, an unknown zone.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, Violation> {
        let zone = parse_zone(zone)?;
        let fields = Fields::parse(expression)?;
        let engine =
            Engine::of(&fields).map_err(|rule| Violation::new("cron", rule, expression))?;
        if !engine.ever_fires() {
            return Err(Violation::new(
                "cron",
                "never fires: no such day exists",
                expression,
            ));
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

    /// The first due time strictly after `after`, or `None` when there is none within five years of it.
    #[must_use]
    pub fn next_after(&self, after: TimestampMs) -> Option<TimestampMs> {
        let horizon = Days::new(u64::from(CRON_HORIZON_YEARS) * 366);
        let last = after.to_utc()?.date_naive().checked_add_days(horizon)?;
        gap::next_instant(self.zone, after, self.interval, |local| {
            self.engine.next(local, last)
        })
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
        explain::explain(&self.fields, self.zone, self.interval)
    }

    /// The expression as it was given.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The IANA name of the zone.
    #[must_use]
    pub fn zone(&self) -> &'static str {
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
