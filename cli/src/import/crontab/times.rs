//! When a line of a crontab is due, as a trigger.

use serde_json::{Value, json};

use super::command::Command;
use super::environment::Environment;
use super::line::When;
use crate::import::draft::{Draft, Reason};
use crate::import::settings::Settings;

/// The least and the greatest number of each field.
const RANGES: [(u32, u32); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];

const DRAWN: Reason = Reason {
    why: "a job names its times; this one is drawn from the text of the line, so that it stays",
    todo: "leave it, or write a time with `jitter`",
};

const STEP: Reason = Reason {
    why: "crons differ in what a step behind a single number is; here it goes on to the end of the field",
    todo: "look at `tickwheel cron explain`, and write the numbers out if something else is meant",
};

const EVERY: Reason = Reason {
    why: "it has no fields of time",
    todo: "leave it",
};

/// The trigger of an entry; `None` when it is refused, with the reason in the draft.
pub(super) fn trigger(
    when: &When<'_>,
    command: &Command<'_>,
    environment: &Environment,
    (draft, settings): (&mut Draft, &Settings),
) -> Option<Value> {
    let expression = match when {
        When::Word("@reboot") => {
            draft.refuse(
                "@reboot has no due time, and no machine that boots: \
                     let what starts there run `tickwheel job run`, for a job with `trigger: manual`",
            );
            return None;
        }
        When::Word("@every_minute") => "* * * * *".to_owned(),
        When::Word("@every_second") => return Some(json!({ "fixed_rate": "1s" })),
        When::Word(word) => {
            if let Some(seconds) = seconds(word) {
                draft.differs("time", *word, format!("fixed_delay: {seconds}s"), &EVERY);
                return Some(json!({ "fixed_delay": format!("{seconds}s") }));
            }
            (*word).to_owned()
        }
        When::Fields(fields) => in_fields(fields, command, draft)?,
    };
    let own = environment.zone(draft);
    let zone = draft.zone(own.as_deref(), "that of the machine", settings);
    Some(json!({ "cron": expression, "time_zone": zone }))
}

/// `@600`: so long after the last run ended.
fn seconds(word: &str) -> Option<u64> {
    let digits = word.strip_prefix('@')?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

fn in_fields(fields: &[&str; 5], command: &Command<'_>, draft: &mut Draft) -> Option<String> {
    let mut made = Vec::with_capacity(fields.len());
    for (place, (field, range)) in fields.iter().zip(RANGES).enumerate() {
        let seed = hash(&format!("{place} {field} {}", command.text()));
        match drawn(field, range, seed) {
            Some(field) => made.push(field),
            None => {
                draft.refuse(format!(
                    "has a range of {field} that a time cannot be drawn from: it is two numbers of {}..={} \
                     around a ~, the lower one first, and perhaps a step",
                    range.0, range.1
                ));
                return None;
            }
        }
    }
    let (was, now) = (fields.join(" "), made.join(" "));
    if was != now {
        draft.differs("time", &was, &now, &DRAWN);
    }
    let is_stepped = |element: &str| {
        let base = element.split_once('/').map(|(base, _)| base);
        base.is_some_and(|base| !base.is_empty() && base.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if fields.iter().any(|field| field.split(',').any(is_stepped)) {
        draft.differs("time", &was, &now, &STEP);
    }
    Some(now)
}

/// The field with a number in place of each `~`. `None` where none can be drawn.
fn drawn(field: &str, range: (u32, u32), seed: u64) -> Option<String> {
    if !field.contains('~') {
        return Some(field.to_owned());
    }
    let element = |element: &str| {
        let Some((low, rest)) = element.split_once('~') else {
            return Some(element.to_owned());
        };
        let (high, step) = match rest.split_once('/') {
            Some((high, step)) => (high, Some(step.parse::<u32>().ok()?)),
            None => (rest, None),
        };
        let number = |text: &str, otherwise: u32| match text {
            "" => Some(otherwise),
            _ => text
                .parse()
                .ok()
                .filter(|number| (range.0..=range.1).contains(number)),
        };
        let (low, high) = (number(low, range.0)?, number(high, range.1)?);
        // Without a step one number of the range; with one, where the steps begin.
        let count = match step {
            None => high.checked_sub(low)?.checked_add(1)?,
            Some(step) => step.min(high.checked_sub(low)?.checked_add(1)?),
        };
        let offset = seed.checked_rem(u64::from(count))?;
        let first = low + u32::try_from(offset).ok()?;
        Some(match step {
            None => first.to_string(),
            Some(step) => format!("{first}-{high}/{step}"),
        })
    };
    let elements: Option<Vec<String>> = field.split(',').map(element).collect();
    elements.map(|elements| elements.join(","))
}

/// FNV-1a: the same on every machine and in every version, which a drawn time has to be.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_range_becomes_one_of_its_numbers() {
        for (field, range, seed, made) in [
            ("5", (0, 59), 7, Some("5")),
            ("0~59", (0, 59), 67, Some("7")),
            ("~", (1, 31), 31, Some("1")),
            ("10~", (0, 23), 3, Some("13")),
            ("3,10~12", (0, 23), 2, Some("3,12")),
            ("0~59/10", (0, 59), 13, Some("3-59/10")),
            ("~/15", (0, 59), 0, Some("0-59/15")),
            ("12~10", (0, 23), 0, None),
            ("0~60", (0, 59), 0, None),
            ("~/0", (0, 59), 0, None),
            ("a~b", (0, 59), 0, None),
        ] {
            assert_eq!(drawn(field, range, seed).as_deref(), made, "{field}");
        }
    }

    #[test]
    fn what_is_drawn_is_the_same_for_ever() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
    }
}
