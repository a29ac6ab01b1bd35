//! An expression in English words, for previews: `at 02:30, on Monday to Friday (Europe/Berlin)`.

use crate::cron::fields::{Dialect, Element, Field, Fields, Item};
use crate::zone::Zone;

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
/// More numbers than this are told by their runs and steps.
const LISTED_MAX: usize = 8;

/// The whole sentence.
pub(super) fn explain(fields: &Fields, zone: &Zone, interval: bool) -> String {
    let mut parts = vec![time_of_day(fields)];
    parts.extend(days(fields));
    if !fields.month.is_full() {
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
    if !zone.is_utc() {
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
    let is_list = !fields.hour.is_full() && !fields.minute.is_full();
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
    if parts.is_empty() || !fields.minute.is_full() {
        parts.push(unit(&fields.minute, "minute"));
    }
    if !fields.hour.is_full() {
        parts.push(unit(&fields.hour, "hour"));
    } else if minutes.len() == 1 {
        parts.push("every hour".to_owned());
    }
    parts.join(" of ")
}

/// One time field: `every minute`, `every 5 minutes`, `minute 30`, `minutes 0 to 29`.
fn unit(field: &Field, word: &str) -> String {
    let values = field.values();
    let whole = field.rule.max - field.rule.min + 1;
    if values.len() == usize::from(whole) {
        return format!("every {word}");
    }
    match (field.elements.as_slice(), values.as_slice()) {
        (_, [one]) => format!("{word} {one}"),
        (
            [
                Element {
                    item: Item::All,
                    step: Some(step),
                },
            ],
            _,
        ) if whole.is_multiple_of(*step) => format!("every {step} {word}s"),
        (
            [
                Element {
                    step: Some(step), ..
                },
            ],
            [first, .., last],
        ) if first < last && values.len() > LISTED_MAX => {
            format!("every {step} {word}s from {first} to {last}")
        }
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
    let either = fields.dialect == Dialect::Crontab
        && !fields.day_of_month.starts_with_star()
        && !fields.day_of_week.starts_with_star();
    match (fields.day_of_month.is_star(), fields.day_of_week.is_star()) {
        (true, true) => None,
        // One of both is enough, and one of them always matches.
        (true, false) | (false, true) if either => None,
        (false, true) => Some(format!("on {}", of_month())),
        (true, false) => Some(format!("on {}", weekdays())),
        (false, false) => {
            let word = if either { "or on" } else { "if it is" };
            Some(format!("on {} {word} {}", of_month(), weekdays()))
        }
    }
}

/// The elements of a field as a list of words; of many plain numbers only the runs.
fn list(field: &Field, name: &dyn Fn(u16) -> String) -> String {
    let plain = field.values();
    let special = field
        .elements
        .iter()
        .filter_map(|element| match element.item {
            Item::All | Item::Point(_) | Item::Range(..) => None,
            Item::Last(0) => Some("the last day of the month".to_owned()),
            Item::Last(1) => Some("the day before the last day of the month".to_owned()),
            Item::Last(days) => Some(format!("{days} days before the last day of the month")),
            Item::LastWeekday(0) => Some("the last weekday of the month".to_owned()),
            Item::LastWeekday(days) => Some(format!(
                "the weekday nearest to {days} days before the last day of the month"
            )),
            Item::Nearest(day) => Some(format!("the weekday nearest to day {day} of the month")),
            Item::Nth(day, nth) => Some(format!("the {} {} of the month", ordinal(nth), name(day))),
            Item::LastOf(day) => Some(format!("the last {} of the month", name(day))),
        });
    let mut words = if plain.len() > LISTED_MAX {
        many(&plain, name)
    } else {
        few(field, name)
    };
    words.extend(special);
    join(&words, "and")
}

/// Each plain element as it was written.
fn few(field: &Field, name: &dyn Fn(u16) -> String) -> Vec<String> {
    let words = field
        .elements
        .iter()
        .flat_map(|element| match (element.item, element.step) {
            (Item::Range(from, to), None) => vec![format!("{} to {}", name(from), name(to))],
            _ => field.rule.values(*element).into_iter().map(name).collect(),
        });
    words.collect()
}

/// Runs of numbers, or their step when they have one, or the first few and how many there are.
fn many(values: &[u16], name: &dyn Fn(u16) -> String) -> Vec<String> {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *value => *last = *value,
            Some(_) | None => runs.push((*value, *value)),
        }
    }
    if let ([first, second, ..], Some(last)) = (values, values.last()) {
        let step = second - first;
        let even = values.iter().zip(values.iter().skip(1));
        if step > 1 && even.clone().all(|(a, b)| b - a == step) {
            return vec![format!("{} to {} by {step}", name(*first), name(*last))];
        }
    }
    let written = |(from, to): &(u16, u16)| match to - from {
        0 => name(*from),
        _ => format!("{} to {}", name(*from), name(*to)),
    };
    if runs.len() <= LISTED_MAX {
        return runs.iter().map(written).collect();
    }
    let rest = runs.len() - 4;
    let mut words: Vec<String> = runs.iter().take(4).map(written).collect();
    words.push(format!("{rest} more"));
    words
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
