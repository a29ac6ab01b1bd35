//! Redirects are followed where the call says so, and nothing is carried along that belongs to another server.

use serde_json::json;

use crate::scene::{Names, call, fatal, guard, harness, local};
use crate::server::{OK, Server};

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

#[tokio::test]
async fn a_redirect_is_followed_only_where_the_call_says_so() {
    let server = Server::answering(|request| {
        if request.contains(" /end ") {
            return OK.to_owned();
        }
        redirect(302, "/end")
    })
    .await;
    let harness = local();
    let ran = call(&harness, &json!({"url": server.url()})).await;
    assert_eq!(fatal(&ran), "status 302");
    assert_eq!(server.connections(), 1);
    let ran = call(
        &harness,
        &json!({"url": server.url(), "follow_redirects": 1}),
    )
    .await;
    assert!(ran.succeeded(), "{ran:?}");
    assert_eq!(server.connections(), 3, "a connection for each request");
}

#[tokio::test]
async fn a_circle_ends() {
    let server = Server::answering(|_| redirect(307, "/again")).await;
    let harness = local();
    for most in [1, 5] {
        let before = server.connections();
        let body = json!({"url": server.url(), "follow_redirects": most});
        let said = fatal(&call(&harness, &body).await);
        let expected = format!("status 307: more than {most} redirects (follow_redirects)");
        assert_eq!(said, expected);
        assert_eq!(server.connections() - before, most + 1);
    }
    let nowhere =
        Server::answering(|_| "HTTP/1.1 302 Moved\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    let ran = call(
        &harness,
        &json!({"url": nowhere.url(), "follow_redirects": 5}),
    )
    .await;
    assert_eq!(fatal(&ran), "status 302 without a place to go to");
}

#[tokio::test]
async fn a_method_changes_as_browsers_change_it() {
    let server = Server::answering(|request| {
        let status = request.split('/').nth(1).unwrap().split(' ').next();
        match status.unwrap().parse() {
            Ok(status) => redirect(status, "/end"),
            Err(_) => OK.to_owned(),
        }
    })
    .await;
    let harness = local();
    for (status, method, then) in [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (302, "PUT", "PUT"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (303, "HEAD", "HEAD"),
    ] {
        let url = format!("{}/{status}", server.url());
        let body = json!({"url": url, "method": method, "body": 1, "follow_redirects": 1});
        assert!(call(&harness, &body).await.succeeded(), "{status} {method}");
        let request = server.requests().pop().unwrap();
        assert!(request.starts_with(&format!("{then} /end ")), "{request}");
        let has_body = request.ends_with("\r\n\r\n1");
        let has_form = request.contains("content-type: application/json");
        let changed = method != then;
        assert_eq!((has_body, has_form), (!changed, !changed), "{request}");
    }
}

#[tokio::test]
async fn another_server_gets_no_header_of_the_call() {
    let other = Server::answering(|_| OK.to_owned()).await;
    let place = format!("{}/end", other.url());
    let first = Server::answering(move |request| {
        if request.contains(" /here ") {
            return redirect(308, &place);
        }
        redirect(308, "/here")
    })
    .await;
    let body = json!({
        "url": first.url(),
        "headers": {"authorization": "Bearer t", "cookie": "c", "x-api-key": "k"},
        "body": {"n": 1},
        "follow_redirects": 2,
    });
    assert!(call(&local(), &body).await.succeeded());
    for request in first.requests() {
        assert!(request.contains("authorization: Bearer t"), "{request}");
    }
    let request = other.requests().remove(0);
    for name in ["authorization", "cookie", "x-api-key"] {
        assert!(!request.contains(name), "{request}");
    }
    for kept in [
        "tickwheel-run: ",
        "idempotency-key: ",
        "content-type: application/json",
        "{\"n\":1}",
    ] {
        assert!(request.contains(kept), "{request}");
    }
}

#[tokio::test]
async fn a_name_is_judged_anew_at_each_redirect() {
    let names = Names::default().with("front.test", &[&["127.0.0.1"]]);
    let server = Server::answering(|_| redirect(302, "http://bad.test/")).await;
    let harness = harness(guard("front.test", "bad.test"), &names);
    let url = format!("http://front.test:{}/", server.port());
    let said = fatal(&call(&harness, &json!({"url": url, "follow_redirects": 3})).await);
    assert_eq!(
        said,
        "refused: redirect 1: this worker is told not to call this host (http_handler.deny)"
    );
    assert_eq!(
        names.asked(),
        ["front.test"],
        "a denied name is not looked up"
    );
}
