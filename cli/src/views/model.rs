//! How a job is split: in the form a manifest has, and in words.

use serde_json::{Map, Value, json};
use tickwheel_core::job::{Backoff, ContextOptions, JobSpec};
use tickwheel_core::model::{Allocation, Indexed, Model, ReduceOn, Sharding, Success};

use super::options::{put_options, retries, span};

/// Puts what differs from the defaults, under the keys of a manifest.
pub(super) fn put_fan(spec: &JobSpec, mut put: impl FnMut(&str, Value, bool)) {
    let usual = ContextOptions::default();
    put("model", model(&spec.model), spec.model.is_standalone());
    let reduce = spec.reduce.as_ref().map(|handler| handler.as_str());
    put("reduce", json!(reduce), reduce.is_none());
    let on = spec.reduce_on;
    put("reduce_on", json!(on.as_str()), on == ReduceOn::default());
    put("subtask", subtask(&spec.subtask), spec.subtask == usual);
}

fn model(model: &Model) -> Value {
    match model {
        Model::Standalone => json!("standalone"),
        Model::Broadcast(broadcast) => match broadcast.quorum {
            None => json!("broadcast"),
            Some(quorum) => json!({ "broadcast": { "quorum": quorum } }),
        },
        Model::Sharding(sharding) => json!({ "sharding": self::sharding(sharding) }),
        Model::Indexed(indexed) => json!({ "indexed": self::indexed(indexed) }),
    }
}

fn sharding(sharding: &Sharding) -> Value {
    let items: Vec<String> = sharding.items.iter().map(ToString::to_string).collect();
    let mut map = Map::from_iter([("items".to_owned(), json!(items))]);
    if sharding.allocation != Allocation::default() {
        map.insert("allocation".to_owned(), json!(sharding.allocation.as_str()));
    }
    Value::Object(map)
}

fn indexed(indexed: &Indexed) -> Value {
    let mut map = Map::new();
    map.insert("completions".to_owned(), json!(indexed.completions));
    map.insert("parallelism".to_owned(), json!(indexed.parallelism));
    if let Some(max_failed) = indexed.max_failed {
        map.insert("max_failed".to_owned(), json!(max_failed));
    }
    if let Some(success) = &indexed.success {
        map.insert("success".to_owned(), self::success(success));
    }
    Value::Object(map)
}

fn success(success: &Success) -> Value {
    let mut map = Map::new();
    if !success.indexes.is_empty() {
        map.insert("indexes".to_owned(), json!(success.indexes));
    }
    if let Some(count) = success.count {
        map.insert("count".to_owned(), json!(count));
    }
    Value::Object(map)
}

/// The keys of the retries and those of the other options in one map, as a manifest has them.
fn subtask(options: &ContextOptions) -> Value {
    let usual = ContextOptions::default();
    let mut map = Map::new();
    if options.retry != usual.retry
        && let Value::Object(keys) = retries(&options.retry)
    {
        map = keys;
    }
    put_options(options, |key, value, is_default| {
        if !is_default {
            map.insert(key.to_owned(), value);
        }
    });
    Value::Object(map)
}

/// The model on one line; empty for one that does not split.
pub(super) fn model_text(spec: &JobSpec) -> String {
    let mut text = match &spec.model {
        Model::Standalone => return String::new(),
        Model::Broadcast(broadcast) => match broadcast.quorum {
            None => "broadcast: every worker".to_owned(),
            Some(quorum) => format!("broadcast: every worker, {quorum} have to succeed"),
        },
        Model::Sharding(sharding) => format!(
            "sharding: {} items, {}",
            sharding.items.len(),
            sharding.allocation
        ),
        Model::Indexed(indexed) => format!(
            "indexed: {} completions, {} at once",
            indexed.completions, indexed.parallelism
        ),
    };
    if let Some(reduce) = &spec.reduce {
        text += &format!("; then {reduce}");
        if spec.reduce_on == ReduceOn::Succeeded {
            text += " if all succeed";
        }
    }
    let retry = spec.subtask.retry;
    if retry != ContextOptions::default().retry {
        let delay = match retry.backoff {
            Backoff::Fixed { delay_ms } | Backoff::Exponential { delay_ms, .. } => delay_ms,
        };
        text += &format!(
            "; subtasks: {} attempts, {} apart",
            retry.max_attempts,
            span(delay)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use tickwheel_core::manifest::parse_manifest;

    use super::*;

    fn parsed(model: &Value) -> JobSpec {
        let job = json!({ "name": "x", "handler": "h", "trigger": "api", "model": model, "reduce": "sum" });
        parse_manifest(&job).unwrap().remove(0)
    }

    #[test]
    fn a_model_is_said_on_one_line() {
        let table = [
            (json!("broadcast"), "broadcast: every worker; then sum"),
            (
                json!({ "broadcast": { "quorum": 3 } }),
                "broadcast: every worker, 3 have to succeed; then sum",
            ),
            (
                json!({ "sharding": { "items": 3, "allocation": "odevity" } }),
                "sharding: 3 items, odevity; then sum",
            ),
            (
                json!({ "indexed": { "completions": 10, "parallelism": 3 } }),
                "indexed: 10 completions, 3 at once; then sum",
            ),
        ];
        for (given, text) in table {
            assert_eq!(model_text(&parsed(&given)), text);
        }
    }
}
