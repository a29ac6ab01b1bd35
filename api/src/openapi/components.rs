//! Schemas, responses and headers that operations share.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::answers;
use crate::routes::Operation;

type Schemas = Vec<(String, RefOr<Schema>)>;

/// The type of an answer, and those in it.
fn add<T: ToSchema + PartialSchema>(all: &mut Schemas) {
    all.push((T::name().into_owned(), T::schema()));
    T::schemas(all);
}

fn answers_schemas() -> BTreeMap<String, Value> {
    let mut all = Schemas::new();
    add::<answers::AppliedList>(&mut all);
    add::<answers::AuditPage>(&mut all);
    add::<answers::Cluster>(&mut all);
    add::<answers::DeadChanged>(&mut all);
    add::<answers::DeadPage>(&mut all);
    add::<answers::Deleted>(&mut all);
    add::<answers::Explained>(&mut all);
    add::<answers::Group>(&mut all);
    add::<answers::GroupList>(&mut all);
    add::<answers::Job>(&mut all);
    add::<answers::JobPage>(&mut all);
    add::<answers::JobStats>(&mut all);
    add::<answers::LedgerPage>(&mut all);
    add::<answers::Limits>(&mut all);
    add::<answers::LimitsList>(&mut all);
    add::<answers::LogPage>(&mut all);
    add::<answers::LoginLink>(&mut all);
    add::<answers::MadeToken>(&mut all);
    add::<answers::Overview>(&mut all);
    add::<answers::Preview>(&mut all);
    add::<answers::Problem>(&mut all);
    add::<answers::Revoked>(&mut all);
    add::<answers::Run>(&mut all);
    add::<answers::RunExplained>(&mut all);
    add::<answers::RunPage>(&mut all);
    add::<answers::Session>(&mut all);
    add::<answers::StreamEvent>(&mut all);
    add::<answers::SubmittedList>(&mut all);
    add::<answers::Submitted>(&mut all);
    add::<answers::SubtaskPage>(&mut all);
    add::<answers::TokenPage>(&mut all);
    add::<answers::UpcomingPage>(&mut all);
    add::<answers::Wheel>(&mut all);
    add::<answers::WorkerList>(&mut all);
    all.into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect()
}

/// Everything that is referred to.
pub(super) fn components() -> Value {
    let mut schemas: Map<String, Value> = answers_schemas().into_iter().collect();
    for operation in Operation::ALL {
        if let Some(request) = operation.row().request {
            let mut schema = (request.schema)();
            if let Some(schema) = schema.as_object_mut() {
                schema.remove("$schema");
            }
            allow_null(&mut schema);
            schemas.insert(request.name.to_owned(), schema);
        }
    }
    json!({
        "schemas": schemas,
        "responses": {
            "Problem": {
                "description": "It was refused, or failed. `code` is one of a few stable words, `violations` has every rule that is broken.",
                "content": { "application/problem+json": { "schema": reference("Problem") } },
            },
        },
        "parameters": {
            "RequestId": header("X-Request-Id", "Names the request in the log and in the answer; without it the tracker makes one."),
            "Durability": header(
                "Tickwheel-Durability",
                "How far the write has come when it is answered: async, replicated(N) or fsynced; without it what the namespace has.",
            ),
            "IfMatch": header(
                "If-Match",
                "The ETag of the job as it was read, like \"3\": where it has another one, nothing is changed (412).",
            ),
            "IfNoneMatch": header(
                "If-None-Match",
                "*: only where there is no such job (412).",
            ),
            "IdempotencyKey": header(
                "Idempotency-Key",
                "The same request may be sent again with it for a day; it is the `dedup_key` of what is submitted.",
            ),
        },
    })
}

/// A field that may be missing may be there as `null` too, which many programs write for what they do not say.
fn allow_null(request: &mut Value) {
    let needed = request.get("required").cloned().unwrap_or_default();
    let properties = request.get_mut("properties");
    let properties = properties.and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        let is_needed = needed
            .as_array()
            .is_some_and(|needed| needed.iter().any(|one| one == name));
        if !is_needed {
            *property = or_null(property.take());
        }
    }
}

/// The same, or `null`; what is said of it stays where it is looked for.
fn or_null(mut schema: Value) -> Value {
    let mut outer = Map::new();
    if let Some(inner) = schema.as_object_mut() {
        for key in ["description", "default"] {
            outer.extend(inner.remove(key).map(|value| (key.to_owned(), value)));
        }
        if inner.is_empty() {
            return Value::Object(outer); // any value
        }
    }
    outer.insert("anyOf".to_owned(), json!([schema, { "type": "null" }]));
    Value::Object(outer)
}

fn header(name: &str, about: &str) -> Value {
    json!({ "name": name, "in": "header", "required": false, "description": about, "schema": { "type": "string" } })
}

/// A schema by its name.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
