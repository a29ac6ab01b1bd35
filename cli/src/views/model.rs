//! How a job is split, in words.

use tickwheel_core::job::{Backoff, ContextOptions, JobSpec};
use tickwheel_core::model::{Model, ReduceOn};

use super::spec::span;

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
    use serde_json::{Value, json};
    use tickwheel_core::manifest::read_job;

    use super::*;

    fn parsed(model: &Value) -> JobSpec {
        let job = json!({ "name": "x", "handler": "h", "trigger": "manual", "model": model });
        let mut spec = read_job(&job).unwrap();
        spec.reduce = Some("sum".parse().unwrap());
        spec
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
