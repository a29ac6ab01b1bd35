//! An expression in English words, for previews: `at 02:30, on Monday to Friday (Europe/Berlin)`.

use chrono_tz::Tz;

use crate::cron::fields::{Dialect, Element, Field, Fields, Item};

const DAYS: [&str; 8] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
/// More times of day than this are told by their fields.
const CLOCK_TIMES_MAX: usize = 6;

/// The whole sentence.
pub(super) fn explain(fields: &Fields, zone: Tz, interval: bool) -> String {
    let mut parts = vec![time_of_day(fields)];
    parts.extend(days(fields));
    if !fields.month.is_star() {
        parts.push(format!(
            "in {}",
            list(&fields.month, &|number| month(number))
        ));
    }
    if !fields.year.is_star() {
        parts.push(format!(
            "in {}",
            list(&fields.year, &|number| number.to_string())
        ));
    }
    let mut text = format!("{} ({})", parts.join(", "), zone.name());
    if zone != Tz::UTC {
        text.push_str(if interval {
            "; follows real time when the clocks change"
        } else {
            "; once per local time when the clocks change"
        });
    }
    text
}

fn time_of_day(fields: &Fields) -> String {
    let (hours, minutes, seconds) = (
        fields.hour.values(),
        fields.minute.values(),
        fields.second.values(),
    );
    let is_list = !fields.hour.is_star() && !fields.minute.is_star();
    if is_list && hours.len() * minutes.len() * seconds.len() <= CLOCK_TIMES_MAX {
        let mut times = Vec::new();
        for hour in &hours {
            for minute in &minutes {
                for second in &seconds {
                    times.push(match second {
                        0 => format!("{hour:02}:{minute:02}"),
                        _ => format!("{hour:02}:{minute:02}:{second:02}"),
                    });
                }
            }
        }
        return format!("at {}", join(&times, "and"));
    }
    let mut parts = Vec::new();
    if seconds != [0] {
        parts.push(unit(&fields.second, "second"));
    }
    // `every second` says it already; a plain star adds nothing behind a finer part.
    if parts.is_empty() || !fields.minute.is_star() {
        parts.push(unit(&fields.minute, "minute"));
    }
    if !fields.hour.is_star() {
        parts.push(unit(&fields.hour, "hour"));
    } else if minutes.len() == 1 {
        parts.push("every hour".to_owned());
    }
    parts.join(" of ")
}

/// One time field: `every minute`, `every 5 minutes`, `minute 30`, `minutes 0 to 29`.
fn unit(field: &Field, word: &str) -> String {
    match field.elements.as_slice() {
        [
            Element {
                item: Item::All,
                step: None,
            },
        ] => format!("every {word}"),
        [
            Element {
                item: Item::All,
                step: Some(1),
            },
        ] => format!("every {word}"),
        [
            Element {
                item: Item::All,
                step: Some(step),
            },
        ] => format!("every {step} {word}s"),
        _ if field.values().len() == 1 => format!("{word} {}", list(field, &|n| n.to_string())),
        _ => format!("{word}s {}", list(field, &|n| n.to_string())),
    }
}

fn days(fields: &Fields) -> Option<String> {
    let base = fields.day_of_week.rule.min;
    let weekdays = || list(&fields.day_of_week, &|number| weekday(number - base));
    let days = || list(&fields.day_of_month, &|number| number.to_string());
    let of_month = || {
        let plain = !fields.day_of_month.values().is_empty();
        if plain {
            format!("day {} of the month", days())
        } else {
            days()
        }
    };
    match (fields.day_of_month.is_star(), fields.day_of_week.is_star()) {
        (true, true) => None,
        (false, true) => Some(format!("on {}", of_month())),
        (true, false) => Some(format!("on {}", weekdays())),
        (false, false) => {
            let either = fields.dialect == Dialect::Crontab
                && !fields.day_of_month.starts_with_star()
                && !fields.day_of_week.starts_with_star();
            let word = if either { "or on" } else { "if it is" };
            Some(format!("on {} {word} {}", of_month(), weekdays()))
        }
    }
}

/// The elements of a field as a list of words.
fn list(field: &Field, name: &dyn Fn(u16) -> String) -> String {
    let words: Vec<String> = field
        .elements
        .iter()
        .map(|element| match (element.item, element.step) {
            (Item::Point(at), None) => name(at),
            (Item::Range(from, to), None) => format!("{} to {}", name(from), name(to)),
            (Item::Last, _) => "the last day of the month".to_owned(),
            (Item::LastWeekday, _) => "the last weekday of the month".to_owned(),
            (Item::Nearest(day), _) => format!("the weekday nearest to day {day} of the month"),
            (Item::Nth(day, nth), _) => format!("the {} {} of the month", ordinal(nth), name(day)),
            (Item::LastOf(day), _) => format!("the last {} of the month", name(day)),
            (Item::All, None) => "any".to_owned(),
            (Item::All | Item::Point(_) | Item::Range(..), Some(_)) => {
                let values: Vec<String> = field.rule.values(*element).map(name).collect();
                join(&values, "and")
            }
        })
        .collect();
    join(&words, "and")
}

fn join(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., tail] => format!("{} {last} {tail}", head.join(", ")),
    }
}

fn weekday(number: u16) -> String {
    DAYS.get(usize::from(number))
        .copied()
        .unwrap_or_default()
        .to_owned()
}

fn month(number: u16) -> String {
    let place = usize::from(number).saturating_sub(1);
    MONTHS.get(place).copied().unwrap_or_default().to_owned()
}

fn ordinal(nth: u16) -> &'static str {
    let place = usize::from(nth).saturating_sub(1);
    ORDINALS.get(place).copied().unwrap_or_default()
}
