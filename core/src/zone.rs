//! Zones of the IANA time zone database: what the clocks of a place show at an instant, and when they show a local time.

mod suggest;
mod table;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDateTime, TimeDelta, Timelike};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};

pub use table::{Edition, ZoneTable, install, table};

use crate::error::Violation;

/// A zone of the table in use.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: Arc<str>,
    rules: TimeZone,
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zone").field(&self.name).finish()
    }
}

/// Where a local time lies in real time; instants are UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// At one instant.
    Once(NaiveDateTime),
    /// At two: the clocks went back over it.
    Twice {
        /// The earlier.
        first: NaiveDateTime,
        /// The later.
        second: NaiveDateTime,
    },
    /// Nowhere: the clocks went over it. They went on at the UTC instant `at`, showing `local`.
    Gap {
        /// The first instant after the gap.
        at: NaiveDateTime,
        /// What the clocks showed then.
        local: NaiveDateTime,
    },
}

impl Zone {
    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self {
            name: "UTC".into(),
            rules: TimeZone::UTC,
        }
    }

    /// The zone of an IANA name in its exact spelling; empty means UTC.
    ///
    /// # Errors
    /// A violation of the field `zone` when there is no such zone, with what was probably meant.
    pub fn parse(name: &str) -> Result<Self, Violation> {
        if name.is_empty() || name == "UTC" {
            return Ok(Self::utc());
        }
        match table().rules(name) {
            Some(rules) => Ok(Self {
                name: name.into(),
                rules,
            }),
            None => Err(Violation::new(
                "time_zone",
                suggest::rule(name, table()),
                name,
            )),
        }
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is UTC itself.
    pub(crate) fn is_utc(&self) -> bool {
        &*self.name == "UTC"
    }

    /// What the clocks show at an instant, as an offset from UTC in seconds. Beyond the year 9999: that of its end.
    fn seconds_at(&self, utc: NaiveDateTime) -> i32 {
        self.rules.to_offset(timestamp(utc)).seconds()
    }

    /// The offset from UTC at an instant.
    pub(crate) fn offset_at(&self, utc: NaiveDateTime) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.seconds_at(utc)))
    }

    /// The local time at an instant.
    pub(crate) fn local(&self, utc: NaiveDateTime) -> NaiveDateTime {
        utc.checked_add_signed(self.offset_at(utc)).unwrap_or(utc)
    }

    /// An instant with the offset that holds there.
    pub(crate) fn date(&self, utc: NaiveDateTime) -> DateTime<FixedOffset> {
        let offset = FixedOffset::east_opt(self.seconds_at(utc));
        let none = FixedOffset::east_opt(0);
        // No zone is a day away from UTC, where an offset ends to be one.
        match offset.or(none) {
            Some(offset) => utc.and_utc().with_timezone(&offset),
            None => utc.and_utc().fixed_offset(),
        }
    }

    /// When the clocks show a local time.
    pub(crate) fn place(&self, local: NaiveDateTime) -> Place {
        let Some(wall) = wall(local) else {
            return Place::Once(local);
        };
        let less =
            |offset: jiff::tz::Offset| local - TimeDelta::seconds(i64::from(offset.seconds()));
        match self.rules.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => Place::Once(less(offset)),
            AmbiguousOffset::Fold { before, after } => Place::Twice {
                first: less(before),
                second: less(after),
            },
            AmbiguousOffset::Gap { before, after } => {
                // Read by the later offset it is an instant before the change, by the earlier one an instant after it.
                let at = self.change_between(less(after), less(before));
                Place::Gap {
                    at,
                    local: self.local(at),
                }
            }
        }
    }

    /// The first instant at which the offset is not that of `low`, which it is not at `high`: halves until it is known.
    pub(crate) fn change_between(&self, low: NaiveDateTime, high: NaiveDateTime) -> NaiveDateTime {
        let before = self.seconds_at(low);
        let (mut low, mut high) = (low, high);
        while high - low > TimeDelta::seconds(1) {
            let middle = low + TimeDelta::seconds((high - low).num_seconds() / 2);
            if self.seconds_at(middle) == before {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

fn timestamp(utc: NaiveDateTime) -> Timestamp {
    Timestamp::from_second(utc.and_utc().timestamp()).unwrap_or(Timestamp::MAX)
}

/// A local time for the table; `None` beyond the year 9999.
fn wall(local: NaiveDateTime) -> Option<civil::DateTime> {
    let small = |number: u32| i8::try_from(number).ok();
    civil::DateTime::new(
        i16::try_from(local.year()).ok()?,
        small(local.month())?,
        small(local.day())?,
        small(local.hour())?,
        small(local.minute())?,
        small(local.second())?,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests;
