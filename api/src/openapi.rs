//! The OpenAPI document, made of the table, of the declarations by which requests are read, and of the types of answers.
//!
//! It is committed as `api/openapi.json`, which is what a tracker serves; `TICKWHEEL_BLESS=1 cargo nextest run -p tickwheel-api openapi`
//! writes it anew.

mod components;
mod paths;

use serde_json::{Value, json};

use crate::routes::BASE;

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tickwheel",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What programs ask of a tracker over HTTP. Each operation does what the call of gRPC named with it does. \
                Times are milliseconds since 1970 by the clock of the cluster; bodies and results are exact.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": BASE }],
        "paths": paths::paths(),
        "components": components::components(),
    });
    bound(&mut document);
    document
}

/// Whole numbers are those that every program of JSON counts in.
const WHOLE_MAX: u64 = (1 << 53) - 1;

/// Gives every whole number its bounds.
fn bound(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let types = map.get("type");
            let whole = types.is_some_and(|types| {
                types == "integer"
                    || types
                        .as_array()
                        .is_some_and(|types| types.iter().any(|one| one == "integer"))
            });
            if whole {
                map.remove("format");
                map.entry("minimum").or_insert_with(|| json!(0));
                let most = map.entry("maximum").or_insert_with(|| json!(WHOLE_MAX));
                if most.as_u64().is_none_or(|most| most > WHOLE_MAX) {
                    *most = json!(WHOLE_MAX);
                }
            }
            map.values_mut().for_each(bound);
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::routes::Operation;

    fn file() -> std::path::PathBuf {
        concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json").into()
    }

    #[test]
    fn the_published_document_is_that_of_the_table() {
        let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if std::env::var_os("TICKWHEEL_BLESS").is_some() {
            std::fs::write(file(), text).unwrap();
            return;
        }
        let published = std::fs::read_to_string(file()).unwrap_or_default();
        assert!(
            published == text,
            "api/openapi.json is older than the table: TICKWHEEL_BLESS=1 writes it anew"
        );
    }

    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let Some(to) = map.get("$ref").and_then(Value::as_str) {
                    found.insert(to.to_owned());
                }
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn what_is_referred_to_is_there_and_everything_there_is_used() {
        let document = document();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for to in &found {
            let pointer = to.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{to}");
        }
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            assert!(
                found.contains(&format!("#/components/schemas/{name}")),
                "{name}"
            );
            assert!(schema.is_object());
        }
    }

    #[test]
    fn every_operation_has_its_place() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.values().flat_map(|path| path.as_object().unwrap());
        let ids: BTreeSet<&str> = operations
            .filter_map(|(_, operation)| operation["operationId"].as_str())
            .collect();
        // Those of sessions are for browsers alone.
        let of_sessions = ids.iter().filter(|id| id.ends_with("Session")).count();
        assert_eq!(of_sessions, 3);
        assert_eq!(ids.len(), Operation::ALL.len() + of_sessions);
        assert_eq!(
            document["paths"]["/runs/{run}:wait"]["post"]["x-rpc"],
            "WaitContext"
        );
    }

    #[test]
    fn whole_numbers_are_those_that_every_program_counts_in() {
        let mut value = json!({
            "a": { "type": "integer", "format": "int64", "minimum": 1 },
            "b": [{ "type": ["integer", "null"], "maximum": u64::MAX }],
            "c": { "type": "integer", "maximum": 5 },
        });
        bound(&mut value);
        let most = 9_007_199_254_740_991_u64;
        let expected = json!({
            "a": { "type": "integer", "minimum": 1, "maximum": most },
            "b": [{ "type": ["integer", "null"], "minimum": 0, "maximum": most }],
            "c": { "type": "integer", "minimum": 0, "maximum": 5 },
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn schemas_are_schemas() {
        let document = document();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let mut whole = schema.clone();
            whole["components"] = document["components"].clone();
            whole["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
            let mut compiler = boon::Compiler::new();
            let mut schemas = boon::Schemas::new();
            compiler.add_resource("mem:///schema.json", whole).unwrap();
            let compiled = compiler.compile("mem:///schema.json", &mut schemas);
            assert!(compiled.is_ok(), "{name}: {compiled:?}");
        }
    }
}
