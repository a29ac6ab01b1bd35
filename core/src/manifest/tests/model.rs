//! What is read as a model, and every mistake of one.

use serde_json::{Value, json};

use crate::job::{Backoff, JobSpec};
use crate::manifest::read_job;
use crate::model::{Allocation, Broadcast, Indexed, Model, ReduceOn, Sharding, Success};

fn with(model: &Value) -> Value {
    json!({ "name": "x", "handler": "h", "trigger": "manual", "model": model })
}

fn one(value: &Value) -> JobSpec {
    read_job(value).unwrap()
}

fn mistakes(value: &Value) -> Vec<String> {
    let wrong = read_job(value).unwrap_err();
    wrong.iter().map(ToString::to_string).collect()
}

fn items(items: &[&str]) -> Sharding {
    Sharding {
        items: items.iter().map(|item| item.parse().unwrap()).collect(),
        allocation: Allocation::Average,
    }
}

#[test]
fn every_kind_of_model_is_read() {
    let full = Indexed {
        completions: 10,
        parallelism: 3,
        max_failed: Some(2),
        success: Some(Success {
            indexes: vec![0, 2],
            count: Some(1),
        }),
    };
    let least = Indexed {
        completions: 5,
        parallelism: 1,
        max_failed: None,
        success: None,
    };
    let odd = Sharding {
        allocation: Allocation::Odevity,
        ..items(&["0=Beijing", "1=Shanghai"])
    };
    let table = [
        (json!(null), Model::Standalone),
        (json!("standalone"), Model::Standalone),
        (json!({ "standalone": {} }), Model::Standalone),
        (json!("broadcast"), Model::Broadcast(Broadcast::default())),
        (
            json!({ "broadcast": {} }),
            Model::Broadcast(Broadcast::default()),
        ),
        (
            json!({ "broadcast": null }),
            Model::Broadcast(Broadcast::default()),
        ),
        (
            json!({ "broadcast": { "quorum": 3 } }),
            Model::Broadcast(Broadcast { quorum: Some(3) }),
        ),
        (
            json!({ "sharding": { "items": ["0=Beijing", 1, "2"] } }),
            Model::Sharding(items(&["0=Beijing", "1", "2"])),
        ),
        (
            json!({ "sharding": { "items": [{ "index": 0, "parameter": "Beijing" }, { "index": 7 }] } }),
            Model::Sharding(items(&["0=Beijing", "7"])),
        ),
        (
            json!({ "sharding": { "items": 3 } }),
            Model::Sharding(items(&["0", "1", "2"])),
        ),
        (
            json!({ "sharding": { "items": ["0=Beijing", "1=Shanghai"], "allocation": "odevity" } }),
            Model::Sharding(odd),
        ),
        (
            json!({ "indexed": { "completions": 5 } }),
            Model::Indexed(least),
        ),
        (
            json!({ "indexed": { "completions": 10, "parallelism": 3, "max_failed": 2,
                                 "success": { "indexes": [0, 2], "count": 1 } } }),
            Model::Indexed(full),
        ),
    ];
    for (given, expected) in table {
        assert_eq!(one(&with(&given)).model, expected, "{given}");
    }
}

#[test]
fn reduce_and_the_options_of_subtasks_stand_in_the_model() {
    let spec = one(&with(&json!({
        "broadcast": {}, "reduce": "sum", "reduce_on": "succeeded",
        "subtask": { "retries": { "max_attempts": 5, "backoff": "fixed", "delay": "2s" }, "timeout": "1m", "lease": "20s" },
    })));
    assert_eq!(spec.reduce.unwrap().as_str(), "sum");
    assert_eq!(spec.reduce_on, ReduceOn::Succeeded);
    assert_eq!(spec.subtask.retry.max_attempts, 5);
    assert_eq!(
        spec.subtask.retry.backoff,
        Backoff::Fixed { delay_ms: 2_000 }
    );
    assert_eq!(
        (spec.subtask.timeout_ms, spec.subtask.lease_ms),
        (Some(60_000), 20_000)
    );
    assert_eq!(spec.options, crate::job::ContextOptions::default());
}

#[test]
fn every_mistake_of_a_model_is_named_with_its_path() {
    let table: [(Value, &[&str]); 12] = [
        (
            json!("broadcst"),
            &[
                "model: is one of standalone, broadcast, sharding, indexed; did you mean `broadcast`? (given: broadcst)",
            ],
        ),
        (json!("sharding"), &["model.sharding.items: is missing"]),
        (json!("indexed"), &["model.indexed.completions: is missing"]),
        (json!({ "sharding": null }), &["model.sharding: is missing"]),
        (
            json!({}),
            &["model: has exactly one of standalone, broadcast, sharding, indexed"],
        ),
        (
            json!({ "broadcast": {}, "indexed": { "completions": 1 } }),
            &[
                "model: has exactly one of standalone, broadcast, sharding, indexed (given: broadcast, indexed)",
            ],
        ),
        (
            json!({ "shardin": { "items": 3 } }),
            &[
                "model: has exactly one of standalone, broadcast, sharding, indexed",
                "model.shardin: is not a known key; did you mean `sharding`?",
            ],
        ),
        (
            json!({ "broadcast": { "quorm": 3, "quorum": -1 } }),
            &[
                "model.broadcast.quorum: is a whole number (given: -1)",
                "model.broadcast.quorm: is not a known key; did you mean `quorum`?",
            ],
        ),
        (
            json!({ "sharding": { "items": ["a=b", "0=x", true], "allocation": "avarage" } }),
            &[
                "model.sharding.items[0]: is an index below 2^32 and its parameter, like 0=Beijing (given: a=b)",
                "model.sharding.items[2]: is an item, like { index: 0, parameter: Beijing } (given: true)",
                "model.sharding.allocation: is one of average, odevity, round_robin; did you mean `average`? (given: avarage)",
            ],
        ),
        (
            json!({ "sharding": { "items": ["0=a", "0=b"] } }),
            &[
                "model.sharding.items[1]: is used once; model.sharding.items[0] has it already (given: 0)",
            ],
        ),
        (
            json!({ "sharding": { "items": 1001 } }),
            &["model.sharding.items: has 1..=1000 items (given: 1001)"],
        ),
        (
            json!({ "indexed": { "completions": 0, "parallelism": 0, "success": { "indexs": [1] } } }),
            &[
                "model.indexed.success.indexs: is not a known key; did you mean `indexes`?",
                "model.indexed.completions: is 1..=10000000 (given: 0)",
                "model.indexed.parallelism: is 1..=1000000 (given: 0)",
            ],
        ),
    ];
    for (given, expected) in table {
        assert_eq!(mistakes(&with(&given)), expected, "{given}");
    }
}

#[test]
fn what_does_not_fit_together_is_named() {
    let subtask = json!({ "retries": { "max_attempts": 0 }, "timeout": "0ms" });
    let job = with(&json!({ "standalone": {}, "reduce": "sum", "subtask": subtask }));
    let found = mistakes(&job);
    assert!(
        found[0].starts_with("model.reduce: a reduce without a map"),
        "{found:?}"
    );
    let expected = [
        "model.subtask.retries.max_attempts: is 1..=1000 (given: 0)",
        "model.subtask.timeout: is at least 1 ms (given: 0)",
    ];
    assert_eq!(found[1..], expected);
    let job = with(&json!({ "broadcast": {}, "reduce_on": "never" }));
    assert_eq!(
        mistakes(&job),
        ["model.reduce_on: is ended or succeeded (given: never)"]
    );
}

#[test]
fn keys_that_stand_in_the_wrong_place_are_told_the_right_one() {
    let mut job = with(
        &json!({ "broadcast": {}, "subtask": { "max_attempts": 5, "timeot": "1m", "lease": "1ms" } }),
    );
    job["reduce"] = json!("sum");
    job["subtask"] = json!({});
    assert_eq!(
        mistakes(&job),
        [
            "model.subtask.max_attempts: belongs in `retries`",
            "model.subtask.timeot: is not a known key; did you mean `timeout`?",
            "model.subtask.lease: is 1000..=3600000 (given: 1)",
            "reduce: belongs in `model`",
            "subtask: belongs in `model`",
        ]
    );
}
