//! The trigger of a job in a manifest: exactly one kind.

use serde_json::Value;

use super::reader::{Reader, instant, map, parsed, shown, span_ms, text};
use crate::error::{Violation, Violations};
use crate::job::{AfterOn, Trigger};

const KINDS: [&str; 7] = [
    "cron",
    "fixed_rate",
    "fixed_delay",
    "second_delay",
    "once",
    "api",
    "after",
];

/// Reads a trigger: a map with one kind, or the bare word `api`.
pub(super) fn read(value: &Value) -> Result<Trigger, Violations> {
    if value.as_str() == Some("api") {
        return Ok(Trigger::Api);
    }
    let map = map(value)?;
    let given: Vec<&str> = KINDS
        .into_iter()
        .filter(|kind| map.contains_key(*kind))
        .collect();
    let mut found = Violations::new();
    let mut reader = Reader::new(map, &mut found);
    let trigger = read_kind(&mut reader);
    if given.len() != 1 {
        let rule = format!("has exactly one of {}", KINDS.join(", "));
        reader.wrong("", rule, given.join(", "));
    }
    reader.finish();
    // `api:` without a value is the whole trigger; for the other kinds a missing value is a mistake.
    match (trigger, given.as_slice()) {
        (None, ["api"]) if found.is_empty() => Ok(Trigger::Api),
        (None, [kind]) if found.is_empty() => Err(Violation::new(*kind, "is missing", "").into()),
        (Some(trigger), _) if found.is_empty() => Ok(trigger),
        _ => Err(found),
    }
}

fn read_kind(reader: &mut Reader<'_, '_>) -> Option<Trigger> {
    let zone = reader.get("zone", text);
    let cron = reader.get("cron", text);
    if cron.is_none() && zone.is_some() {
        reader.wrong("zone", "belongs to `cron`", zone.unwrap_or_default());
    }
    let kinds = [
        cron.map(|expression| Trigger::Cron {
            expression: expression.to_owned(),
            zone: zone.unwrap_or("UTC").to_owned(),
        }),
        reader.get("fixed_rate", fixed_rate),
        reader
            .get("fixed_delay", span_ms)
            .map(|delay_ms| Trigger::FixedDelay { delay_ms }),
        reader
            .get("second_delay", seconds)
            .map(|seconds| Trigger::SecondDelay { seconds }),
        reader
            .get("once", instant)
            .map(|at_ms| Trigger::Once { at_ms }),
        reader.get("api", api),
        reader.get("after", after),
    ];
    kinds.into_iter().flatten().next()
}

fn fixed_rate(value: &Value) -> Result<Trigger, Violations> {
    let Some(map) = value.as_object() else {
        return Ok(Trigger::FixedRate {
            period_ms: span_ms(value)?,
            anchor_ms: None,
        });
    };
    let mut found = Violations::new();
    let mut reader = Reader::new(map, &mut found);
    let period_ms = reader.need("every", span_ms).unwrap_or_default();
    let anchor_ms = reader.get("anchor", instant);
    reader.finish();
    found.into_result().map(|()| Trigger::FixedRate {
        period_ms,
        anchor_ms,
    })
}

/// A whole number, or a span of whole seconds.
fn seconds(value: &Value) -> Result<u32, Violation> {
    let wrong = || Violation::new("", "is 1..=60 whole seconds, like 5 or 5s", shown(value));
    let seconds = match value.as_u64() {
        Some(seconds) => seconds,
        None => {
            let ms = span_ms(value).map_err(|_| wrong())?;
            if ms % 1_000 == 0 {
                ms / 1_000
            } else {
                return Err(wrong());
            }
        }
    };
    u32::try_from(seconds).map_err(|_| wrong())
}

fn api(value: &Value) -> Result<Trigger, Violation> {
    let empty = value.as_object().is_some_and(serde_json::Map::is_empty);
    if empty || value.as_bool() == Some(true) {
        return Ok(Trigger::Api);
    }
    Err(Violation::new("", "is an empty map: {}", shown(value)))
}

fn after(value: &Value) -> Result<Trigger, Violations> {
    let Some(map) = value.as_object() else {
        return Ok(Trigger::After {
            job: parsed(value)?,
            on: AfterOn::Succeeded,
        });
    };
    let mut found = Violations::new();
    let mut reader = Reader::new(map, &mut found);
    let job = reader.need("job", parsed);
    let on = reader.get("on", parsed).unwrap_or(AfterOn::Succeeded);
    reader.finish();
    match job {
        Some(job) if found.is_empty() => Ok(Trigger::After { job, on }),
        Some(_) | None => Err(found),
    }
}
