//! Evaluates any expression by walking days: crontab, Quartz with `L`, `W` or `#`, and what lies behind 2100.
//!
//! A day costs a few comparisons and months that do not match are stepped over, so a search over all years of the
//! calendar has a bounded cost, also when nothing is found.

use chrono::{
    Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday,
};

use crate::cron::fields::{Dialect, Field, Fields, Item};

/// The values of the plain fields as bits, and what the day fields ask for.
#[derive(Debug, Clone)]
pub(super) struct Walker {
    seconds: u64,
    minutes: u64,
    hours: u64,
    months: u64,
    /// Ascending; `None`: any year.
    years: Option<Vec<u16>>,
    days: DayField,
    weekdays: DayField,
    /// Whether a day has to match both day fields, or one of them.
    both: bool,
}

/// One day field: plain numbers as bits, weekdays with Sunday 0, and the days that depend on the month.
#[derive(Debug, Clone)]
struct DayField {
    any: bool,
    plain: u64,
    special: Vec<Item>,
}

impl DayField {
    /// `shift` is taken off the numbers of weekdays, and seven is Sunday again.
    fn of(field: &Field, weekdays: Option<u16>) -> Self {
        let number = |value: u16| match weekdays {
            Some(shift) => (value - shift) % 7,
            None => value,
        };
        let special = field
            .elements
            .iter()
            .filter_map(|element| match element.item {
                Item::All | Item::Point(_) | Item::Range(..) => None,
                Item::Nth(day, nth) => Some(Item::Nth(number(day), nth)),
                Item::LastOf(day) => Some(Item::LastOf(number(day))),
                item @ (Item::Last(_) | Item::LastWeekday(_) | Item::Nearest(_)) => Some(item),
            });
        Self {
            any: field.is_star(),
            plain: bits(field.values().into_iter().map(number)),
            special: special.collect(),
        }
    }

    fn matches(&self, number: u32, day: NaiveDate) -> bool {
        self.any || has(self.plain, number) || self.special.iter().any(|item| is(*item, day))
    }
}

impl Walker {
    pub(super) fn new(fields: &Fields) -> Self {
        // Linux cron: both day fields restricted means either; a field that begins with a star does not restrict.
        // Quartz: both must match.
        let both = fields.dialect == Dialect::Quartz
            || fields.day_of_month.starts_with_star()
            || fields.day_of_week.starts_with_star();
        Self {
            seconds: bits(fields.second.values()),
            minutes: bits(fields.minute.values()),
            hours: bits(fields.hour.values()),
            months: bits(fields.month.values()),
            years: (!fields.year.is_star()).then(|| fields.year.values()),
            days: DayField::of(&fields.day_of_month, None),
            weekdays: DayField::of(&fields.day_of_week, Some(fields.day_of_week.rule.min)),
            both,
        }
    }

    /// The first local time strictly after `after` that matches, none after the day `last`.
    pub(super) fn next(&self, after: NaiveDateTime, last: NaiveDate) -> Option<NaiveDateTime> {
        let from = after.checked_add_signed(TimeDelta::seconds(1))?;
        let mut day = from.date();
        let mut time = from.time();
        while day <= last {
            if !self.year_matches(day) {
                day = self.year_after(day)?;
                time = NaiveTime::MIN;
                continue;
            }
            if !has(self.months, day.month()) {
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

    fn year_matches(&self, day: NaiveDate) -> bool {
        let years = self.years.as_ref();
        years.is_none_or(|years| years.iter().any(|year| i32::from(*year) == day.year()))
    }

    /// The first day of the first year that matches, behind that of `day`.
    fn year_after(&self, day: NaiveDate) -> Option<NaiveDate> {
        let mut years = self.years.iter().flatten().copied().map(i32::from);
        NaiveDate::from_ymd_opt(years.find(|year| *year > day.year())?, 1, 1)
    }

    fn day_matches(&self, day: NaiveDate) -> bool {
        let of_month = self.days.matches(day.day(), day);
        let of_week = self
            .weekdays
            .matches(day.weekday().num_days_from_sunday(), day);
        if self.both {
            of_month && of_week
        } else {
            of_month || of_week
        }
    }

    /// The first matching time of day that is not before `from`.
    fn next_time(&self, from: NaiveTime) -> Option<NaiveTime> {
        let mut hour = first_from(self.hours, from.hour())?;
        if hour == from.hour() {
            let mut minute = first_from(self.minutes, from.minute());
            if minute == Some(from.minute()) {
                if let Some(second) = first_from(self.seconds, from.second()) {
                    return NaiveTime::from_hms_opt(hour, from.minute(), second);
                }
                minute = first_from(self.minutes, from.minute() + 1);
            }
            if let Some(minute) = minute {
                return NaiveTime::from_hms_opt(hour, minute, first_from(self.seconds, 0)?);
            }
            hour = first_from(self.hours, hour + 1)?;
        }
        let (minute, second) = (first_from(self.minutes, 0)?, first_from(self.seconds, 0)?);
        NaiveTime::from_hms_opt(hour, minute, second)
    }
}

/// Whether `day` is the one that an item of its month names.
fn is(item: Item, day: NaiveDate) -> bool {
    let last = u16::from(day.num_days_in_month());
    let of_month = day.day();
    let in_week = |number: u16| day.weekday().num_days_from_sunday() == u32::from(number);
    match item {
        Item::Last(before) => last > before && of_month == u32::from(last - before),
        Item::LastWeekday(before) => last > before && is_nearest_weekday(day, last - before),
        Item::Nearest(number) => number <= last && is_nearest_weekday(day, number),
        Item::Nth(weekday, nth) => in_week(weekday) && (of_month - 1) / 7 + 1 == u32::from(nth),
        Item::LastOf(weekday) => in_week(weekday) && of_month + 7 > u32::from(last),
        Item::All | Item::Point(_) | Item::Range(..) => false,
    }
}

/// Whether `day` is the weekday nearest to day `number` of its month, without leaving the month.
fn is_nearest_weekday(day: NaiveDate, number: u16) -> bool {
    let last = u16::from(day.num_days_in_month());
    let nearest = day
        .with_day(u32::from(number))
        .map(|wanted| match wanted.weekday() {
            Weekday::Sat if number == 1 => number + 2,
            Weekday::Sat => number - 1,
            Weekday::Sun if number == last => number - 2,
            Weekday::Sun => number + 1,
            Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => number,
        });
    nearest.is_some_and(|nearest| u32::from(nearest) == day.day())
}

fn bits(values: impl IntoIterator<Item = u16>) -> u64 {
    values.into_iter().fold(0, |bits, value| bits | 1 << value)
}

fn has(bits: u64, value: u32) -> bool {
    value < 64 && bits >> value & 1 == 1
}

/// The first of `bits` that is not below `from`.
fn first_from(bits: u64, from: u32) -> Option<u32> {
    let rest = bits.checked_shr(from)?;
    (rest != 0).then(|| from + rest.trailing_zeros())
}
