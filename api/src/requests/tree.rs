//! A request's JSON, taken apart so that a body keeps its very bytes.
//!
//! Bodies are cut out of the text before anything is read: a number that no program counts in, a key that is there twice, and every space
//! reach the handler as they were written. What is left is small, and is read as a tree.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::manifest::BODY_KEYS;

use crate::json;

/// Lists and objects inside each other.
pub const DEPTH_MAX: usize = 64;
/// Keys of one object. No request has half as many.
const KEYS_MAX: usize = 100;
/// Bytes of a value that is no body: a tree takes some twenty times that in memory.
const VALUE_BYTES_MAX: usize = 64 << 10;

/// The text of a request, when it is JSON and not too deep.
///
/// # Errors
/// What is wrong with it as a whole.
pub fn checked(body: &[u8]) -> Result<&str, Violation> {
    let text = shallow(body)?;
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Ok(text),
        Err(error) => Err(unread(&error)),
    }
}

/// The text of a request, when it is not too deep; whether it is JSON is not looked at.
fn shallow(body: &[u8]) -> Result<&str, Violation> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Violation::new("", format!("is JSON in UTF-8: {error}"), ""))?;
    if depth(text) > DEPTH_MAX {
        let rule = format!("has at most {DEPTH_MAX} lists and objects inside each other");
        return Err(Violation::new("", rule, ""));
    }
    Ok(text)
}

/// How many lists and objects are inside each other at most; of text that is no JSON, some number.
fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// Whether the text is a list.
pub(crate) fn is_list(body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    first == Some(&b'[')
}

/// The entries of a request that is a list, or the one that stands for a list of one. Each is JSON, and what is around them.
///
/// # Errors
/// What is wrong with the request as a whole; when there are more than `most`, or none.
pub(crate) fn entries(body: &[u8], most: usize) -> Result<Vec<&RawValue>, Violation> {
    // Cutting it up reads all of it, so nothing reads it before.
    let text = shallow(body)?;
    if !is_list(body) {
        let one = serde_json::from_str(text).map_err(|error| unread(&error))?;
        return Ok(vec![one]);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let entries = List { most }
        .deserialize(&mut reader)
        .and_then(|entries| reader.end().map(|()| entries))
        .map_err(|error| unread(&error))?;
    if entries.is_empty() || entries.len() > most {
        let rule = format!("is one, or a list of 1..={most}");
        let given = if entries.is_empty() { "none" } else { "more" };
        return Err(Violation::new("", rule, given));
    }
    Ok(entries)
}

fn unread(error: &serde_json::Error) -> Violation {
    Violation::new("", format!("is JSON: {error}"), "")
}

/// Reads one more entry than there may be, and passes over the rest.
struct List {
    most: usize,
}

impl<'de> DeserializeSeed<'de> for List {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while entries.len() <= self.most {
            match items.next_element()? {
                Some(entry) => entries.push(entry),
                None => return Ok(entries),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(entries)
    }
}

/// The keys of an object with their values as text.
struct Object;

type Entries<'de> = Vec<(String, &'de RawValue)>;

impl<'de> DeserializeSeed<'de> for Object {
    type Value = Entries<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Entries<'de>, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
        let mut entries = Vec::new();
        while entries.len() <= KEYS_MAX {
            let Some(key) = map.next_key()? else {
                return Ok(entries);
            };
            entries.push((key, map.next_value()?));
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(entries)
    }
}

/// The keys of an object with their values as they were written. Of a text that [`checked`] let pass.
///
/// # Errors
/// What is no object, has more than 100 keys, or one of them twice.
pub fn keyed(text: &str) -> Result<BTreeMap<String, &str>, Violations> {
    let mut found = Violations::new();
    let mut map = BTreeMap::new();
    for (key, raw) in pairs(text)? {
        if map.insert(key.clone(), raw.get()).is_some() {
            found.add(key, "is given once", "");
        }
    }
    found.into_result().map(|()| map)
}

fn pairs(text: &str) -> Result<Entries<'_>, Violation> {
    let mut reader = serde_json::Deserializer::from_str(text);
    match Object.deserialize(&mut reader) {
        Ok(entries) if entries.len() <= KEYS_MAX => Ok(entries),
        Ok(_) => Err(Violation::new(
            "",
            format!("has at most {KEYS_MAX} keys"),
            "more",
        )),
        Err(_) => Err(Violation::new("", "is an object", text)),
    }
}

/// The object as a tree, its body as text; `None` of what is no object. Mistakes go to `found`; what they are about is left out.
pub(crate) fn object(text: &str, found: &mut Violations) -> Option<Map<String, Value>> {
    let entries = found.keep(pairs(text))?;
    let [exact, ..] = BODY_KEYS;
    let (mut map, mut body) = (Map::new(), None);
    for (key, raw) in entries {
        if map.contains_key(&key) || key == exact && body.is_some() {
            found.add(key, "is given once", "");
        } else if key == exact {
            body = Some(raw.get());
        } else if let Some(value) = found.keep(tree(&key, raw.get())) {
            map.insert(key, value);
        }
    }
    if let Some(body) = body.filter(|body| *body != "null") {
        let [_, text, base64] = BODY_KEYS;
        // Beside another body it only has to be there, so that the mistake is told.
        let other = map.contains_key(text) || map.contains_key(base64);
        let (key, value) = if other {
            (exact, Value::Bool(true))
        } else {
            (text, Value::from(body))
        };
        map.insert(key.to_owned(), value);
    }
    Some(map)
}

fn tree(key: &str, text: &str) -> Result<Value, Violation> {
    if !BODY_KEYS.contains(&key) && text.len() > VALUE_BYTES_MAX && !is_model(key) {
        let rule = format!("has at most {VALUE_BYTES_MAX} bytes");
        return Err(Violation::new(
            key,
            rule,
            format_args!("{} bytes", text.len()),
        ));
    }
    json::parse(text).map_err(|error| Violation::new(key, format!("is JSON: {error}"), ""))
}

/// The items of a sharded job may be long; the request as a whole bounds them.
fn is_model(key: &str) -> bool {
    key == "model"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Map<String, Value>, String) {
        let mut found = Violations::new();
        let map = object(text, &mut found).unwrap_or_default();
        (map, found.to_string())
    }

    #[test]
    fn a_body_keeps_its_bytes() {
        for body in [
            r#"{"n": 9007199254740993, "n": 1e400}"#,
            "[1 , 2]",
            "1e400",
            r#""\ud83d\ude00 \u0000""#,
            "-0.10",
        ] {
            let (map, wrong) = read(&format!(r#"{{"handler": "h", "body":  {body} }}"#));
            assert_eq!(wrong, "");
            assert_eq!(map["body_text"], body);
        }
        assert_eq!(read(r#"{"body": null}"#).0.len(), 0);
        let (map, _) = read(r#"{"body": 1, "body_text": "x"}"#);
        assert_eq!(map["body"], true);
    }

    #[test]
    fn what_is_no_object_or_too_much_is_named() {
        assert_eq!(read("[1]").1, "is an object (given: [1])");
        assert_eq!(read(r#"{"a": 1, "a": 2}"#).1, "a: is given once");
        assert!(
            read(r#"{"a": 1e400}"#)
                .1
                .starts_with("a: is JSON: number out of range")
        );
        assert!(read(r#"{"a": {"b": 1, "b": 2}}"#).1.contains("there twice"));
        let long = format!(r#"{{"a": "{}"}}"#, "x".repeat(VALUE_BYTES_MAX));
        assert!(read(&long).1.starts_with("a: has at most 65536 bytes"));
        let keys: Vec<String> = (0..=KEYS_MAX).map(|n| format!(r#""{n}":{n}"#)).collect();
        let many = format!("{{{}}}", keys.join(","));
        assert_eq!(read(&many).1, "has at most 100 keys (given: more)");
    }

    #[test]
    fn an_object_is_its_keys_with_their_values_as_written() {
        let map = keyed(r#" {"a": [1, 2] , "b":1e400} "#).unwrap();
        let pairs: Vec<_> = map
            .iter()
            .map(|(key, text)| (key.as_str(), *text))
            .collect();
        assert_eq!(pairs, [("a", "[1, 2]"), ("b", "1e400")]);
        let wrong = |text: &str| keyed(text).unwrap_err().to_string();
        assert_eq!(wrong(r#"{"a": 1, "a": 1}"#), "a: is given once");
        assert_eq!(wrong("7"), "is an object (given: 7)");
        let keys: Vec<String> = (0..=KEYS_MAX).map(|n| format!(r#""{n}":{n}"#)).collect();
        let many = format!("{{{}}}", keys.join(","));
        assert_eq!(wrong(&many), "has at most 100 keys (given: more)");
    }

    #[test]
    fn depth_is_counted_outside_of_texts() {
        assert!(
            checked("[".repeat(64).as_bytes())
                .unwrap_err()
                .rule
                .starts_with("is JSON")
        );
        let deep = "[".repeat(65) + &"]".repeat(65);
        assert!(
            checked(deep.as_bytes())
                .unwrap_err()
                .rule
                .starts_with("has at most 64")
        );
        let fine = format!(
            "{}\"{}\\\"[\"{}",
            "[".repeat(64),
            "[".repeat(99),
            "]".repeat(64)
        );
        assert_eq!(checked(fine.as_bytes()), Ok(fine.as_str()));
        assert!(checked(&"[".repeat(4_000_000).into_bytes()).is_err());
        assert!(
            checked(b"\"\xff\"")
                .unwrap_err()
                .rule
                .starts_with("is JSON in UTF-8")
        );
        assert!(checked(b"1e400").is_ok());
    }

    #[test]
    fn a_list_has_so_many_entries_and_one_stands_for_itself() {
        let count = |text: &str| entries(text.as_bytes(), 3).map(|entries| entries.len());
        assert_eq!(count(" [1, {\"a\": 2}]"), Ok(2));
        assert_eq!(count("{}"), Ok(1));
        for text in ["[]", "[1,2,3,4]", "[1,2,3,4,5,6]"] {
            assert!(
                count(text)
                    .unwrap_err()
                    .rule
                    .starts_with("is one, or a list")
            );
        }
        // Of a request all is read, whatever it stands behind.
        for text in [
            "[1,2] x",
            "[1,2][3]",
            "{} {}",
            "[1,2,3,4,5,}]",
            "[1 2]",
            "",
            "[",
            "[\"\\q\"]",
        ] {
            let whole = checked(text.as_bytes()).unwrap_err();
            assert!(whole.rule.starts_with("is JSON"), "{text}");
            assert_eq!(entries(text.as_bytes(), 3).unwrap_err(), whole, "{text}");
        }
    }
}
