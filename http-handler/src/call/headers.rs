//! The headers of a call: bounded, and none of those that say where a request ends or for whom it is.

use std::collections::BTreeMap;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use tickwheel_core::Violations;

/// Headers of a call.
const HEADERS_MAX: usize = 64;

/// Bytes of all names and values; servers take 8 to 16 KiB with those that are added.
const BYTES_MAX: usize = 8_192;

/// What the connection itself says. A second word on where the body ends makes two requests of one.
const OURS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Begins the names of what the handler says of the run.
const OUR_PREFIX: &str = "tickwheel-";

/// Reads the map of headers. No mistake shows a value: it may be a secret.
pub(super) fn headers(json: &str) -> Result<HeaderMap, Violations> {
    let mut found = Violations::new();
    let Ok(given) = serde_json::from_str::<BTreeMap<String, String>>(json) else {
        found.add("", "is a map of texts", "");
        return Err(found);
    };
    if given.len() > HEADERS_MAX {
        found.add(
            "",
            format!("has at most {HEADERS_MAX} headers"),
            given.len(),
        );
        return Err(found);
    }
    let bytes: usize = given
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if bytes > BYTES_MAX {
        found.add("", format!("has at most {BYTES_MAX} bytes"), bytes);
        return Err(found);
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &given {
        match header(name, value) {
            Ok((key, value)) if headers.contains_key(&key) => {
                drop(value);
                found.add(name.as_str(), "is there twice, in other letters", "");
            }
            Ok((key, value)) => {
                headers.insert(key, value);
            }
            Err(rule) => found.add(name.as_str(), rule, ""),
        }
    }
    found.into_result().map(|()| headers)
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), &'static str> {
    let key = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| "is the name of a header: letters, digits and hyphens")?;
    if OURS.contains(&key.as_str()) || key.as_str().starts_with(OUR_PREFIX) {
        return Err("is set by the worker");
    }
    // Servers disagree on what other characters are, and some take one of them for a line break.
    let value = Some(value).filter(|value| value.is_ascii());
    let value = value.and_then(|value| HeaderValue::from_str(value).ok());
    let rule = "has a value of visible ASCII characters and spaces, on one line";
    value.map(|value| (key, value)).ok_or(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(json: &serde_json::Value) -> String {
        headers(&json.to_string()).unwrap_err().to_string()
    }

    #[test]
    fn headers_are_taken_as_they_are_given() {
        let read = headers("{\"X-Token\": \"a b\", \"accept\": \"*/*\"}").unwrap();
        assert_eq!(read["x-token"], "a b");
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn what_the_connection_says_is_refused_in_any_letters() {
        for name in OURS
            .iter()
            .copied()
            .chain(["tickwheel-run", "Tickwheel-Anything"])
        {
            for name in [name.to_owned(), name.to_uppercase()] {
                let said = wrong(&serde_json::json!({ &name: "x" }));
                assert_eq!(said, format!("{name}: is set by the worker"));
            }
        }
    }

    #[test]
    fn line_breaks_make_no_second_header() {
        for (name, value) in [
            ("x", "a\r\nHost: evil"),
            ("x", "a\nb"),
            ("x", "a\rb"),
            ("x", "a\u{0}b"),
            ("x", "a\u{85}b"),
            ("x\r\nHost", "evil"),
            ("x\nHost", "evil"),
            ("x: y", "z"),
            ("x y", "z"),
            ("", "z"),
            ("ß", "z"),
        ] {
            let said = wrong(&serde_json::json!({ name: value }));
            assert!(said.contains(" a ") || said.contains("name"), "{said}");
            assert!(!said.contains("evil"), "{said}");
        }
    }

    #[test]
    fn many_headers_and_long_ones_are_refused() {
        let many: BTreeMap<String, &str> = (0..10_000).map(|n| (format!("x-{n}"), "")).collect();
        let said = wrong(&serde_json::json!(many));
        assert_eq!(said, "has at most 64 headers (given: 10000)");
        let said = wrong(&serde_json::json!({ "x": "a".repeat(8_192) }));
        assert_eq!(said, "has at most 8192 bytes (given: 8193)");
        let said = wrong(&serde_json::json!({ "a": "1", "A": "2" }));
        assert!(said.contains("twice"), "{said}");
        assert_eq!(wrong(&serde_json::json!({ "a": 1 })), "is a map of texts");
    }
}
