//! Who may do what with tasks: a submitter of the namespace `xcron` is enough, and for anything else it is not.

use serde_json::Value;
use tickwheel_core::access::Role;
use tickwheel_proto::v1;

use super::super::client::Http;
use super::client::{URL, code, envelope, task};
use crate::guarded::{Guarded, guarded, id_of, of_workers, scope, within, word};
use crate::harness::{api, deleting, job};

async fn served() -> Option<(Guarded, Http)> {
    let guarded = guarded().await?;
    let address = guarded.caller.http.unwrap();
    Some((guarded, Http { address }))
}

async fn ask(http: Http, token: &str, method: &str, path: &str, body: &str) -> Value {
    let shown = format!("Bearer {token}");
    let headers = [("Authorization", shown.as_str())];
    let path = format!("/xcron/{path}");
    let reply = http.ask_at(method, &path, &headers, body.as_bytes()).await;
    envelope(&reply)
}

/// What is answered to creating a task, querying it and deleting it; a task that it may not create is somebody else's.
async fn tried(http: Http, token: &str, by: &str) -> [u64; 3] {
    let request = task(1, "0 1 * * *");
    let created = ask(http, token, "POST", "createTask", &request).await;
    let others = ask(http, by, "POST", "createTask", &request).await;
    let id = created["data"]["task_id"].as_str();
    let id = id.or(others["data"]["task_id"].as_str()).unwrap();
    let path = format!("queryTask?task_id={id}");
    let queried = ask(http, token, "GET", &path, "").await;
    let body = format!(r#"{{"task_id":"{id}"}}"#);
    let deleted = ask(http, token, "POST", "deleteTask", &body).await;
    [created, queried, deleted].map(|answer| code(&answer).0)
}

#[tokio::test]
async fn a_submitter_of_its_namespace_creates_queries_and_deletes_tasks() {
    let Some((guarded, http)) = served().await else {
        return;
    };
    let admin = guarded.admin.clone();
    let all = [0, 0, 0];
    let mut expected = Vec::new();
    for (role, wire, may) in [
        (Role::Viewer, v1::Role::Viewer, [1403, 0, 1403]),
        (Role::Submitter, v1::Role::Submitter, all),
        (Role::Operator, v1::Role::Operator, all),
        (Role::Admin, v1::Role::Admin, all),
    ] {
        let token = guarded.make(within(wire, "xcron", "*")).await;
        expected.push((format!("{role} of xcron"), token, may));
    }
    let submitter = v1::Role::Submitter;
    for (what, scope, may) in [
        ("everywhere", scope(submitter), all),
        ("of the group", within(submitter, "xcron", "xcron"), all),
        // What is out of reach may not be brought, and is not there.
        (
            "of others",
            within(submitter, "shop", "*"),
            [1403, 1404, 1404],
        ),
        (
            "of another group",
            within(submitter, "xcron", "shop"),
            [1403, 1404, 1404],
        ),
        (
            "of another handler",
            v1::Scope {
                handlers: vec!["close".to_owned()],
                ..within(submitter, "xcron", "*")
            },
            [1403, 1404, 1404],
        ),
        ("worker", of_workers("xcron"), [1403, 1403, 1403]),
    ] {
        expected.push((what.to_owned(), guarded.make(scope).await, may));
    }
    for (what, token, may) in expected {
        assert_eq!(tried(http, &token, &admin).await, may, "{what}");
    }
    let nobody = http.ask_at("POST", "/xcron/createTask", &[], b"").await;
    let (nobody, message) = code(&envelope(&nobody));
    assert_eq!(nobody, 1401);
    assert!(message.contains("show a token"), "{message}");
}

#[tokio::test]
async fn a_submitter_gets_no_other_job_through_it() {
    let Some((guarded, http)) = served().await else {
        return;
    };
    let scope = within(v1::Role::Submitter, "xcron", "*");
    let token = guarded.make(scope).await;
    let created = ask(http, &token, "POST", "createTask", &task(1, "0 1 * * *")).await;
    let id = created["data"]["task_id"].as_str().unwrap();
    let name = format!("xcron/{id}");
    let mut api_of_it = guarded.api(&token);
    let apply = v1::ApplyJobsRequest {
        jobs: vec![job(&name, api())],
        dry_run: false,
        ..v1::ApplyJobsRequest::default()
    };
    let refused = api_of_it.apply_jobs(apply).await.unwrap_err();
    assert_eq!(word(&refused), "PERMISSION_DENIED");
    let refused = api_of_it.delete_job(deleting(&name, true)).await;
    assert_eq!(word(&refused.unwrap_err()), "PERMISSION_DENIED");
    // A job that somebody put beside the tasks is not theirs.
    let put = v1::ApplyJobsRequest {
        jobs: vec![job("xcron/ours", api())],
        dry_run: false,
        ..v1::ApplyJobsRequest::default()
    };
    guarded.api(&guarded.admin).apply_jobs(put).await.unwrap();
    let body = r#"{"task_id":"ours"}"#;
    let deleted = ask(http, &token, "POST", "deleteTask", body).await;
    assert_eq!(code(&deleted).0, 1404);
    let request = crate::harness::named("xcron/ours");
    guarded.api(&guarded.admin).get_job(request).await.unwrap();
}

#[tokio::test]
async fn a_callback_is_for_those_who_may_see_payload() {
    let Some((guarded, http)) = served().await else {
        return;
    };
    let blind = within(v1::Role::Submitter, "xcron", "*");
    let seeing = v1::Scope {
        permissions: vec!["read_payload".to_owned()],
        ..blind.clone()
    };
    let (blind, seeing) = (guarded.make(blind).await, guarded.make(seeing).await);
    let created = ask(http, &blind, "POST", "createTask", &task(1, "0 1 * * *")).await;
    let path = format!(
        "queryTask?task_id={}",
        created["data"]["task_id"].as_str().unwrap()
    );
    let seen = ask(http, &seeing, "GET", &path, "").await;
    assert_eq!(seen["data"]["callback"]["url"], URL);
    assert_eq!(seen["data"]["callback"]["body"]["n"], 1);
    let seen = ask(http, &blind, "GET", &path, "").await;
    assert_eq!(seen["data"]["callback"]["url"], "");
    assert_eq!(seen["data"]["callback"]["body"], serde_json::json!({}));
    assert_eq!(seen["data"]["format"], "0 1 * * *");
}

#[tokio::test]
async fn who_created_and_deleted_a_task_is_written_down_under_the_uuid() {
    let Some((guarded, http)) = served().await else {
        return;
    };
    let token = guarded
        .make(within(v1::Role::Submitter, "xcron", "*"))
        .await;
    let created = ask(http, &token, "POST", "createTask", &task(1, "0 1 * * *")).await;
    let id = created["data"]["task_id"].as_str().unwrap();
    let body = format!(r#"{{"task_id":"{id}"}}"#);
    let deleted = ask(http, &token, "POST", "deleteTask", &body).await;
    let again = ask(http, &token, "POST", "deleteTask", &body).await;
    let object = format!("job xcron/{id}");
    let told = [
        ("xcron/createTask", "OK", created),
        ("xcron/deleteTask", "OK", deleted),
        ("xcron/deleteTask", "NOT_FOUND", again),
    ];
    guarded
        .audit(|events| {
            told.iter().all(|(method, result, answer)| {
                events.iter().any(|event| {
                    event.method == *method
                        && event.result == *result
                        && event.objects == [object.clone()]
                        && event.token_id == id_of(&token)
                        && event.request_id == answer["uuid"].as_str().unwrap()
                })
            })
        })
        .await;
    let viewer = guarded.make(within(v1::Role::Viewer, "xcron", "*")).await;
    ask(http, &viewer, "POST", "createTask", &task(1, "0 1 * * *")).await;
    let denied = |events: &[v1::AuditEvent]| {
        events
            .iter()
            .any(|event| event.method == "xcron/createTask" && event.result == "PERMISSION_DENIED")
    };
    guarded.audit(denied).await;
}
