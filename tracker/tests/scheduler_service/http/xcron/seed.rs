//! What the document of xcron says, to the letter: its requests are sent as they stand there, and answers have the shape of its examples.

use serde_json::Value;
use tickwheel_proto::v1;

use super::super::client::served;
use super::client::{create, delete, id_of, post, query};
use crate::harness::named;

/// Its tables of what is sent: field, type, and whether it has to be there.
const SENT: &str = "
| type     | int        | 是   |
| format   | string     | 是   |
| callback | callback表 | 是   |
| url  | string        | 是   |
| body | map<k>v | 否   |
";

/// 6.1, 响应示例.
const CREATED: &str = r#"{
    "uuid":"29e2f4b4-0ffd-4eaf-8185-f55b45cc6f87",
    "code":0,
    "data":{
        "task_id":"e2f4b4-0ffd-4eaf-8185-f"
    }
}"#;

/// 6.2, 响应示例. The comma behind the code stands there, and is no JSON.
const DELETED: &str = "{
\t\"uuid\": \"29e2f4b4-0ffd-4eaf-8185-f55b45cc6f87\",
\t\"code\": 0,
}";

/// 6.3, 响应示例.
const QUERIED: &str = r#"{
    "uuid":"29e2f4b4-0ffd-4eaf-8185-f55b45cc6f87",
    "code":0,
    "data":{
        "task_id":"12345"
    }
}"#;

/// Whether a value is of its kind.
type Kind = fn(&Value) -> bool;

/// 6.3, data表 and callback表: what a task has.
const TASK: [(&str, Kind); 6] = [
    ("task_id", Value::is_string),
    ("create_time", Value::is_string),
    ("type", Value::is_u64),
    ("format", Value::is_string),
    ("run_count", Value::is_u64),
    ("callback", Value::is_object),
];

/// Names of keys, and of theirs, with the kind of each value.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let keys = map
                .iter()
                .map(|(key, value)| format!("{key}:{}", shape(value)));
            format!("{{{}}}", keys.collect::<Vec<_>>().join(","))
        }
        Value::String(_) => "text".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::Null | Value::Bool(_) | Value::Array(_) => value.to_string(),
    }
}

fn example(text: &str) -> Value {
    serde_json::from_str(&text.replace("0,\n}", "0\n}")).unwrap()
}

/// The requests that follow from the tables, with the document's own examples of what people want: 每天凌晨1点, 每月1号, 8点整.
fn requests(next: u64) -> [String; 4] {
    let fields: Vec<&str> = SENT
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .collect();
    let [kind, format, callback, url, body] = fields[..] else {
        panic!("{fields:?}");
    };
    let of = |number: u8, when: &str, sent: &str| {
        format!(
            "{{\n    \"{kind}\":{number},\n    \"{format}\":\"{when}\",\n    \"{callback}\":{{\n        \"{url}\":\"http://pay.example.com/clear\"{sent}\n    }}\n}}"
        )
    };
    let map = format!(",\n        \"{body}\":{{\n            \"day\":\"yesterday\"\n        }}");
    [
        of(1, "0 1 * * *", &map),
        of(1, "0 0 1 * *", ""),
        of(2, &next.to_string(), &map),
        of(2, &next.to_string(), ""),
    ]
}

#[tokio::test]
async fn the_requests_of_the_document_are_answered_in_its_shape() {
    let Some((mut caller, http)) = served().await else {
        return;
    };
    let now_s = caller.now().await / 1_000;
    for request in requests(now_s + 3_600) {
        let sent: Value = serde_json::from_str(&request).unwrap();
        let created = create(http, &request).await;
        assert_eq!(shape(&created), shape(&example(CREATED)), "{created}");
        let id = id_of(&created);

        let queried = query(http, &id).await;
        for key in ["uuid", "code"] {
            assert_eq!(shape(&queried[key]), shape(&example(QUERIED)[key]));
        }
        let data = queried["data"].as_object().unwrap();
        assert_eq!(data.len(), TASK.len(), "{queried}");
        for (key, is_of_its_kind) in TASK {
            assert!(is_of_its_kind(&data[key]), "{key}: {queried}");
        }
        assert_eq!(data["task_id"], id.as_str());
        for key in ["type", "format"] {
            assert_eq!(data[key], sent[key]);
        }
        let created_s: u64 = data["create_time"].as_str().unwrap().parse().unwrap();
        assert!((now_s..now_s + 60).contains(&created_s), "{created_s}");
        assert_eq!(data["run_count"], 0);
        let called = &sent["callback"];
        assert_eq!(data["callback"]["url"], called["url"]);
        let body = called.get("body").cloned();
        let body = body.unwrap_or_else(|| example("{}"));
        assert_eq!(data["callback"]["body"], body);

        let job = caller.rpc.get_job(named(&format!("xcron/{id}"))).await;
        let spec = job.unwrap().into_inner().spec.unwrap();
        assert_eq!(
            (spec.group.as_str(), spec.handler.as_str()),
            ("xcron", "http")
        );
        let misfire = spec.misfire.unwrap();
        assert_eq!(misfire.policy(), v1::misfire::Policy::FireOnce);
        assert_eq!(spec.options.unwrap().retry.unwrap().max_attempts, 1);

        let deleted = delete(http, &id).await;
        assert_eq!(shape(&deleted), shape(&example(DELETED)), "{deleted}");
        assert_eq!(query(http, &id).await["code"], 1404);
        assert_eq!(delete(http, &id).await["code"], 1404);
    }
}

#[tokio::test]
async fn the_texts_of_the_document_are_read_byte_for_byte() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    // The task of its examples is none of ours; what is said of it is a request to delete it.
    assert_eq!(query(http, "12345").await["code"], 1404);
    assert_eq!(query(http, "e2f4b4-0ffd-4eaf-8185-f").await["code"], 1404);
    for text in [CREATED, QUERIED] {
        let data = text.split_once("\"data\":").unwrap().1;
        let data = data.rsplit_once('}').unwrap().0;
        let answer = post(http, "deleteTask", &[], data.as_bytes()).await;
        assert_eq!(answer["code"], 1404, "{data}: {answer}");
    }
    // An answer is no request, and one of its examples is no JSON.
    for text in [CREATED, DELETED, QUERIED] {
        for path in ["createTask", "deleteTask"] {
            let answer = post(http, path, &[], text.as_bytes()).await;
            assert_eq!(answer["code"], 1000, "{path} {text}");
        }
    }
}

#[tokio::test]
async fn a_callback_is_shown_as_it_was_written() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    let body = r#"{ "big": 9007199254740993, "twice": 1, "twice": -0.10, "x": "\u00e4" }"#;
    let request = format!(
        r#"{{"type": 1, "format": "*/5  * * * 1-5", "callback": {{"url": "https://example.com/?q=\u00e4", "body": {body}}}}}"#
    );
    let id = id_of(&create(http, &request).await);
    let path = format!("/xcron/queryTask?task_id={id}");
    let reply = http.ask_at("GET", &path, &[], b"").await;
    let text = String::from_utf8(reply.body).unwrap();
    assert!(text.contains(body), "{text}");
    assert!(
        text.contains(r#""url":"https://example.com/?q=ä""#),
        "{text}"
    );
    assert!(text.contains(r#""format":"*/5  * * * 1-5""#), "{text}");
}
