//! What is handed on is what was sent, byte by byte.

use serde_json::{Value, json};
use tickwheel_proto::v1;

use super::client::served;

/// Bodies that a program which parses and prints them would change.
const BODIES: [&str; 7] = [
    r#"{"n": 9007199254740993}"#,
    "1e400",
    r#"{"a": 1, "a": 2}"#,
    "[ 1 ,\t2 ]",
    r#"{"z": 1, "a": -0.10}"#,
    r#""\u0000 \ud83d\ude00 ü""#,
    "[[[[[[[[[[1]]]]]]]]]]",
];

#[tokio::test]
async fn a_body_is_handed_on_as_it_was_written() {
    let Some((mut caller, http)) = served().await else {
        return;
    };
    for body in BODIES {
        let request = format!(r#"[{{"handler": "h", "delay": "1h", "body":  {body} }}]"#);
        let reply = http.post("/submissions", &request).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let id = reply.json()["items"][0]["id"].as_str().unwrap().to_owned();
        let kept = caller.context(&id).await.unwrap();
        assert_eq!(kept.body, body.as_bytes());
        let shown = http
            .get(&format!("/runs/{}", id.replace('/', ":")))
            .await
            .json();
        assert_eq!(shown["body_text"], body);
    }
    for (key, value, bytes) in [
        (
            "body_text",
            json!("plain \u{0} text"),
            &b"plain \0 text"[..],
        ),
        ("body_base64", json!("/wD+"), b"\xff\x00\xfe"),
    ] {
        let request = json!({ "handler": "h", "delay": "1h", key: value });
        let reply = http.post("/submissions", &request.to_string()).await;
        let id = reply.json()["items"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(caller.context(&id).await.unwrap().body, bytes);
        let shown = http
            .get(&format!("/runs/{}", id.replace('/', ":")))
            .await
            .json();
        assert_eq!(shown[key], value, "{shown}");
    }
}

#[tokio::test]
async fn a_job_that_is_read_can_be_applied_again() {
    let Some((mut caller, http)) = served().await else {
        return;
    };
    for body in BODIES {
        let document =
            format!(r#"{{"name": "a/b", "handler": "h", "trigger": "manual", "body": {body}}}"#);
        assert_eq!(http.post("/jobs:apply", &document).await.status, 200);
        let kept = caller.job("a/b").await.unwrap().spec.unwrap();
        assert_eq!(kept.body, body.as_bytes());
        let shown = http.get("/jobs/a:b").await.json();
        let again = http
            .post("/jobs:apply", &shown["spec"].to_string())
            .await
            .json();
        assert_eq!(again["items"][0]["change"], "unchanged", "{shown}");
    }
    let run = http
        .post("/jobs/a:b:run", r#"{"body": {"n": 1e400}}"#)
        .await
        .json();
    let run = caller.context(run["id"].as_str().unwrap()).await.unwrap();
    assert_eq!(run.body.as_ref(), br#"{"n": 1e400}"#);
}

#[tokio::test]
async fn a_request_that_is_sent_again_changes_nothing() {
    let Some((mut caller, http)) = served().await else {
        return;
    };
    caller
        .apply(vec![crate::harness::job("a/b", crate::harness::api())])
        .await
        .unwrap();
    let key = [("Idempotency-Key", "order 42")];
    for (path, body) in [
        ("/submissions", &br#"{"handler": "h", "delay": "1h"}"#[..]),
        ("/jobs/a:b:run", b""),
    ] {
        let first = http.ask("POST", path, &key, body).await;
        assert_eq!(
            (first.status, first.header("idempotent-replay")),
            (200, None)
        );
        let second = http.ask("POST", path, &key, body).await;
        assert_eq!(second.header("idempotent-replay").as_deref(), Some("true"));
        let id = |reply: Value| {
            let one = reply.get("items").map_or(&reply, |items| &items[0]);
            one["id"].as_str().unwrap().to_owned()
        };
        assert_eq!(id(first.json()), id(second.json()));
    }
    let two = br#"[{"handler": "h"}, {"handler": "h"}]"#;
    let refused = http.ask("POST", "/submissions", &key, two).await;
    assert_eq!(refused.fields(), ["Idempotency-Key"]);
    let elsewhere = http.ask("POST", "/jobs/a:b:pause", &key, b"").await;
    assert_eq!(elsewhere.fields(), ["Idempotency-Key"]);
}

#[tokio::test]
async fn a_write_comes_as_far_as_it_is_asked_to() {
    let Some((mut caller, http)) = served().await else {
        return;
    };
    let submission = br#"{"handler": "h", "delay": "1h"}"#;
    let given = [("Tickwheel-Durability", "replicated(1)")];
    let reply = http.ask("POST", "/submissions", &given, submission).await;
    let problem = reply.problem();
    assert_eq!(
        (reply.status, problem["code"].as_str()),
        (504, Some("UNCONFIRMED"))
    );
    let id = problem["run_ids"][0].as_str().unwrap();
    let written: v1::Context = caller.context(id).await.unwrap();
    assert_eq!(written.handler, "h");
    assert_eq!(problem["retry_after_ms"], 1_000);
    let wrong = [("Tickwheel-Durability", "safe")];
    let reply = http.ask("POST", "/submissions", &wrong, submission).await;
    assert_eq!(reply.fields(), ["tickwheel-durability"]);
}
