//! Two things that differ in their names alone: one that HTTP is asked about, and one that gRPC is.

use prost::Message as _;
use serde::Serialize;
use serde_json::{Value, json};
use tickwheel_proto::v1;
use tonic::{Response, Status};

use super::client::Reply;
use crate::harness::{Caller, submission};

/// An answer, or a code word with its message.
pub(super) type Said = Result<Value, (String, String)>;

pub(super) fn by_grpc<T, V: From<T> + Serialize>(answer: Result<Response<T>, Status>) -> Said {
    match answer {
        Ok(answer) => Ok(shown(&V::from(answer.into_inner()))),
        Err(status) => Err(refused(&status)),
    }
}

pub(super) fn shown(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap()
}

pub(super) fn refused(status: &Status) -> (String, String) {
    let detail = v1::ErrorDetail::decode(status.details()).unwrap();
    (detail.code, status.message().to_owned())
}

pub(super) fn by_http(reply: &Reply) -> Said {
    if reply.status == 200 {
        return Ok(reply.json());
    }
    let problem = reply.problem();
    let text = |key: &str| problem[key].as_str().unwrap().to_owned();
    Err((text("code"), text("detail")))
}

/// Without what differs between twins: their names, ids, times and places.
pub(super) fn plain(said: Said) -> Said {
    fn walk(value: &mut Value, key: &str) {
        match value {
            Value::Object(map) => map.iter_mut().for_each(|(key, value)| walk(value, key)),
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, key)),
            Value::String(text) => {
                let is_id = [
                    "id",
                    "run_id",
                    "ids",
                    "active",
                    "next_cursor",
                    "waiting_reason",
                ]
                .contains(&key);
                let is_token = key == "text" && text.starts_with("tw_");
                *text = if (is_id || is_token) && !text.is_empty() {
                    "some".to_owned()
                } else {
                    twin(text)
                };
            }
            Value::Number(_) if key.ends_with("_ms") || key == "partition" => *value = json!(1),
            Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }
    match said {
        Ok(mut value) => {
            walk(&mut value, "");
            Ok(value)
        }
        Err((code, message)) => Err((code, twin(&message))),
    }
}

pub(super) fn twin(text: &str) -> String {
    text.replace("grpc/", "twin/").replace("http/", "twin/")
}

/// A run of each twin that waits for an hour: of HTTP, of gRPC.
pub(super) async fn waiting(caller: &mut Caller) -> [String; 2] {
    let of = |namespace: &str| v1::Submission {
        namespace: namespace.to_owned(),
        body: "exact".into(),
        ..submission(3_600_000)
    };
    let both = caller.submit(vec![of("http"), of("grpc")]).await.unwrap();
    [both[0].id.clone(), both[1].id.clone()]
}

/// A run of each twin that nobody began in time.
pub(super) async fn expired(caller: &mut Caller) -> [String; 2] {
    let of = |namespace: &str| v1::Submission {
        namespace: namespace.to_owned(),
        options: Some(v1::ContextOptions {
            start_deadline_ms: Some(1),
            ..v1::ContextOptions::default()
        }),
        ..submission(0)
    };
    let both = caller.submit(vec![of("http"), of("grpc")]).await.unwrap();
    let ids = [both[0].id.clone(), both[1].id.clone()];
    for id in &ids {
        assert_eq!(caller.ended(id).await.state(), v1::ContextState::Expired);
    }
    ids
}

/// As a name stands in a path.
pub(super) fn path(name: &str) -> String {
    name.replace('/', ":")
}

/// What is answered but for some keys of it.
pub(super) fn without(mut answer: Value, keys: &[&str]) -> Value {
    if let Some(map) = answer.as_object_mut() {
        map.retain(|key, _| !keys.contains(&key.as_str()));
    }
    answer
}
