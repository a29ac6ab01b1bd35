//! The schema of documents: it is the published one, and refuses what the reader refuses as far as a schema can.

use std::path::Path;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use crate::manifest::{json_schema, parse_documents};

/// The schema, to hold documents against.
pub(super) struct Schema(Schemas, SchemaIndex);

impl Schema {
    pub(super) fn published() -> Self {
        let place = "https://tickwheel.invalid/schema.json";
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource(place, json_schema()).unwrap();
        let index = compiler.compile(place, &mut schemas).unwrap();
        Self(schemas, index)
    }

    /// Why it refuses a document.
    pub(super) fn refuses(&self, value: &Value) -> Option<String> {
        self.0
            .validate(value, self.1)
            .err()
            .map(|wrong| format!("{wrong:#}"))
    }
}

#[test]
fn the_published_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tickwheel.schema.json");
    let schema = format!("{:#}\n", json_schema());
    if std::env::var_os("TICKWHEEL_BLESS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == schema,
        "docs/tickwheel.schema.json: TICKWHEEL_BLESS=1 cargo nextest run -p tickwheel-core schema"
    );
}

/// A job with `key` set to `value`.
fn with(key: &str, value: &Value) -> Value {
    let mut job =
        json!({ "kind": "Job", "name": "a/b", "handler": "h", "trigger": { "manual": {} } });
    job[key] = value.clone();
    job
}

#[test]
fn short_forms_are_accepted() {
    let schema = Schema::published();
    for (key, value) in [
        ("trigger", json!("manual")),
        ("trigger", json!({ "fixed_rate": "10s" })),
        ("trigger", json!({ "after": "up" })),
        ("trigger", json!({ "once": 1_800_000_000_000_u64 })),
        ("overlap", json!("queue(3)")),
        ("overlap", json!("discard")),
        ("misfire", json!("skip")),
        ("routing", json!("round_robin")),
        ("fairness", json!("/tenant")),
        ("model", json!("broadcast")),
        ("model", json!({ "broadcast": null })),
        (
            "model",
            json!({ "sharding": { "items": ["0=Beijing", 1, { "index": 2 }] } }),
        ),
        ("model", json!({ "sharding": { "items": 4 } })),
        ("priority", json!(4)),
        (
            "resources",
            json!({ "cpu": 2, "gpu": 0.5, "memory": "1GiB" }),
        ),
        ("timeout", json!("0")),
        ("namespace", json!("n")),
    ] {
        let job = with(key, &value);
        assert_eq!(schema.refuses(&job), None, "{job}");
    }
    let limits = json!([{ "kind": "Limits", "group": "x", "rate": "5/10m" }]);
    assert_eq!(schema.refuses(&limits), None);
}

/// What is wrong whatever the rest of the document is.
fn wrong() -> Vec<(&'static str, Value)> {
    vec![
        ("kind", json!("Jop")),
        ("kind", json!(null)),
        ("name", json!("a b")),
        ("handler", json!("")),
        ("timout", json!("1s")),
        ("note", json!("for people")),
        ("requires", json!({ "gpu": 1 })),
        ("reduce", json!("sum")),
        ("subtask", json!({})),
        ("description", json!("x".repeat(1_025))),
        ("labels", json!({ "tier": 1 })),
        ("labels", json!({ "a b": "x" })),
        ("labels", json!({ "a": "x".repeat(64) })),
        ("trigger", json!("api")),
        ("trigger", json!({})),
        ("trigger", json!({ "second_delay": 5 })),
        ("trigger", json!({ "cron": "@daily", "zone": "UTC" })),
        ("trigger", json!({ "cron": "@daily", "manual": {} })),
        ("trigger", json!({ "fixed_rate": 10 })),
        (
            "trigger",
            json!({ "fixed_rate": { "every": "10s", "ancor": 5 } }),
        ),
        ("trigger", json!({ "after": { "on": "ended" } })),
        ("trigger", json!({ "once": "tomorrow" })),
        ("start_at", json!("soon")),
        ("max_runs", json!(0)),
        ("jitter", json!(5)),
        ("jitter", json!("1 week")),
        ("misfire", json!({ "limit": 1_001 })),
        ("misfire", json!("fire")),
        ("overlap", json!("queue(many)")),
        ("overlap", json!({ "limit": 3 })),
        ("overlap", json!({ "policy": "queue", "limit": 100_001 })),
        ("retries", json!({ "max_attempts": 0 })),
        ("retries", json!({ "backoff": "expo" })),
        ("priority", json!(9)),
        ("on_lease_lost", json!("again")),
        ("routing", json!("rondom")),
        ("routing", json!({ "policy": "failover", "list": [] })),
        ("workers", json!({ "max": 0 })),
        ("workers", json!({ "selct": "gpu" })),
        ("resources", json!({ "GPU": 1 })),
        ("resources", json!({ "memory": "much" })),
        ("fairness", json!({ "weight": 2 })),
        ("fairness", json!({ "key": "a", "weight": 65 })),
        ("model", json!("sharding")),
        ("model", json!({ "broadcast": { "quorum": 0 } })),
        (
            "model",
            json!({ "broadcast": {}, "indexed": { "completions": 1 } }),
        ),
        ("model", json!({ "indexed": { "completions": 10_000_001 } })),
        ("model", json!({ "sharding": { "items": ["a=b"] } })),
        (
            "model",
            json!({ "broadcast": {}, "subtask": { "max_attempts": 3 } }),
        ),
        ("ledger_limit", json!(0)),
        ("runs_limit", json!(10_001)),
    ]
}

#[test]
fn what_the_schema_refuses_the_reader_refuses_too() {
    let schema = Schema::published();
    for (key, value) in wrong() {
        let job = with(key, &value);
        assert!(schema.refuses(&job).is_some(), "the schema accepts {job}");
        assert!(parse_documents(&job).is_err(), "the reader accepts {job}");
    }
    for limits in [
        json!({ "kind": "Limits", "concurrency": 1 }),
        json!({ "kind": "Limits", "group": "x", "concurrency": 1_000_001 }),
        json!({ "kind": "Limits", "group": "x", "rate": { "starts": 5 } }),
        json!({ "kind": "Limits", "group": "x", "rate": "fast" }),
        json!({ "kind": "Limits", "group": "x", "keys": { "a b": { "concurrency": 1 } } }),
        json!({ "kind": "Limits", "group": "x", "concurrency": 1, "burst": 5 }),
        json!({ "kind": "Workflow", "name": "x" }),
        json!({ "jobs": [with("timeout", &json!("1s"))] }),
    ] {
        assert!(
            schema.refuses(&limits).is_some(),
            "the schema accepts {limits}"
        );
        assert!(
            parse_documents(&limits).is_err(),
            "the reader accepts {limits}"
        );
    }
}
