//! Tokens over HTTP: whoever calls is held to the same as over gRPC.

use serde_json::Value;
use tickwheel_api::routes::Operation;
use tickwheel_core::access::Role;
use tickwheel_proto::v1;

use super::client::Http;
use crate::guarded::{Guarded, guarded, id_of, of_workers, scope, within};

async fn served() -> Option<(Guarded, Http)> {
    let guarded = guarded().await?;
    let address = guarded.caller.http.unwrap();
    Some((guarded, Http { address }))
}

/// The path of an operation, with a name in it that nothing has.
fn path(operation: Operation) -> String {
    let path = operation.row().path;
    match (path.find('{'), path.find('}')) {
        (Some(from), Some(to)) => format!("{}none{}", &path[..from], &path[to + 1..]),
        _ => path.to_owned(),
    }
}

#[tokio::test]
async fn every_path_asks_for_a_token_of_its_role() {
    let Some((guarded, http)) = served().await else {
        return;
    };
    let roles = [
        (Role::Viewer, v1::Role::Viewer),
        (Role::Submitter, v1::Role::Submitter),
        (Role::Operator, v1::Role::Operator),
        (Role::Admin, v1::Role::Admin),
    ];
    let mut tokens = Vec::new();
    for (role, wire) in roles {
        tokens.push((role, guarded.make(scope(wire)).await));
    }
    let worker = guarded.make(of_workers("g")).await;
    for operation in Operation::ALL.iter().copied() {
        let (row, path) = (operation.row(), path(operation));
        let method = row.method.as_str();
        let nobody = http.ask(method, &path, &[], b"").await;
        assert_eq!(nobody.status, 401, "{operation:?}");
        assert_eq!(nobody.problem()["code"], "UNAUTHENTICATED");
        let asked = nobody.header("www-authenticate").unwrap();
        assert!(asked.starts_with("Bearer"), "{asked}");
        let refused = http.ask_as(&worker, method, &path, "").await;
        assert_eq!(refused.status, 403, "{operation:?}");
        for (role, token) in &tokens {
            let reply = http.ask_as(token, method, &path, "").await;
            if *role < row.role {
                assert_eq!(reply.status, 403, "{operation:?} by {role}");
                let problem = reply.problem();
                assert_eq!(problem["code"], "PERMISSION_DENIED");
                assert_eq!(problem["violations"][0]["field"], "role");
            } else {
                let is_let_in = [200, 400, 404].contains(&reply.status);
                assert!(is_let_in, "{operation:?} by {role}: {reply:?}");
            }
        }
    }
    // Whoever shows nothing learns what there is to ask for, and no more.
    assert_eq!(http.get("/openapi.json").await.status, 200);
    assert_eq!(http.get("/nothing").await.status, 404);
}

#[tokio::test]
async fn what_is_out_of_reach_does_not_exist_and_payload_is_hidden() {
    let Some((guarded, http)) = served().await else {
        return;
    };
    let body = r#"[{"namespace": "a", "group": "g", "handler": "h", "delay": "1h", "body": {"secret": 7}},
        {"namespace": "b", "group": "g", "handler": "h", "delay": "1h"}]"#;
    let made = http
        .ask_as(&guarded.admin, "POST", "/submissions", body)
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    let path = |at: usize| {
        let id = made["items"][at]["id"].as_str().unwrap();
        format!("/runs/{}", id.replace('/', ":"))
    };
    let viewer = guarded.make(within(v1::Role::Viewer, "a", "*")).await;
    let seen = http.ask_as(&viewer, "GET", &path(0), "").await;
    assert_eq!(seen.status, 200, "{seen:?}");
    assert_eq!(seen.json().get("body_text"), None);
    let all = http.ask_as(&guarded.admin, "GET", &path(0), "").await;
    assert_eq!(all.json()["body_text"], r#"{"secret": 7}"#);
    let hidden = http.ask_as(&viewer, "GET", &path(1), "").await;
    assert_eq!(
        (hidden.status, hidden.problem()["code"].as_str()),
        (404, Some("NOT_FOUND"))
    );
    let list = http.ask_as(&viewer, "GET", "/runs", "").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["looked"]["of"], list["looked"]["entries"]);
    // Whoever may ask for parts of an error learns all of it.
    let searched = http.ask_as(&viewer, "GET", "/runs?error=x", "").await;
    assert_eq!(searched.status, 403);
    assert_eq!(searched.problem()["violations"][0]["field"], "error");
    let submitter = guarded.make(within(v1::Role::Submitter, "a", "*")).await;
    let brought = http.ask_as(&submitter, "POST", "/submissions", body).await;
    assert_eq!(brought.status, 403);
    let problem = brought.problem();
    assert_eq!(
        problem["violations"][0]["field"], "[1].namespace",
        "{problem}"
    );
}

#[tokio::test]
async fn tokens_are_made_and_revoked_by_paths_and_written_down() {
    let Some((guarded, http)) = served().await else {
        return;
    };
    let wish = r#"{"name": "the shop", "role": "operator", "namespaces": ["shop"]}"#;
    let made = http.ask_as(&guarded.admin, "POST", "/tokens", wish).await;
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    let text = made["text"].as_str().unwrap().to_owned();
    assert_eq!(made["token"]["id"], id_of(&text));
    assert_eq!(made["token"]["scope"]["namespaces"][0], "shop");
    let named = [
        ("Authorization", format!("Bearer {text}")),
        ("X-Request-Id", "mine-1".to_owned()),
    ];
    let named = named
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let paused = http.ask("POST", "/jobs/shop:none:pause", &named, b"").await;
    assert_eq!(paused.status, 404, "{paused:?}");
    let of_it = |events: &[v1::AuditEvent]| {
        events.iter().any(|event| {
            event.method == "PauseJob"
                && event.request_id == "mine-1"
                && event.result == "NOT_FOUND"
        })
    };
    guarded.audit(of_it).await;
    let listed = http.ask_as(&guarded.admin, "GET", "/tokens", "").await;
    let shown = String::from_utf8(listed.body.clone()).unwrap();
    assert!(!shown.contains(&text), "{shown}");
    let id = id_of(&text);
    let ids = listed.json()["items"].clone();
    assert!(
        ids.as_array()
            .unwrap()
            .iter()
            .any(|one| one["id"] == id.as_str())
    );
    let rotated = http
        .ask_as(
            &guarded.admin,
            "POST",
            &format!("/tokens/{id}:rotate"),
            r#"{"grace": "0s"}"#,
        )
        .await;
    let newer = rotated.json()["text"].as_str().unwrap().to_owned();
    assert_eq!(http.ask_as(&newer, "GET", "/cluster", "").await.status, 200);
    let revoked = http
        .ask_as(&guarded.admin, "DELETE", &format!("/tokens/{id}"), "")
        .await;
    assert_eq!(revoked.json()["id"], Value::from(id.as_str()));
    let events = http
        .ask_as(&guarded.admin, "GET", "/audit?method=RevokeToken", "")
        .await
        .json();
    assert_eq!(events["items"][0]["objects"][0], format!("token {id}"));
}
