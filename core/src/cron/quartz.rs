//! Evaluates a Quartz expression by the `cron` crate.
//!
//! Only on local times without a zone: its own handling of zones skips a day whose local time does not exist and fires
//! twice where it exists twice, so the zone is applied by [`super::gap`].

use chrono::{NaiveDate, NaiveDateTime};
use cron::Schedule;

use crate::cron::fields::Fields;

/// The `cron` crate's schedule of an expression.
#[derive(Debug, Clone)]
pub(super) struct QuartzEngine(Schedule);

impl QuartzEngine {
    /// The schedule of a checked expression without `L`, `W` and `#`; an error text when the crate refuses it.
    pub(super) fn new(fields: &Fields) -> Result<Self, String> {
        let expression = [
            fields.second.render(),
            fields.minute.render(),
            fields.hour.render(),
            fields.day_of_month.render(),
            fields.month.render(),
            fields.day_of_week.render(),
            fields.year.render(),
        ]
        .join(" ");
        Schedule::try_from(expression)
            .map(Self)
            .map_err(|error| error.to_string())
    }

    /// The first local time strictly after `after` that matches, none after the day `last` or after 2100: the crate's
    /// years end there.
    pub(super) fn next(&self, after: NaiveDateTime, last: NaiveDate) -> Option<NaiveDateTime> {
        let next = self.0.after(&after.and_utc()).next()?.naive_utc();
        (next.date() <= last).then_some(next)
    }
}
