//! What the bodies of requests are, as JSON Schema.

use serde_json::{Value, json};
use tickwheel_core::bounds::SUBMIT_MAX;
use tickwheel_core::manifest::json_schema;
use tickwheel_core::shape::{Record, describe_fields};

use crate::requests::Submission;

pub(super) fn object<R: Record>() -> Value {
    Value::Object(describe_fields::<R>())
}

/// One, or a list of them.
fn one_or_many(one: &Value) -> Value {
    json!({ "oneOf": [one, { "type": "array", "items": one, "minItems": 1, "maxItems": SUBMIT_MAX }] })
}

pub(super) fn submissions() -> Value {
    one_or_many(&object::<Submission>())
}

/// The document of a kind, as files have it; its kind may be left out.
fn document(kind: &str) -> Value {
    let all = json_schema();
    let document = all.pointer(&format!("/definitions/{kind}"));
    without(document.cloned().unwrap_or_default(), "kind")
}

/// The same, where this may be left out.
fn without(mut document: Value, key: &str) -> Value {
    if let Some(needed) = document.get_mut("required").and_then(Value::as_array_mut) {
        needed.retain(|needed| needed != key);
    }
    document
}

pub(super) fn job_document() -> Value {
    document("Job")
}

/// The name stands in the path.
pub(super) fn named_job_document() -> Value {
    without(job_document(), "name")
}

pub(super) fn job_documents() -> Value {
    one_or_many(&job_document())
}

/// The group stands in the path.
pub(super) fn limits_document() -> Value {
    without(document("Limits"), "group")
}
