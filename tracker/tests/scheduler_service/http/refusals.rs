//! What is refused, and in which shape.

use super::client::served;

#[tokio::test]
async fn all_mistakes_come_at_once_in_the_words_of_the_request() {
    let Some((mut caller, http)) = served().await else {
        return;
    };
    let body = r#"[{"handler": "h"}, {"handlr": "h", "retries": {"max_attempts": 0, "dely": "1s"}, "delay": 5}, 7]"#;
    let fields = http.post("/submissions?x=1", body).await.fields();
    for field in [
        "x",
        "[1].handler",
        "[1].handlr",
        "[1].retries.dely",
        "[1].delay",
        "[2]",
    ] {
        assert!(fields.iter().any(|one| one == field), "{field}: {fields:?}");
    }
    // What only the tracker can see has the same words.
    let body = r#"{"name": "a/b", "handler": "h", "trigger": {"after": "a/nobody"}}"#;
    assert_eq!(
        http.post("/jobs:apply", body).await.fields(),
        ["trigger.after"]
    );
    let list = format!("[{body}]");
    assert_eq!(
        http.post("/jobs:apply", &list).await.fields(),
        ["[0].trigger.after"]
    );
    let long = format!(r#"[{{"handler": "h", "body": "{}"}}]"#, "x".repeat(262_144));
    assert_eq!(
        http.post("/submissions", &long).await.fields(),
        ["[0].body"]
    );
    let query = http.get("/runs?state=done&page_size=0&jobs=x").await;
    assert_eq!(query.fields(), ["state", "page_size", "jobs"]);
    let rule = query.problem()["violations"][2]["rule"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(rule.contains("did you mean `job`?"), "{rule}");
    assert_eq!(http.get("/jobs/..").await.fields(), ["name"]);
    assert_eq!(http.get("/runs/nothing").await.fields(), ["id"]);
    assert_eq!(http.get("/jobs/%FF").await.fields(), ["job"]);
    let none = tickwheel_proto::v1::ListContextsRequest::default();
    let runs = caller.rpc.list_contexts(none).await.unwrap().into_inner();
    assert!(
        runs.contexts.is_empty(),
        "nothing of a refused request is written"
    );
}

#[tokio::test]
async fn paths_methods_and_kinds_of_bodies_are_told() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    for path in ["/nothing", "", "/jobs/a/b", "//jobs", "/jobs/", "/Jobs"] {
        let reply = http.get(path).await;
        assert_eq!(
            (reply.status, reply.problem()["code"].as_str().unwrap()),
            (404, "NOT_FOUND"),
            "{path}"
        );
    }
    let reply = http.get("/jobs/a:nobody").await;
    assert_eq!(
        (reply.status, reply.problem()["code"].as_str().unwrap()),
        (404, "NOT_FOUND")
    );
    let reply = http.ask("PATCH", "/jobs/a:b", &[], b"").await;
    assert_eq!(reply.status, 405);
    assert_eq!(
        reply.header("allow").as_deref(),
        Some("GET, PUT, DELETE, HEAD, OPTIONS")
    );
    assert_eq!(reply.problem()["code"], "METHOD_NOT_ALLOWED");
    let reply = http.ask("OPTIONS", "/jobs/a:b:run", &[], b"").await;
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    assert_eq!(reply.header("access-control-allow-origin"), None);
    let plain = [("Content-Type", "text/plain")];
    let reply = http.ask("POST", "/submissions", &plain, b"{}").await;
    assert_eq!(
        (reply.status, reply.problem()["code"].as_str().unwrap()),
        (415, "UNSUPPORTED_MEDIA_TYPE")
    );
    let reply = http.ask("GET", "/cluster", &[], b"{}").await;
    assert_eq!(reply.fields(), [""]);
    let reply = http
        .ask("POST", "/jobs/a:b:pause", &[("If-Match", "\"1\"")], b"")
        .await;
    assert_eq!(reply.fields(), ["If-Match"]);
    let head = http
        .raw(b"HEAD /api/v1/cluster HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await;
    let head = String::from_utf8(head).unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    let document = http.get("/openapi.json").await;
    assert_eq!(document.json()["openapi"], "3.1.0");
    assert_eq!(http.post("/openapi.json", "").await.status, 405);
}

#[tokio::test]
async fn every_answer_is_shielded_and_named() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    for path in ["/cluster", "/nothing", "/openapi.json"] {
        let reply = http.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(reply.header(name).as_deref(), Some(value), "{path} {name}");
        }
        assert!(reply.header("x-request-id").is_some());
    }
    let named = http
        .ask("GET", "/nothing", &[("X-Request-Id", "mine-1")], b"")
        .await;
    assert_eq!(named.problem()["request_id"], "mine-1");
    let forged = http
        .ask("GET", "/nothing", &[("X-Request-Id", "a b\"<")], b"")
        .await;
    assert!(!forged.head.contains("a b"), "{}", forged.head);
}

#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let Some((_caller, http)) = served().await else {
        return;
    };
    let own = format!("http://{}", http.address);
    for (headers, status) in [
        (&[("Sec-Fetch-Site", "cross-site")][..], 403),
        (&[("Sec-Fetch-Site", "same-site")], 403),
        (&[("Origin", "null")], 403),
        (&[("Origin", "http://evil.example")], 403),
        (&[("Sec-Fetch-Site", "same-origin"), ("Origin", &own)], 404),
        (&[("Sec-Fetch-Site", "none")], 404),
    ] {
        let reply = http.ask("POST", "/jobs/a:b:pause", headers, b"").await;
        assert_eq!(reply.status, status, "{headers:?}");
        let code = reply.problem()["code"].as_str().unwrap().to_owned();
        assert_eq!(code, if status == 403 { "CSRF" } else { "NOT_FOUND" });
        // A page may make a browser read; it cannot see what is read.
        let reply = http.ask("GET", "/cluster", headers, b"").await;
        assert_eq!(reply.status, 200);
    }
    let rebound = http
        .raw(b"GET /api/v1/cluster HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        .await;
    assert!(
        rebound.starts_with(b"HTTP/1.1 421"),
        "{}",
        String::from_utf8_lossy(&rebound)
    );
}
