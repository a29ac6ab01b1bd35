//! What is sent, and what is made of an answer.

use std::time::Duration;

use serde_json::{Value, json};
use tickwheel_http_handler::HttpHandler;
use tickwheel_worker::Outcome;

use crate::scene::{Names, call, failed, fatal, guard, harness, local};
use crate::server::{OK, Server};

fn status(line: &str) -> String {
    format!("HTTP/1.1 {line}\r\ncontent-length: 6\r\n\r\nsecret")
}

#[tokio::test]
async fn a_call_is_one_request_that_says_whose_it_is() {
    let server = Server::answering(|_| OK.to_owned()).await;
    let body = json!({
        "url": format!("{}/hook?x=1#part", server.url()),
        "headers": {"X-Token": "t", "accept": "text/plain"},
        "body": {"order": 7},
    });
    let harness = local();
    let ran = harness
        .call(HttpHandler::NAME)
        .context_id("3.1766000000000.abc@eu/")
        .attempt(2)
        .body(&body)
        .run()
        .await;
    let result: Value = ran.result().unwrap();
    assert_eq!(result["status"], 200);
    assert_eq!(result["bytes"], 2);
    assert!(result["ms"].is_u64());
    assert_eq!(result.as_object().unwrap().len(), 3, "{result}");

    let request = server.requests().remove(0);
    let (head, sent) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(sent, "{\"order\":7}");
    assert!(head.starts_with("POST /hook?x=1 HTTP/1.1\r\n"), "{head}");
    let host = format!("host: {}", server.address);
    let agent = format!("user-agent: tickwheel/{}", env!("CARGO_PKG_VERSION"));
    for line in [
        host.as_str(),
        "tickwheel-run: 3.1766000000000.abc@eu/",
        "tickwheel-attempt: 2",
        "idempotency-key: 3.1766000000000.abc@eu/",
        "content-type: application/json",
        "content-length: 11",
        "x-token: t",
        "accept: text/plain",
        agent.as_str(),
    ] {
        assert!(head.lines().any(|given| given == line), "{line}: {head}");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn methods_and_forms_of_bodies_arrive_as_they_are_meant() {
    let server = Server::answering(|_| OK.to_owned()).await;
    let harness = local();
    for (method, more, sent) in [
        ("GET", json!({}), ""),
        ("PUT", json!({"body_text": "a=b"}), "a=b"),
        ("PATCH", json!({"body_base64": "YQA="}), "a\u{0}"),
        ("DELETE", json!({"body": []}), "[]"),
        ("POST", json!({}), ""),
    ] {
        let mut body = more;
        body["url"] = server.url().into();
        body["method"] = method.into();
        assert!(call(&harness, &body).await.succeeded());
        let request = server.requests().pop().unwrap();
        assert!(request.starts_with(&format!("{method} / HTTP/1.1\r\n")));
        assert_eq!(request.split_once("\r\n\r\n").unwrap().1, sent);
    }
    let body = json!({"url": server.url(), "method": "HEAD"});
    assert!(call(&harness, &body).await.succeeded());
}

#[tokio::test]
async fn statuses_decide_whether_it_is_tried_again_and_no_answer_is_shown() {
    let server = Server::answering(|request| {
        let line = request.split('/').nth(1).unwrap();
        let line = line.split(' ').next().unwrap();
        status(&format!("{line} Because"))
    })
    .await;
    let harness = local();
    for code in [408, 425, 429, 500, 502, 503, 504] {
        let ran = call(
            &harness,
            &json!({"url": format!("{}/{code}", server.url())}),
        )
        .await;
        assert_eq!(failed(&ran), format!("status {code}"));
    }
    for code in [301, 302, 304, 400, 401, 403, 404, 409, 410, 422] {
        let ran = call(
            &harness,
            &json!({"url": format!("{}/{code}", server.url())}),
        )
        .await;
        assert_eq!(fatal(&ran), format!("status {code}"));
        assert!(ran.logs.is_empty());
    }
    // What is expected is no failure, and what is not expected is one.
    for (code, expected, succeeds) in [
        (404, json!([404]), true),
        (302, json!(["300-399"]), true),
        (500, json!([200, "500-599"]), true),
        (200, json!([204]), false),
        (202, json!([200]), false),
    ] {
        let url = format!("{}/{code}", server.url());
        let ran = call(
            &harness,
            &json!({"url": url, "expect": {"status": expected}}),
        )
        .await;
        assert_eq!(ran.succeeded(), succeeds, "{code}");
        if !succeeds {
            assert_eq!(failed(&ran), format!("status {code}"));
        }
    }
}

#[tokio::test]
async fn a_server_says_when_it_wants_to_be_called_again() {
    let server = Server::answering(|request| {
        let more = if request.contains("/date") {
            "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:49:57 GMT"
        } else if request.contains("/long") {
            "retry-after: 999999999"
        } else {
            "retry-after: 7"
        };
        let line = if request.contains("/404") {
            "404 No"
        } else {
            "503 Busy"
        };
        format!("HTTP/1.1 {line}\r\n{more}\r\ncontent-length: 0\r\n\r\n")
    })
    .await;
    let harness = local();
    for (path, seconds) in [("seconds", 7), ("date", 20), ("long", 3_600)] {
        let ran = call(
            &harness,
            &json!({"url": format!("{}/{path}", server.url())}),
        )
        .await;
        let delay = Duration::from_secs(seconds);
        let expected = Outcome::RetryAfter(delay, "status 503".to_owned());
        assert_eq!(ran.outcome, Some(expected), "{path}");
    }
    let ran = call(&harness, &json!({"url": format!("{}/404", server.url())})).await;
    assert_eq!(fatal(&ran), "status 404");
}

#[tokio::test]
async fn a_text_is_expected_and_the_beginning_is_kept_where_it_is_asked_for() {
    let server = Server::answering(|request| {
        let text = if request.contains("/long") {
            format!("{}ü{}", "a".repeat(1_023), "b".repeat(5_000))
        } else {
            "all is healthy".to_owned()
        };
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        )
    })
    .await;
    let harness = local();
    let expecting =
        |text: &str| json!({"url": server.url(), "expect": {"text": text}, "keep_response": true});
    let ran = call(&harness, &expecting("healthy")).await;
    assert_eq!(ran.result::<Value>().unwrap()["text"], "all is healthy");
    let ran = call(&harness, &expecting("well")).await;
    assert_eq!(
        failed(&ran),
        "the answer does not have the expected text (expect.text)"
    );
    let url = format!("{}/long", server.url());
    let result: Value = call(&harness, &json!({"url": url, "keep_response": true}))
        .await
        .result()
        .unwrap();
    assert_eq!(
        result["text"],
        "a".repeat(1_023),
        "a cut character is left out"
    );
    assert_eq!(result["bytes"], 6_025);
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_told_and_nothing_is_called() {
    let server = Server::canary("127.0.0.1:0").await;
    let harness = local();
    for body in [
        json!({"url": server.url(), "headers": {"x": "a\r\nHost: evil"}}),
        json!({"url": server.url(), "headers": {"Host": "evil"}}),
        json!({"url": server.url(), "headers": {"Transfer-Encoding": "chunked"}}),
        json!({"url": format!("{}/\r\nx: y", server.url())}),
        json!({"url": server.url(), "method": "GET / HTTP/1.1\r\n"}),
        json!({"url": server.url(), "metod": "GET"}),
        json!({"url": server.url(), "headers": (0..10_000).map(|n| (format!("x{n}"), "y".into())).collect::<serde_json::Map<_, _>>()}),
        json!(null),
    ] {
        let said = fatal(&call(&harness, &body).await);
        assert!(said.starts_with("the call is wrong: "), "{said}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_is_what_the_server_is_told_and_tls_asks_for() {
    let server = Server::answering(|_| OK.to_owned()).await;
    let names = Names::default().with("hooks.test", &[&["127.0.0.1"]]);
    let harness = harness(guard("*.test", ""), &names);
    let url = format!("http://Hooks.Test.:{}/", server.port());
    assert!(call(&harness, &json!({"url": url})).await.succeeded());
    let request = server.requests().remove(0);
    assert!(
        request.contains(&format!("host: hooks.test:{}\r\n", server.port())),
        "{request}"
    );
    // The server speaks no TLS: its answer ends the handshake, of which it has seen the beginning.
    let url = format!("https://hooks.test:{}/", server.port());
    let ran = call(&harness, &json!({"url": url})).await;
    assert_eq!(failed(&ran), "no TLS session could be made");
    let hello = server.requests().remove(1);
    assert!(hello.contains("hooks.test"), "the name is in the handshake");
    assert!(hello.contains("http/1.1"), "and the protocol");
    assert_eq!(names.asked(), ["hooks.test", "hooks.test"]);
}

#[tokio::test]
async fn nobody_there_is_tried_again() {
    let names = Names::default().with("empty.test", &[&[]]);
    let harness = harness(guard("127.0.0.1", ""), &names);
    for host in ["none.test", "empty.test"] {
        let ran = call(&harness, &json!({"url": format!("http://{host}/")})).await;
        assert!(failed(&ran).starts_with("the host has no address"));
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let ran = call(&harness, &json!({"url": format!("http://{address}/")})).await;
    assert_eq!(failed(&ran), "no connection could be made");
}
