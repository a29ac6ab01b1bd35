//! Reads the text of one field into its elements.

use super::field::Field;
use super::item::{Element, Item};
use super::rule::{Kind, Rule};
use crate::bounds::CRON_LIST_MAX;
use crate::error::with_suggestion;

/// The short forms and the crontab lines they stand for.
const ALIASES: [(&str, &str); 8] = [
    ("@YEARLY", "0 0 1 1 *"),
    ("@ANNUALLY", "0 0 1 1 *"),
    ("@MONTHLY", "0 0 1 * *"),
    ("@WEEKLY", "0 0 * * 0"),
    ("@DAILY", "0 0 * * *"),
    ("@MIDNIGHT", "0 0 * * *"),
    ("@HOURLY", "0 * * * *"),
    ("@MINUTELY", "* * * * *"),
];

pub(super) fn alias(upper: &str) -> Result<&'static str, String> {
    let line = ALIASES
        .iter()
        .find(|(word, _)| *word == upper)
        .map(|(_, line)| *line);
    line.ok_or_else(|| {
        let words = ["@yearly", "@monthly", "@weekly", "@daily", "@hourly"];
        with_suggestion(
            "is @yearly, @monthly, @weekly, @daily or @hourly",
            upper,
            words,
        )
    })
}

pub(super) fn field(rule: Rule, text: &str) -> Result<Field, String> {
    let count = text.split(',').count();
    if count > CRON_LIST_MAX {
        return Err(format!(
            "{} lists at most {CRON_LIST_MAX} elements",
            rule.name
        ));
    }
    let mut elements = Vec::with_capacity(count);
    for part in text.split(',') {
        element(rule, part, &mut elements)?;
    }
    Ok(Field { rule, elements })
}

fn element(rule: Rule, text: &str, found: &mut Vec<Element>) -> Result<(), String> {
    let (base, step) = match text.split_once('/') {
        Some((base, step)) => (base, Some(step_of(rule, step)?)),
        None => (text, None),
    };
    let item = item(rule, base)?;
    match (item, step) {
        (Item::Range(from, to), _) if from > to && !rule.wraps() => Err(backwards(rule, text)),
        (
            Item::Last(_)
            | Item::LastWeekday(_)
            | Item::Nearest(_)
            | Item::Nth(..)
            | Item::LastOf(_),
            Some(_),
        ) => Err(format!("{} has no step after L, W or #: {text}", rule.name)),
        _ => {
            found.push(Element { item, step });
            Ok(())
        }
    }
}

fn backwards(rule: Rule, text: &str) -> String {
    format!(
        "{} has no range that runs backwards ({text}): write two ranges",
        rule.name
    )
}

/// Linux cron takes a step beyond the greatest value as one value, Quartz refuses it.
fn step_of(rule: Rule, text: &str) -> Result<u16, String> {
    let most = if rule.quartz { rule.max } else { 9_999 };
    let step = digits(text).filter(|step| (1..=most).contains(step));
    step.ok_or_else(|| format!("{} has a step of 1..={most}, not {text}", rule.name))
}

fn item(rule: Rule, text: &str) -> Result<Item, String> {
    if text == "*" || (text == "?" && rule.kind != Kind::Plain) {
        return Ok(Item::All);
    }
    if rule.kind == Kind::DayOfMonth {
        if text == "WL" {
            return Ok(Item::LastWeekday(0));
        }
        if let Some(behind) = text.strip_prefix('L') {
            let (days, weekday) = match behind.strip_suffix('W') {
                Some(days) => (days, true),
                None => (behind, false),
            };
            let days = before_last(days).ok_or_else(|| {
                format!(
                    "{} counts from the last day as L, L-1..L-30, LW or L-1W..L-30W, not {text}",
                    rule.name
                )
            })?;
            return Ok(if weekday {
                Item::LastWeekday(days)
            } else {
                Item::Last(days)
            });
        }
        if let Some(day) = text.strip_suffix('W') {
            return number(rule, day).map(Item::Nearest);
        }
    }
    if rule.is_day_of_week() {
        if text == "L" {
            // Alone it is the last day of a week: Saturday.
            return number(rule, "SAT").map(Item::Point);
        }
        if let Some((day, nth)) = text.split_once('#') {
            let nth = digits(nth).filter(|nth| (1..=5).contains(nth));
            let nth = nth.ok_or_else(|| format!("day of week has #1..=#5: {text}"))?;
            return number(rule, day).map(|day| Item::Nth(day, nth));
        }
        if let Some(day) = text.strip_suffix('L') {
            return number(rule, day).map(Item::LastOf);
        }
    }
    match text.split_once('-') {
        Some((from, to)) => {
            let (from, to) = (number(rule, from)?, number(rule, to)?);
            // Crontab's Sunday ends a week as 7 and begins it as 0.
            let ends_week = to == 0 && from > 0 && rule.kind == Kind::CrontabDayOfWeek;
            let to = if ends_week { rule.max } else { to };
            Ok(Item::Range(from, to))
        }
        None => number(rule, text).map(Item::Point),
    }
}

/// Nothing or `-3`: days before the last one of a month.
fn before_last(text: &str) -> Option<u16> {
    if text.is_empty() {
        return Some(0);
    }
    digits(text.strip_prefix('-')?).filter(|days| *days <= 30)
}

fn number(rule: Rule, text: &str) -> Result<u16, String> {
    let by_name = rule.names.iter().position(|name| *name == text);
    let number = match by_name.and_then(|place| u16::try_from(place).ok()) {
        Some(place) => Some(rule.min + place),
        None => digits(text).filter(|number| (rule.min..=rule.max).contains(number)),
    };
    number.ok_or_else(|| {
        let mut wanted = format!("{}..={}", rule.min, rule.max);
        if let (Some(first), Some(last)) = (rule.names.first(), rule.names.last()) {
            wanted = format!("{wanted} or {first}..{last}");
        }
        let given = if text.is_empty() { "nothing" } else { text };
        format!("{} is {wanted}, not {given}", rule.name)
    })
}

/// One to four plain digits.
fn digits(text: &str) -> Option<u16> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}
