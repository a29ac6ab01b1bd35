//! What somebody meant who wrote an expression of another system, and where six fields mean something else elsewhere.

use crate::time::{format_duration, parse_duration};

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
/// Units of AWS' `rate(…)`, and ours.
const RATE_UNITS: [(&str, &str); 3] = [("minute", "m"), ("hour", "h"), ("day", "d")];
/// systemd's words, and those of crontab.
const WORDS: [(&str, &str); 9] = [
    ("minutely", "* * * * *"),
    ("hourly", "@hourly"),
    ("daily", "@daily"),
    ("weekly", "0 0 * * MON"),
    ("monthly", "@monthly"),
    ("quarterly", "0 0 1 1,4,7,10 *"),
    ("semiannually", "0 0 1 1,7 *"),
    ("yearly", "@yearly"),
    ("annually", "@yearly"),
];

/// The rule for a text that no field grammar is for, with what to write instead.
pub(super) fn foreign(expression: &str) -> Option<String> {
    let text = expression.trim();
    let lower = text.to_ascii_lowercase();
    not_ascii(text)
        .or_else(|| quoted(text))
        .or_else(|| word(&lower))
        .or_else(|| zoned(text))
        .or_else(|| aws(&lower))
        .or_else(|| jenkins(&lower))
        .or_else(|| crontab_line(text))
        .or_else(|| systemd(text, &lower))
}

/// Characters of other keyboards and of word processors that look like those of an expression.
fn not_ascii(text: &str) -> Option<String> {
    let first = text.chars().find(|letter| !letter.is_ascii())?;
    let code = format!("`{first}` (U+{:04X})", u32::from(first));
    let plain: String = text.chars().map(plain).collect();
    Some(if plain.is_ascii() {
        format!("has only ASCII characters, not {code}: write `{plain}`")
    } else {
        format!("has only ASCII characters, not {code}")
    })
}

fn plain(letter: char) -> char {
    match letter {
        // Full width: the ASCII characters, moved.
        '\u{ff01}'..='\u{ff5e}' => u32::from(letter)
            .checked_sub(0xfee0)
            .and_then(char::from_u32)
            .unwrap_or(letter),
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2217}' | '\u{d7}' | '\u{2022}' | '\u{b7}' => '*',
        '\u{3001}' | '\u{201a}' => ',',
        '\u{2044}' | '\u{2215}' => '/',
        other => other,
    }
}

fn quoted(text: &str) -> Option<String> {
    let inner = ['"', '\'', '`']
        .iter()
        .find_map(|mark| text.strip_prefix(*mark)?.strip_suffix(*mark))?;
    Some(format!("has no quotes in it: write `{}`", inner.trim()))
}

fn word(lower: &str) -> Option<String> {
    if let Some(span) = lower.strip_prefix("@every") {
        let span = parse_duration(span).map_or_else(|_| "10m".to_owned(), format_duration);
        return Some(format!(
            "names times of day; an interval is the trigger `fixed_rate: {span}`, from end to start `fixed_delay: {span}`"
        ));
    }
    if lower == "@reboot" {
        let rule = "names times of day, and nothing boots here: use the trigger `manual`, and let what starts run the job";
        return Some(rule.to_owned());
    }
    let word = WORDS.iter().find(|(word, _)| *word == lower);
    word.map(|(word, line)| format!("has fields, or an @ before a word: write `{line}` for {word}"))
}

/// `CRON_TZ=Europe/Berlin 0 9 * * *`.
fn zoned(text: &str) -> Option<String> {
    let (name, rest) = text.split_once('=')?;
    if !["CRON_TZ", "TZ"].contains(&name) {
        return None;
    }
    let (zone, fields) = rest
        .split_once(char::is_whitespace)
        .unwrap_or((rest, "0 9 * * *"));
    let fields = fields.trim();
    Some(format!(
        "has no zone in it: write `zone: {zone}` beside `cron: {fields}`"
    ))
}

/// `cron(0 12 * * ? *)` and `rate(5 minutes)`.
fn aws(lower: &str) -> Option<String> {
    let inner = |name: &str| lower.strip_prefix(name)?.strip_suffix(')');
    if let Some(fields) = inner("cron(") {
        let upper = fields.to_ascii_uppercase();
        let fields: Vec<&str> = upper.split_ascii_whitespace().collect();
        let write = match fields.as_slice() {
            [days @ .., "*"] if days.len() == 5 => format!("0 {}", days.join(" ")),
            all => format!("0 {}", all.join(" ")),
        };
        return Some(format!(
            "has no cron(…) around it, and six fields begin with the second: write `{write}`"
        ));
    }
    let (number, unit) = inner("rate(")?.trim().split_once(' ')?;
    let (_, unit) = RATE_UNITS
        .iter()
        .find(|(word, _)| unit.trim().trim_end_matches('s') == *word)?;
    Some(format!(
        "names times of day; an interval is the trigger `fixed_rate: {number}{unit}`"
    ))
}

/// `H 2 * * *`, `H/15 * * * *`.
fn jenkins(lower: &str) -> Option<String> {
    let mut parts = lower.split(|mark: char| mark.is_whitespace() || mark == ',');
    if !parts.any(|part| part == "h" || part.starts_with("h/") || part.starts_with("h(")) {
        return None;
    }
    let whole = lower.split_ascii_whitespace().map(|part| {
        let (base, step) = part.split_once('/').unwrap_or((part, ""));
        match (base.starts_with('h'), step) {
            (false, _) => part.to_owned(),
            (true, "") => "0".to_owned(),
            (true, step) => format!("*/{step}"),
        }
    });
    let line = whole.collect::<Vec<_>>().join(" ").to_ascii_uppercase();
    Some(format!(
        "has no H of Jenkins: write numbers, like `{line}`, and `jitter: 10m` to spread jobs"
    ))
}

/// `Mon..Fri *-*-* 09:00:00`, with or without its key.
fn systemd(text: &str, lower: &str) -> Option<String> {
    let calendar = lower.strip_prefix("oncalendar=").unwrap_or(lower);
    let with_key = calendar.len() < text.len();
    let looks =
        with_key || calendar.contains("..") || calendar.contains("*-") || calendar.contains(':');
    if !looks {
        return None;
    }
    let line = match WORDS.iter().find(|(word, _)| *word == calendar) {
        Some((_, line)) => Some((*line).to_owned()),
        None => crontab_of(calendar),
    };
    let example = line.unwrap_or_else(|| "0 9 * * MON-FRI".to_owned());
    Some(format!(
        "is not systemd's calendar: write minute, hour, day, month, weekday, like `{example}`"
    ))
}

/// The crontab line of `[weekdays] [date] time`, when it is no more than that.
fn crontab_of(calendar: &str) -> Option<String> {
    let mut weekdays = "*".to_owned();
    let (mut month, mut day) = ("*".to_owned(), "*".to_owned());
    let (mut hour, mut minute) = ("0".to_owned(), "0".to_owned());
    let number = |text: &str| match text {
        "*" => Some("*".to_owned()),
        _ => text.parse::<u8>().ok().map(|number| number.to_string()),
    };
    for part in calendar.split_ascii_whitespace() {
        if let Some((hours, rest)) = part.split_once(':') {
            (hour, minute) = (number(hours)?, number(rest.split(':').next()?)?);
        } else if part.starts_with(|first: char| first.is_ascii_alphabetic()) {
            weekdays = part.replace("..", "-").to_ascii_uppercase();
        } else {
            let mut fields = part.rsplit('-');
            (day, month) = (number(fields.next()?)?, number(fields.next()?)?);
            fields.next().filter(|year| *year == "*")?;
        }
    }
    Some(format!("{minute} {hour} {day} {month} {weekdays}"))
}

/// A whole crontab line, with its command.
fn crontab_line(text: &str) -> Option<String> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [minute, hour, day, month, weekday, command, ..] = fields.as_slice() else {
        return None;
    };
    let word = command.to_ascii_uppercase();
    let is_weekday = DAYS.iter().any(|day| word.starts_with(day));
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    if is_weekday || (letters < 4 && !word.starts_with(['/', '.', '~'])) {
        return None;
    }
    Some(format!(
        "has times only: without its command the line is `{minute} {hour} {day} {month} {weekday}`"
    ))
}

/// The rule about a day of week of Quartz, for those who count Sunday as 0.
pub(super) fn sunday_is_zero(rule: String, day_of_week: &str) -> String {
    if !rule.ends_with(", not 0") {
        return rule;
    }
    let names = named(day_of_week, 0);
    format!("{rule}; Spring, BullMQ and node-cron count Sunday as 0, Quartz as 1: write `{names}`")
}

/// Six fields as Spring, BullMQ and node-cron write them are no less valid in Quartz, but name other days of the week.
pub(super) fn other_numbers(expression: &str) -> Option<String> {
    let upper = expression.to_ascii_uppercase();
    let fields: Vec<&str> = upper.split_ascii_whitespace().collect();
    let [_, _, _, day_of_month, _, day_of_week] = fields.as_slice() else {
        return None;
    };
    let here = named(day_of_week, 1);
    // Quartz itself wants a `?`: whoever writes it means its numbers.
    if here == *day_of_week || day_of_month.contains('?') || day_of_week.contains('?') {
        return None;
    }
    let there = named(day_of_week, 0);
    Some(format!(
        "six fields are Quartz, which counts Sunday as 1: `{day_of_week}` is {here} here; Spring, BullMQ and node-cron count it as 0: \
         write `{there}` if that is meant, or `?` as the day of month if {here} is"
    ))
}

/// A day of week field with names in place of its numbers, where Sunday is `sunday`.
fn named(field: &str, sunday: usize) -> String {
    let name = |number: &str| {
        let number: Option<usize> = number.parse().ok().filter(|number| *number <= 7);
        let place = number.and_then(|number| number.checked_sub(sunday));
        place.and_then(|place| DAYS.get(place % 7)).copied()
    };
    let day = |text: &str| {
        let end = text
            .find(|mark: char| !mark.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        name(number).map_or_else(|| text.to_owned(), |name| format!("{name}{rest}"))
    };
    let element = |text: &str| {
        let (base, step) = text.split_once('/').unwrap_or((text, ""));
        let days: Vec<String> = base.split('-').map(day).collect();
        let slash = if step.is_empty() { "" } else { "/" };
        format!("{}{slash}{step}", days.join("-"))
    };
    field.split(',').map(element).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
