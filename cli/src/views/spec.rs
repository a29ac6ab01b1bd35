//! A job's definition in the form a manifest has: what is printed can be applied again.
//!
//! Only what differs from the defaults is written, so that the definition stays as short as its author wrote it.

use serde_json::{Map, Value, json};
use tickwheel_core::TimestampMs;
use tickwheel_core::job::{JobSpec, Misfire, Trigger};
use tickwheel_core::routing::{Routing, amount_text};
use tickwheel_proto::v1;

use super::model::{model_text as text_of_model, put_fan};
use super::options::{put_options, retries, span};

/// The trigger on one line.
pub(super) fn trigger_text(spec: &v1::JobSpec) -> String {
    let trigger = spec.trigger.clone().unwrap_or_default();
    match Trigger::try_from(trigger) {
        Err(_) => "unknown".to_owned(),
        Ok(Trigger::Cron { expression, zone }) if zone.is_empty() => {
            format!("cron {expression} UTC")
        }
        Ok(Trigger::Cron { expression, zone }) => format!("cron {expression} {zone}"),
        Ok(Trigger::FixedRate { period_ms, .. }) => format!("every {}", span(period_ms)),
        Ok(Trigger::FixedDelay { delay_ms }) => format!("{} after its end", span(delay_ms)),
        Ok(Trigger::SecondDelay { seconds }) => format!("{seconds}s after its end"),
        Ok(Trigger::Once { at_ms }) => format!("once {at_ms}"),
        Ok(Trigger::Api) => "on demand".to_owned(),
        Ok(Trigger::After { job, on }) => format!("after {job} {on}"),
    }
}

/// How its contexts are split, on one line; empty when they are not.
pub(super) fn model_text(spec: &v1::JobSpec) -> String {
    JobSpec::try_from(spec.clone()).map_or_else(|_| String::new(), |spec| text_of_model(&spec))
}

/// The definition; only its name when the message cannot be read.
pub(crate) fn spec_value(spec: &v1::JobSpec) -> Value {
    value_of(spec, false)
}

/// The definition with the defaults that hold where nothing was said; what has no default is left out.
pub(crate) fn full_spec_value(spec: &v1::JobSpec) -> Value {
    value_of(spec, true)
}

fn value_of(spec: &v1::JobSpec, defaults: bool) -> Value {
    match JobSpec::try_from(spec.clone()) {
        Ok(spec) => manifest_value(&spec, defaults),
        Err(_) => json!({ "name": spec.name }),
    }
}

/// Nothing was said, and nothing holds by default.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn manifest_value(spec: &JobSpec, defaults: bool) -> Value {
    let default = JobSpec::new(
        spec.name.clone(),
        spec.group.clone(),
        spec.handler.clone(),
        spec.trigger.clone(),
    );
    let mut map = Map::new();
    let mut put = |key: &str, value: Value, is_default: bool| {
        if !is_default || (defaults && !is_nothing(&value)) {
            map.insert(key.to_owned(), value);
        }
    };
    put("name", json!(spec.name.as_str()), false);
    put("group", json!(spec.group.as_str()), false);
    put("handler", json!(spec.handler.as_str()), false);
    put("trigger", trigger(&spec.trigger), false);
    put("body", super::bytes_value(&spec.body), spec.body.is_empty());
    put("start_at", instant(spec.start_at), spec.start_at.is_none());
    put("end_at", instant(spec.end_at), spec.end_at.is_none());
    put("max_runs", json!(spec.max_runs), spec.max_runs.is_none());
    put("jitter", json!(span(spec.jitter_ms)), spec.jitter_ms == 0);
    put(
        "misfire",
        misfire(spec.misfire),
        spec.misfire == default.misfire,
    );
    put(
        "overlap",
        json!(spec.overlap.to_string()),
        spec.overlap == default.overlap,
    );
    put(
        "ledger_limit",
        json!(spec.ledger_limit),
        spec.ledger_limit == default.ledger_limit,
    );
    put(
        "runs_limit",
        json!(spec.runs_limit),
        spec.runs_limit == default.runs_limit,
    );
    put("note", json!(spec.note), spec.note.is_empty());
    let usual = default.options.retry;
    let own = spec.options.retry;
    put("retries", retries(&own), own == usual);
    put_options(&spec.options, &mut put);
    put_placement(spec, &mut put);
    put_fan(spec, put);
    Value::Object(map)
}

/// Which workers may run it, and who of them does.
fn put_placement(spec: &JobSpec, mut put: impl FnMut(&str, Value, bool)) {
    let routing = &spec.routing;
    let mut map = Map::new();
    map.insert("policy".to_owned(), json!(routing.policy.as_str()));
    if let Some(key) = &routing.key {
        map.insert("key".to_owned(), json!(key));
    }
    if !routing.list.is_empty() {
        map.insert("list".to_owned(), json!(routing.list));
    }
    let value = if map.len() == 1 {
        json!(routing.policy.as_str())
    } else {
        Value::Object(map)
    };
    put("routing", value, *routing == Routing::default());
    let workers = &spec.workers;
    let mut map = Map::new();
    if let Some(select) = &workers.select {
        map.insert("select".to_owned(), json!(select.as_str()));
    }
    if let Some(allow) = &workers.allow {
        map.insert("allow".to_owned(), json!(allow));
    }
    if !workers.deny.is_empty() {
        map.insert("deny".to_owned(), json!(workers.deny));
    }
    if let Some(max) = workers.max {
        map.insert("max".to_owned(), json!(max));
    }
    let none = map.is_empty();
    put("workers", Value::Object(map), none);
    let amounts = spec.requires.iter();
    let amounts = amounts.map(|(name, amount)| (name.to_owned(), json!(amount_text(name, amount))));
    put(
        "requires",
        Value::Object(amounts.collect()),
        spec.requires.is_empty(),
    );
    let fairness = &spec.fairness;
    let value = match fairness.weight {
        1 => json!(fairness.key),
        weight => json!({ "key": fairness.key, "weight": weight }),
    };
    put("fairness", value, fairness.key.is_none());
}

fn trigger(trigger: &Trigger) -> Value {
    match trigger {
        Trigger::Cron { expression, zone } if zone.is_empty() => json!({ "cron": expression }),
        Trigger::Cron { expression, zone } => json!({ "cron": expression, "zone": zone }),
        Trigger::FixedRate {
            period_ms,
            anchor_ms: None,
        } => json!({ "fixed_rate": span(*period_ms) }),
        Trigger::FixedRate {
            period_ms,
            anchor_ms: Some(anchor),
        } => json!({ "fixed_rate": { "every": span(*period_ms), "anchor": anchor.to_string() } }),
        Trigger::FixedDelay { delay_ms } => json!({ "fixed_delay": span(*delay_ms) }),
        Trigger::SecondDelay { seconds } => json!({ "second_delay": seconds }),
        Trigger::Once { at_ms } => json!({ "once": at_ms.to_string() }),
        Trigger::Api => json!({ "api": {} }),
        Trigger::After { job, on } => {
            json!({ "after": { "job": job.as_str(), "on": on.to_string() } })
        }
    }
}

fn misfire(misfire: Misfire) -> Value {
    let mut map = Map::new();
    map.insert("policy".to_owned(), json!(misfire.policy.to_string()));
    map.insert("limit".to_owned(), json!(misfire.limit));
    map.insert("tolerance".to_owned(), json!(span(misfire.tolerance_ms)));
    if let Some(window_ms) = misfire.catch_up_window_ms {
        map.insert("catch_up_window".to_owned(), json!(span(window_ms)));
    }
    Value::Object(map)
}

fn instant(at: Option<TimestampMs>) -> Value {
    json!(at.map(|at| at.to_string()))
}

#[cfg(test)]
mod tests {
    use tickwheel_core::manifest::parse_manifest;

    use super::*;

    fn parsed(value: &Value) -> JobSpec {
        parse_manifest(value).unwrap().remove(0)
    }

    #[test]
    fn what_is_printed_can_be_applied_again_and_means_the_same() {
        let full = json!({
            "name": "billing/nightly", "group": "heavy", "handler": "invoice/run",
            "body": { "n": 9_007_199_254_740_993_u64 },
            "trigger": { "cron": "30 2 * * *", "zone": "Europe/Berlin" },
            "start_at": "2026-01-01T00:00:00Z", "end_at": "2030-01-01T00:00:00Z", "max_runs": 10, "jitter": "30s",
            "misfire": { "policy": "fire_all", "limit": 5, "tolerance": "1s", "catch_up_window": "1d" },
            "overlap": "queue(7)",
            "retries": { "max_attempts": 5, "backoff": "fixed", "delay": "2s", "jitter": "none" },
            "timeout": "10m", "cancel_grace": "1s", "start_deadline": "1h", "lease": "20s", "priority": "high",
            "on_lease_lost": "fail", "ledger_limit": 50, "runs_limit": 5, "note": "for people",
        });
        let triggers = [
            json!({ "fixed_rate": "500ms" }),
            json!({ "fixed_rate": { "every": "1s", "anchor": "2026-01-01T00:00:00.250Z" } }),
            json!({ "fixed_delay": "1m30s" }),
            json!({ "second_delay": 5 }),
            json!({ "once": "2026-01-01T00:00:00Z" }),
            json!("api"),
            json!({ "after": { "job": "up", "on": "ended" } }),
        ];
        let models = [
            json!("broadcast"),
            json!({ "broadcast": { "quorum": 3 } }),
            json!({ "sharding": { "items": ["0=Beijing", "1=Shanghai", "7"], "allocation": "round_robin" } }),
            json!({ "indexed": { "completions": 10, "parallelism": 3 } }),
            json!({ "indexed": { "completions": 10, "parallelism": 3, "max_failed": 2,
                                 "success": { "indexes": [0, 1], "count": 1 } } }),
        ];
        let small = triggers.map(|t| json!({ "name": "x", "handler": "h", "trigger": t }));
        let fans = models.map(|m| {
            json!({ "name": "x", "handler": "h", "trigger": "api", "model": m, "reduce": "sum", "reduce_on": "succeeded",
                    "subtask": { "max_attempts": 5, "delay": "2s", "timeout": "1m", "priority": "low" } })
        });
        for given in small.into_iter().chain(fans).chain([full]) {
            let spec = parsed(&given);
            let printed = spec_value(&v1::JobSpec::from(&spec));
            assert_eq!(parsed(&printed), spec, "{printed}");
            let full = full_spec_value(&v1::JobSpec::from(&spec));
            assert_eq!(parsed(&full), spec, "{full}");
        }
    }

    #[test]
    fn defaults_are_left_out() {
        let spec =
            parsed(&json!({ "name": "x", "handler": "h", "trigger": { "fixed_rate": "1s" } }));
        let printed = manifest_value(&spec, false);
        assert_eq!(
            printed,
            json!({ "name": "default/x", "group": "default", "handler": "h", "trigger": { "fixed_rate": "1s" } })
        );
    }
}
