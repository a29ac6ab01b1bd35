use proptest::prelude::*;

use super::*;

const URL: &str = "https://example.com/hook";

fn read(body: &str) -> Result<Wanted, (u16, String)> {
    let read = create(body.as_bytes(), "Europe/Berlin", &Guard::default());
    read.map_err(|refused| (refused.code.number(), refused.message))
}

fn code(body: &str) -> u16 {
    read(body).unwrap_err().0
}

fn task(kind: &str, format: &str) -> String {
    format!(r#"{{"type":{kind},"format":{format},"callback":{{"url":"{URL}"}}}}"#)
}

#[test]
fn both_types_are_read_and_the_body_is_kept_as_it_was_written() {
    let body = r#"{ "n": 9007199254740993, "n":1e400 }"#;
    let wanted = read(&format!(
        r#" {{"callback": {{"body": {body}, "url": "{URL}"}}, "format": " 0  1 * * * ", "type": 1}} "#
    ));
    let wanted = wanted.unwrap();
    let time = TaskTime::Crontab {
        expression: " 0  1 * * * ".to_owned(),
        zone: "Europe/Berlin".to_owned(),
    };
    assert_eq!(wanted.time, time);
    let call = format!(r#"{{"url":"{URL}","body":{body}}}"#);
    assert_eq!(String::from_utf8(wanted.call), Ok(call));
    for nothing in ["", r#","body":null"#, r#","body":{}"#] {
        let wanted = read(&format!(
            r#"{{"type":2,"format":"1893456000","callback":{{"url":"{URL}"{nothing}}}}}"#
        ));
        let wanted = wanted.unwrap();
        assert_eq!(
            wanted.time,
            TaskTime::Once {
                at_s: 1_893_456_000
            }
        );
        assert!(wanted.call.ends_with(br#","body":{}}"#));
    }
    assert!(read(&task("1", r#""@daily""#)).is_ok());
}

#[test]
fn each_mistake_has_its_code() {
    for text in [
        "",
        "{",
        "[]",
        "7",
        "null",
        "{} {}",
        r#"{"type":"1","format":"* * * * *","callback":{"url":"http://a.example"}}"#,
        r#"{"type":1.5,"format":"* * * * *","callback":{"url":"http://a.example"}}"#,
        r#"{"type":1,"format":7,"callback":{"url":"http://a.example"}}"#,
        r#"{"type":1,"format":"* * * * *","callback":[]}"#,
        r#"{"type":1,"format":"* * * * *","callback":{"url":7}}"#,
        r#"{"type":1,"format":"* * * * *","callback":{"url":"http://a.example","body":[1]}}"#,
        r#"{"type":1,"format":"* * * * *","callback":{"url":"http://a.example","bodi":{}}}"#,
        r#"{"type":1,"type":2,"format":"* * * * *","callback":{"url":"http://a.example"}}"#,
        r#"{"type":1,"format":"* * * * *","calback":{"url":"http://a.example"}}"#,
    ] {
        assert_eq!(code(text), 1000, "{text}");
    }
    for (kind, format, expected) in [
        ("0", r#""* * * * *""#, 1020),
        ("3", r#""1893456000""#, 1020),
        ("-1", r#""1893456000""#, 1020),
        ("null", r#""1893456000""#, 1020),
        ("1", r#""1893456000""#, 1001),
        ("2", r#""30 2 * * 1""#, 1001),
        ("2", r#""0 1 * * *""#, 1001),
        ("2", r#""@daily""#, 1001),
        ("2", r#""""#, 1001),
        ("2", "null", 1001),
        ("2", r#""189345600""#, 1001),
        ("2", r#""18934560000""#, 1001),
        ("2", r#""18934560.0""#, 1002),
        ("2", r#""+189345600""#, 1002),
        ("2", r#""189345600 ""#, 1002),
        ("1", r#""""#, 1010),
        ("1", "null", 1010),
        ("1", r#""61 * * * *""#, 1010),
        ("1", r#""* * * *""#, 1010),
        ("1", r#""0 0 1 * * *""#, 1010),
        ("1", r#""0 0 31 2 *""#, 1010),
        ("1", r#""@reboot""#, 1010),
    ] {
        assert_eq!(code(&task(kind, format)), expected, "{kind} {format}");
    }
    for url in [
        r#""""#,
        "null",
        r#""example.com""#,
        r#""http://127.0.0.1/""#,
        r#""http://example.com:25/""#,
    ] {
        let text = format!(r#"{{"type":1,"format":"* * * * *","callback":{{"url":{url}}}}}"#);
        assert_eq!(code(&text), 1003, "{url}");
    }
    assert_eq!(code(r#"{"type":1,"format":"* * * * *"}"#), 1003);
    assert_eq!(code(&format!(r#"{{"a":{}"#, "[".repeat(100_000))), 1000);
}

#[test]
fn all_mistakes_are_told_at_once_under_the_first_code() {
    let (code, message) =
        read(r#"{"type":2,"format":"tomorrow","callback":{"url":"http://10.0.0.1/","boby":{}}}"#)
            .unwrap_err();
    assert_eq!(code, 1000);
    for part in [
        "callback.boby: is not a known key; did you mean `body`?",
        "format: is a unix time of 10 digits, in seconds (given: tomorrow)",
        "callback.url: is not called: the address of the host is not public",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let (code, message) =
        read(r#"{"type":1,"format":"1893456000","callback":{"url":""}}"#).unwrap_err();
    assert_eq!(code, 1001);
    assert!(
        message.contains("a unix time is type 2") && message.contains("callback.url: is missing"),
        "{message}"
    );
}

#[test]
fn a_task_is_named_once_and_by_nothing_else() {
    let given = |body: &str| named(body.as_bytes()).map(|(given, _)| given);
    assert_eq!(given(r#"{"task_id":"12345"}"#).unwrap(), "12345");
    for wrong in [
        "",
        "{}",
        r#"{"task_id":12345}"#,
        r#"{"task_id":null}"#,
        r#"{"task_id":"a/b"}"#,
        r#"{"task_id":"1","force":true}"#,
        r#"{"task_id":"1","task_id":"2"}"#,
    ] {
        assert_eq!(given(wrong).unwrap_err().code, Code::Request, "{wrong}");
    }
    let queried = |query: &str| asked(query).map(|(given, _)| given);
    assert_eq!(queried("task_id=a%2Db").unwrap(), "a-b");
    for wrong in [
        "",
        "task_id",
        "task_id=",
        "task_id=a%2Fb",
        "task_id=%FF",
        "task_id=1&task_id=2",
        "task=1",
        "task_id=1&x=2",
    ] {
        assert_eq!(queried(wrong).unwrap_err().code, Code::Request, "{wrong}");
    }
}

/// Something like a request.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just(":".to_owned()),
        Just(",".to_owned()),
        Just("\"type\"".to_owned()),
        Just("\"format\"".to_owned()),
        Just("\"callback\"".to_owned()),
        Just("\"url\"".to_owned()),
        Just("\"body\"".to_owned()),
        Just("\"1893456000\"".to_owned()),
        Just("\"* * * * *\"".to_owned()),
        Just("\"http://a.example\"".to_owned()),
        Just("1".to_owned()),
        Just("2".to_owned()),
        Just("null".to_owned()),
        "\\PC{0,4}",
    ]
}

proptest! {
    #[test]
    fn whatever_is_sent_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        holds(&bytes)?;
    }

    #[test]
    fn whatever_looks_like_a_request_is_read_or_refused(pieces in prop::collection::vec(piece(), 0..24)) {
        holds(pieces.concat().as_bytes())?;
    }

    #[test]
    fn whatever_the_values_are_they_are_read_or_refused(
        kind in any::<i64>(), format in "\\PC{0,20}", url in "\\PC{0,40}", body in "\\PC{0,20}",
    ) {
        let text = |text: &str| serde_json::Value::from(text);
        let (format, url) = (text(&format), text(&url));
        let (kind, body) = (kind.rem_euclid(4), text(&body));
        let request = format!(r#"{{"type":{kind},"format":{format},"callback":{{"url":{url},"body":{{"a":{body}}}}}}}"#);
        holds(request.as_bytes())?;
    }
}

fn holds(bytes: &[u8]) -> Result<(), TestCaseError> {
    let guard = Guard::default();
    match create(bytes, "UTC", &guard) {
        // What is kept is not longer than what came, so that it fits where that did.
        Ok(wanted) => prop_assert!(wanted.call.len() <= bytes.len()),
        Err(refused) => {
            prop_assert!((1000..1100).contains(&refused.code.number()));
            prop_assert!(!refused.message.is_empty() && refused.message.len() < 1_100);
            prop_assert!(!refused.message.contains('\n'));
        }
    }
    if let Err(refused) = named(bytes) {
        prop_assert_eq!(refused.code, Code::Request);
    }
    if let Err(refused) = asked(&String::from_utf8_lossy(bytes)) {
        prop_assert_eq!(refused.code, Code::Request);
    }
    Ok(())
}
