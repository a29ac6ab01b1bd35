//! A client of xcron.

use serde_json::Value;

use super::super::client::{Http, Reply};

/// A URL that may be called, at which nobody is.
pub(super) const URL: &str = "https://example.com/hook";

/// The envelope of an answer: status 200, a UUID, a code, and nothing else that does not belong there.
pub(super) fn envelope(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    let kind = reply.header("content-type");
    assert_eq!(kind.as_deref(), Some("application/json"));
    let envelope = reply.json();
    let uuid = envelope["uuid"].as_str().unwrap();
    let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{uuid}");
    assert_eq!(reply.header("x-request-id").as_deref(), Some(uuid));
    let is_done = envelope["code"].as_u64().unwrap() == 0;
    let has_message = envelope["message"]
        .as_str()
        .is_some_and(|message| !message.is_empty() && message.len() < 1_100);
    assert_eq!(has_message, !is_done, "{envelope}");
    assert!(is_done || envelope.get("data").is_none(), "{envelope}");
    let known = ["uuid", "code", "message", "data"];
    let keys = envelope.as_object().unwrap().keys();
    assert!(keys.into_iter().all(|key| known.contains(&key.as_str())));
    envelope
}

/// Its code and its message.
pub(super) fn code(envelope: &Value) -> (u64, String) {
    let message = envelope["message"].as_str().unwrap_or_default();
    (envelope["code"].as_u64().unwrap(), message.to_owned())
}

pub(super) async fn post(http: Http, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
    let path = format!("/xcron/{path}");
    envelope(&http.ask_at("POST", &path, headers, body).await)
}

pub(super) async fn create(http: Http, body: &str) -> Value {
    post(http, "createTask", &[], body.as_bytes()).await
}

pub(super) async fn delete(http: Http, id: &str) -> Value {
    let body = format!(r#"{{"task_id":"{id}"}}"#);
    post(http, "deleteTask", &[], body.as_bytes()).await
}

pub(super) async fn query(http: Http, id: &str) -> Value {
    let path = format!("/xcron/queryTask?task_id={id}");
    envelope(&http.ask_at("GET", &path, &[], b"").await)
}

/// A request for a task of this type and format.
pub(super) fn task(kind: u8, format: &str) -> String {
    format!(
        r#"{{"type":{kind},"format":"{format}","callback":{{"url":"{URL}","body":{{"n":1}}}}}}"#
    )
}

/// The id of a task that was created.
pub(super) fn id_of(created: &Value) -> String {
    assert_eq!(created["code"], 0, "{created}");
    created["data"]["task_id"].as_str().unwrap().to_owned()
}
