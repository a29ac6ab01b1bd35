use hyper::StatusCode;

use super::*;

fn read(json: &serde_json::Value) -> Result<Call, Violations> {
    Call::read(json.to_string().as_bytes())
}

fn wrong(json: &serde_json::Value) -> String {
    read(json).unwrap_err().to_string()
}

#[test]
fn a_url_is_enough() {
    let call = Call::read(b"{\"url\": \"https://example.com/hook\"}").unwrap();
    assert_eq!(call.method, Method::POST);
    assert_eq!(call.target.authority(), "example.com");
    assert_eq!(call.timeout, Duration::from_secs(10));
    assert_eq!(call.follow_redirects, 0);
    assert_eq!(call.max_response_bytes, 1 << 20);
    assert_eq!(call.body, None);
    assert!(call.headers.is_empty() && !call.keep_response);
    assert!(call.expect.has(StatusCode::OK));
}

#[test]
fn a_body_is_sent_as_it_was_written() {
    let call = Call::read(
        b"{\"url\":\"http://a.example\",\"body\": {\"n\": 9007199254740993, \"x\":1.10}}",
    );
    let call = call.unwrap();
    let sent = call.body.unwrap();
    assert_eq!(sent, "{\"n\": 9007199254740993, \"x\":1.10}");
    assert_eq!(call.headers[CONTENT_TYPE], "application/json");
}

#[test]
fn a_body_has_one_of_three_forms() {
    let url = "http://a.example";
    for (body, sent, form) in [
        (
            serde_json::json!({"url": url, "body": []}),
            "[]",
            "application/json",
        ),
        (
            serde_json::json!({"url": url, "body": false}),
            "false",
            "application/json",
        ),
        (
            serde_json::json!({"url": url, "body_text": "a\nb"}),
            "a\nb",
            "text/plain; charset=utf-8",
        ),
        (
            serde_json::json!({"url": url, "body_base64": "AP8="}),
            "\u{0}\u{ff}",
            "application/octet-stream",
        ),
    ] {
        let call = read(&body).unwrap();
        let expected: Vec<u8> = if sent == "\u{0}\u{ff}" {
            vec![0, 0xff]
        } else {
            sent.into()
        };
        assert_eq!(call.body.unwrap(), expected);
        assert_eq!(call.headers[CONTENT_TYPE], form);
    }
    let own = read(&serde_json::json!({
        "url": url, "body_text": "a=b", "headers": {"content-type": "application/x-www-form-urlencoded"},
    }));
    assert_eq!(
        own.unwrap().headers[CONTENT_TYPE],
        "application/x-www-form-urlencoded"
    );
    let both = wrong(&serde_json::json!({"url": url, "body": 1, "body_text": "x"}));
    assert_eq!(both, "has one of body, body_text and body_base64");
}

#[test]
fn every_mistake_is_told_at_once_and_shows_no_secret() {
    let said = wrong(&serde_json::json!({
        "url": "http://user:hunter2@example.com/",
        "method": "FETCH",
        "headers": {"Host": "evil", "x": "hunter2\n"},
        "body_base64": "hunter2",
        "expect": {"status": [99]},
        "timeout": "0s",
        "follow_redirects": 6,
        "max_response_bytes": -1,
        "keep_response": "yes",
        "timout": "1s",
    }));
    assert!(!said.contains("hunter2"), "{said}");
    for line in [
        "url: has no user and no password: use a header",
        "method: is one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS (given: FETCH)",
        "headers.Host: is set by the worker",
        "headers.x: has a value of visible",
        "body_base64: is base64 with padding",
        "expect.status[0]: is a status from 200 to 599",
        "timeout: is from 1ms to 10m (given: 0s)",
        "follow_redirects: is a whole number of 0..=5 (given: 6)",
        "max_response_bytes: is a whole number",
        "keep_response: is true or false",
        "timout: is not a known key; did you mean `timeout`?",
    ] {
        assert!(said.contains(line), "{line:?} is missing in:\n{said}");
    }
    assert_eq!(said.lines().count(), 11, "{said}");
}

#[test]
fn what_is_no_map_is_refused_in_words() {
    for body in ["", "null", "[]", "\"http://a.example\"", "{", "\u{0}"] {
        let said = Call::read(body.as_bytes()).unwrap_err().to_string();
        assert!(said.starts_with("the body is a map"), "{body}: {said}");
    }
    assert!(Call::read(&[0xff]).is_err());
    assert_eq!(wrong(&serde_json::json!({})), "url: is missing");
    assert_eq!(wrong(&serde_json::json!({"url": null})), "url: is missing");
    assert_eq!(wrong(&serde_json::json!({"url": 7})), "url: is text");
    let said = wrong(&serde_json::json!({"url": "http://a.example", "method": "get"}));
    assert!(said.ends_with("did you mean `GET`? (given: get)"), "{said}");
    for method in [
        "CONNECT",
        "TRACE",
        "GET /x HTTP/1.1\r\nHost: evil\r\n\r\nGET",
    ] {
        assert!(read(&serde_json::json!({"url": "http://a.example", "method": method})).is_err());
    }
    for timeout in [
        serde_json::json!("11m"),
        serde_json::json!(10),
        serde_json::json!("soon"),
    ] {
        assert!(read(&serde_json::json!({"url": "http://a.example", "timeout": timeout})).is_err());
    }
}
