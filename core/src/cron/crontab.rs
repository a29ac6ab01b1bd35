//! Evaluates an expression by croner's pattern: crontab, and Quartz with `L`, `W` or `#`.
//!
//! Croner's own search walks thousands of years for an expression that never fires. Here days are walked up to a given
//! last day, and croner answers for each day and time of day, so the cost is bounded.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, Direction, TimeComponent, Weekday};

use crate::cron::fields::{Dialect, Field, Fields};

/// Croner's pattern of an expression.
#[derive(Debug, Clone)]
pub(super) struct CronerEngine(Cron);

impl CronerEngine {
    /// The pattern of a checked expression; an error text when croner refuses it all the same.
    pub(super) fn new(fields: &Fields) -> Result<Self, String> {
        // Linux cron: both day fields restricted means either; a field that begins with a star does not restrict.
        // Quartz: both must match.
        let both = fields.dialect == Dialect::Quartz
            || fields.day_of_month.starts_with_star()
            || fields.day_of_week.starts_with_star();
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Required)
            .dom_and_dow(both)
            .build();
        let pattern = render(fields);
        parser
            .parse(&pattern)
            .map(Self)
            .map_err(|error| error.to_string())
    }

    /// The first local time strictly after `after` that matches, none after the day `last`.
    pub(super) fn next(&self, after: NaiveDateTime, last: NaiveDate) -> Option<NaiveDateTime> {
        let from = after.checked_add_signed(TimeDelta::seconds(1))?;
        let mut day = from.date();
        let mut time = from.time();
        while day <= last {
            if !self.month_matches(day) || !self.year_matches(day) {
                day = day.with_day(1)?.checked_add_months(Months::new(1))?;
                time = NaiveTime::MIN;
                continue;
            }
            if self.day_matches(day)
                && let Some(found) = self.next_time(time)
            {
                return Some(day.and_time(found));
            }
            day = day.checked_add_days(Days::new(1))?;
            time = NaiveTime::MIN;
        }
        None
    }

    /// Whether any day ever matches: the calendar repeats its weekdays and leap years every 28 years.
    pub(super) fn ever_fires(&self) -> bool {
        let first = NaiveDate::from_ymd_opt(2001, 1, 1).unwrap_or_default();
        let cycle = 28 * 366;
        first
            .iter_days()
            .take(cycle)
            .any(|day| self.month_matches(day) && self.day_matches(day))
    }

    fn year_matches(&self, day: NaiveDate) -> bool {
        self.0.pattern.year_match(day.year()).unwrap_or(false)
    }

    fn month_matches(&self, day: NaiveDate) -> bool {
        self.0.pattern.month_match(day.month()).unwrap_or(false)
    }

    fn day_matches(&self, day: NaiveDate) -> bool {
        let weekday = weekday(day.weekday());
        self.0
            .pattern
            .day_match(day.year(), day.month(), day.day(), weekday)
            .unwrap_or(false)
    }

    /// The first matching time of day that is not before `from`.
    fn next_time(&self, from: NaiveTime) -> Option<NaiveTime> {
        let hour = self.part(TimeComponent::Hour, from.hour())?;
        if hour > from.hour() {
            return self.first_in_hour(hour);
        }
        match self.part(TimeComponent::Minute, from.minute()) {
            Some(minute) if minute > from.minute() => return self.first_in_minute(hour, minute),
            Some(minute) => {
                if let Some(second) = self.part(TimeComponent::Second, from.second()) {
                    return NaiveTime::from_hms_opt(hour, minute, second);
                }
                if let Some(minute) = self.part(TimeComponent::Minute, minute + 1) {
                    return self.first_in_minute(hour, minute);
                }
            }
            None => {}
        }
        self.first_in_hour(self.part(TimeComponent::Hour, hour + 1)?)
    }

    fn first_in_hour(&self, hour: u32) -> Option<NaiveTime> {
        self.first_in_minute(hour, self.part(TimeComponent::Minute, 0)?)
    }

    fn first_in_minute(&self, hour: u32, minute: u32) -> Option<NaiveTime> {
        NaiveTime::from_hms_opt(hour, minute, self.part(TimeComponent::Second, 0)?)
    }

    /// The first value of a component from `from` on.
    fn part(&self, component: TimeComponent, from: u32) -> Option<u32> {
        // Beyond the greatest value croner answers with an error, here it means that there is none.
        self.0
            .pattern
            .find_match_in_component(from, component, Direction::Forward)
            .ok()
            .flatten()
    }
}

/// Seven fields in croner's numbering: Sunday is 0.
fn render(fields: &Fields) -> String {
    let shift = fields.day_of_week.rule.min;
    let of = |field: &Field| field.render(0, field.rule.max);
    [
        of(&fields.second),
        of(&fields.minute),
        of(&fields.hour),
        of(&fields.day_of_month),
        of(&fields.month),
        fields.day_of_week.render(shift, 6),
        of(&fields.year),
    ]
    .join(" ")
}

fn weekday(day: chrono::Weekday) -> Weekday {
    match day {
        chrono::Weekday::Mon => Weekday::Monday,
        chrono::Weekday::Tue => Weekday::Tuesday,
        chrono::Weekday::Wed => Weekday::Wednesday,
        chrono::Weekday::Thu => Weekday::Thursday,
        chrono::Weekday::Fri => Weekday::Friday,
        chrono::Weekday::Sat => Weekday::Saturday,
        chrono::Weekday::Sun => Weekday::Sunday,
    }
}
