//! A body, in one of three ways: as JSON, as text, or in base64. Whichever it is, the bytes that come out are the ones that were meant.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::error::Violation;
use crate::shape::{Form as _, Json, Reader, text};

/// The keys that a body may stand under, at most one of them at a time.
pub const BODY_KEYS: [&str; 3] = ["body", "body_text", "body_base64"];

/// Reads the body that a map has; `None` where it has none. A second one is a mistake.
pub fn read_body(reader: &mut Reader<'_, '_>) -> Option<Bytes> {
    let [json, plain, encoded] = BODY_KEYS;
    let read = [
        reader.get(json, |value| Json.read(value)),
        reader.get(plain, |value| {
            text(value).map(|text| Bytes::from(text.to_owned()))
        }),
        reader.get(encoded, |value| decoded(text(value)?)),
    ];
    let mut body = None;
    for (key, read) in BODY_KEYS.into_iter().zip(read) {
        match (read, &body) {
            (None, _) => {}
            (Some(read), None) => body = Some((key, read)),
            (Some(_), Some((first, _))) => {
                reader.wrong(key, format!("is given, or `{first}`: one of them"), "");
            }
        }
    }
    body.map(|(_, body)| body)
}

fn decoded(given: &str) -> Result<Bytes, Violation> {
    let wrong = |_| Violation::new("", "is base64, with its padding", given);
    STANDARD.decode(given).map(Bytes::from).map_err(wrong)
}

/// The key and the value under which a document has these bytes: read again, they are the same.
#[must_use]
pub fn write_body(body: &[u8]) -> (&'static str, Value) {
    let [key, ..] = BODY_KEYS;
    // Other spaces, another order of keys, a number that no program counts in: what is printed would be other bytes.
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if value.to_string().as_bytes() == body && !value.is_null() => (key, value),
        Ok(_) | Err(_) => write_exactly(body),
    }
}

/// The key and the value under which an answer has these bytes: text as it is, everything else in base64.
#[must_use]
pub fn write_exactly(body: &[u8]) -> (&'static str, Value) {
    let [_, plain, encoded] = BODY_KEYS;
    match std::str::from_utf8(body) {
        Ok(text) => (plain, json!(text)),
        Err(_) => (encoded, json!(STANDARD.encode(body))),
    }
}

/// Describes the three keys.
pub fn describe_body(properties: &mut Map<String, Value>) {
    let [json, plain, encoded] = BODY_KEYS;
    let keys = [
        (
            json,
            json!({ "description": "Any JSON, handed to the handler; at most 256 KiB." }),
        ),
        (
            plain,
            json!({ "type": "string", "description": "The same as text, handed on as it is." }),
        ),
        (
            encoded,
            json!({ "type": "string", "contentEncoding": "base64", "description": "The same in base64: bytes that are no text." }),
        ),
    ];
    properties.extend(keys.map(|(key, schema)| (key.to_owned(), schema)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Violations;

    fn read(value: &Value) -> (Option<Bytes>, Violations) {
        let mut found = Violations::new();
        let mut reader = Reader::new(value.as_object().unwrap(), &mut found);
        let body = read_body(&mut reader);
        reader.finish();
        (body, found)
    }

    #[test]
    fn what_is_written_is_read_as_the_same_bytes() {
        for (body, key) in [
            (&br#"{"a":9007199254740993}"#[..], "body"),
            (br#"{ "a": 1 }"#, "body_text"),
            (br#"{"a":1,"a":2}"#, "body_text"),
            (b"1e400", "body_text"),
            (b"null", "body_text"),
            (b"plain", "body_text"),
            (b"\xff\xfe", "body_base64"),
        ] {
            let (written, value) = write_body(body);
            assert_eq!(written, key, "{body:?}");
            let (read, found) = read(&json!({ written: value }));
            assert_eq!((read.as_deref(), found.len()), (Some(body), 0));
        }
    }

    #[test]
    fn there_is_one_body() {
        let (_, found) = read(&json!({ "body": 1, "body_base64": "MQ==" }));
        assert_eq!(
            found.to_string(),
            "body_base64: is given, or `body`: one of them"
        );
        let (none, found) = read(&json!({ "body_base64": "MQ" }));
        assert_eq!(none, None);
        assert!(found.to_string().starts_with("body_base64: is base64"));
        assert_eq!(read(&json!({ "body": null })).0, None);
    }
}
