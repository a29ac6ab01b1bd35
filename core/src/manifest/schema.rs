//! The JSON Schema of documents, for editors: made from the declarations that read them.

use serde_json::{Map, Value, json};

use super::document::Kind;
use super::limits::LimitsSpec;
use crate::bounds::MANIFEST_DOCUMENTS_MAX;
use crate::job::JobSpec;
use crate::shape::describe_fields;

/// The JSON Schema (draft 7, which editors know) of what `parse_documents` reads. It refuses unknown keys, values of other forms and numbers out
/// of range; what depends on two values, on the clock or on the zone table is left to the reader.
#[must_use]
pub fn json_schema() -> Value {
    let definitions = [
        (Kind::Job, "A job.", describe_fields::<JobSpec>()),
        (
            Kind::Limits,
            "The limits of a group.",
            describe_fields::<LimitsSpec>(),
        ),
    ];
    let refs: Vec<Value> = Kind::ALL
        .iter()
        .map(|kind| json!({ "$ref": format!("#/definitions/{kind}") }))
        .collect();
    let definitions: Map<String, Value> = definitions
        .into_iter()
        .map(|(kind, about, schema)| (kind.to_string(), document(kind, about, schema)))
        .collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Tickwheel documents",
        "description": "What `tickwheel apply -f` reads: one document, or a list of them.",
        "oneOf": [
            { "oneOf": refs },
            { "type": "array", "items": { "oneOf": refs }, "maxItems": MANIFEST_DOCUMENTS_MAX },
        ],
        "definitions": definitions,
    })
}

fn document(kind: Kind, about: &str, mut schema: Map<String, Value>) -> Value {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let kind = json!({ "const": kind.as_str(), "description": "What this document is." });
        properties.insert("kind".to_owned(), kind);
    }
    if let Some(needed) = schema.get_mut("required").and_then(Value::as_array_mut) {
        needed.insert(0, json!("kind"));
    }
    schema.insert("description".to_owned(), json!(about));
    Value::Object(schema)
}
