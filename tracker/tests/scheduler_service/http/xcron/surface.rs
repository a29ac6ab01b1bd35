//! What is refused before it is looked at, as everywhere on the surface.

use super::super::client::served;
use super::client::{code, envelope, post, query, task};

#[tokio::test]
async fn there_are_three_paths_with_one_method_each() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    for path in [
        "/xcron",
        "/xcron/",
        "/xcron/listTasks",
        "/xcron/createTask/",
    ] {
        let reply = http.ask_at("POST", path, &[], b"{}").await;
        assert_eq!(reply.status, 404, "{path}");
        let text = String::from_utf8(reply.body).unwrap();
        assert!(text.contains("POST /xcron/createTask"), "{text}");
    }
    for (method, path, allowed) in [
        ("GET", "/xcron/createTask", "POST, OPTIONS"),
        ("DELETE", "/xcron/deleteTask", "POST, OPTIONS"),
        ("POST", "/xcron/queryTask?task_id=1", "GET, HEAD, OPTIONS"),
    ] {
        let reply = http.ask_at(method, path, &[], b"").await;
        assert_eq!(reply.status, 405, "{method} {path}");
        assert_eq!(reply.header("allow").as_deref(), Some(allowed));
        let reply = http.ask_at("OPTIONS", path, &[], b"").await;
        assert_eq!((reply.status, reply.body.len()), (204, 0));
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    let rebound = http
        .raw(b"GET /xcron/queryTask?task_id=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        .await;
    assert!(rebound.starts_with(b"HTTP/1.1 421"));
}

#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    let own = format!("http://{}", http.address);
    let request = task(1, "0 1 * * *");
    for (headers, expected) in [
        (&[("Sec-Fetch-Site", "cross-site")][..], 1403),
        (&[("Origin", "null")], 1403),
        (&[("Origin", "http://evil.example")], 1403),
        (&[("Sec-Fetch-Site", "same-origin"), ("Origin", &own)], 0),
    ] {
        let answer = post(http, "createTask", headers, request.as_bytes()).await;
        assert_eq!(code(&answer).0, expected, "{headers:?}");
        let answer = post(http, "deleteTask", headers, br#"{"task_id":"1"}"#).await;
        let expected = if expected == 0 { 1404 } else { expected };
        assert_eq!(code(&answer).0, expected, "{headers:?}");
    }
    let far = [("Sec-Fetch-Site", "cross-site")];
    let reply = http
        .ask_at("GET", "/xcron/queryTask?task_id=1", &far, b"")
        .await;
    assert_eq!(envelope(&reply)["code"], 1404);
}

#[tokio::test]
async fn every_answer_is_shielded_and_has_a_name_of_its_own() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    let named = [("X-Request-Id", "mine"), ("Tickwheel-Durability", "safe")];
    let reply = http
        .ask_at("GET", "/xcron/queryTask?task_id=1", &named, b"")
        .await;
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(reply.header(name).as_deref(), Some(value), "{name}");
    }
    // How durable a write shall be is not overlooked.
    let (code, message) = code(&envelope(&reply));
    assert_eq!(code, 1000);
    assert!(message.contains("tickwheel-durability"), "{message}");
    let (one, other) = (query(http, "1").await, query(http, "1").await);
    assert_ne!(one["uuid"], other["uuid"]);
}
