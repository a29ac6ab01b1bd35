//! Operations by their paths.

use serde_json::{Map, Value, json};

use super::components::reference;
use crate::routes::{Operation, Row};

/// All of them.
pub(super) fn paths() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in Operation::ALL.iter().copied() {
        let row = operation.row();
        let path = paths.entry(row.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            let method = row.method.as_str().to_ascii_lowercase();
            path.insert(method, described(operation, row));
        }
    }
    paths.insert("/session".to_owned(), session());
    Value::Object(paths)
}

/// What only browsers need: no call of gRPC does it.
fn session() -> Value {
    let method = |name: &str, about: &str| {
        json!({
            "operationId": name,
            "summary": about,
            "tags": ["session"],
            "parameters": [{ "$ref": "#/components/parameters/RequestId" }],
            "responses": {
                "200": {
                    "description": "Done.",
                    "content": { "application/json": { "schema": reference("Session") } },
                },
                "default": { "$ref": "#/components/responses/Problem" },
            },
            "x-role": "viewer",
        })
    };
    json!({
        "get": method("GetSession", "Says who asks, and what it may do."),
        "post": method(
            "OpenSession",
            "Logs a browser in: whoever shows a token in Authorization, or sends the code of a login link as `{\"code\": …}` without one, is known by a cookie for twelve hours.",
        ),
        "delete": method("CloseSession", "Logs a browser out: its cookie is good no more."),
    })
}

fn described(operation: Operation, row: &Row) -> Value {
    let mut described = json!({
        "operationId": operation.name(),
        "summary": row.about,
        "tags": [tag(row.path)],
        "parameters": parameters(operation, row),
        "responses": {
            "200": {
                "description": "Done.",
                "content": { operation.content_type(): { "schema": reference(row.answer) } },
            },
            "default": { "$ref": "#/components/responses/Problem" },
        },
        "x-rpc": row.rpc,
        "x-command": format!("tickwheel {}", row.command),
        "x-role": row.role.as_str(),
    });
    if let (Some(request), Some(described)) = (row.request, described.as_object_mut()) {
        let body = json!({
            "required": request.is_required,
            "description": format!("At most {} MiB.", request.most >> 20),
            "content": { "application/json": { "schema": reference(request.name) } },
        });
        described.insert("requestBody".to_owned(), body);
    }
    described
}

/// The first word of a path.
fn tag(path: &str) -> &str {
    let word = path.trim_start_matches('/');
    word.split(['/', ':']).next().unwrap_or_default()
}

fn parameters(operation: Operation, row: &Row) -> Vec<Value> {
    let shared = |name: &str| json!({ "$ref": format!("#/components/parameters/{name}") });
    let mut all = Vec::new();
    if let Some(name) = row.path.split(['{', '}']).nth(1) {
        all.push(json!({
            "name": name,
            "in": "path",
            "required": true,
            "description": "A name; each slash in it is written as a colon.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 220 },
        }));
    }
    let query = (row.query)();
    let needed = query.get("required").and_then(Value::as_array);
    let properties = query.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let mut schema = schema.clone();
        let about = schema
            .as_object_mut()
            .and_then(|map| map.remove("description"));
        all.push(json!({
            "name": name,
            "in": "query",
            "required": needed.is_some_and(|needed| needed.iter().any(|one| one == name)),
            "description": about,
            "schema": schema,
        }));
    }
    all.push(shared("RequestId"));
    if !row.method.is_safe() && row.is_durable {
        all.push(shared("Durability"));
    }
    if operation.may_name_a_revision() {
        all.push(shared("IfMatch"));
    }
    if operation == Operation::PutJob {
        all.push(shared("IfNoneMatch"));
    }
    if operation.may_be_repeated_by_key() {
        all.push(shared("IdempotencyKey"));
    }
    all
}
