//! Reads the keys of one map: each value by a function, each mistake under its key, unknown keys at the end.

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::error::{Violation, Violations, with_suggestion};

/// Most maps have no more keys that may be there.
const KEYS: usize = 32;

/// A map being read.
#[derive(Debug)]
pub struct Reader<'a, 'f> {
    map: &'a Map<String, Value>,
    known: Vec<&'static str>,
    misnamed: Vec<&'static str>,
    found: &'f mut Violations,
}

impl<'a, 'f> Reader<'a, 'f> {
    /// Begins to read `map`; mistakes go to `found`.
    pub fn new(map: &'a Map<String, Value>, found: &'f mut Violations) -> Self {
        Self {
            map,
            known: Vec::with_capacity(KEYS),
            misnamed: Vec::new(),
            found,
        }
    }

    /// The raw value of a key; `null` counts as absent.
    pub fn raw(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// The value of a key, read by `read`; a mistake is kept under the key.
    pub fn get<T, E: Into<Violations>>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.raw(key)?;
        match read(value) {
            Ok(read) => Some(read),
            Err(wrong) => {
                let wrong: Violations = wrong.into();
                self.found.merge(wrong.prefix(key));
                None
            }
        }
    }

    /// Like [`Reader::get`], and a missing key is a mistake.
    pub fn need<T, E: Into<Violations>>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&'a Value) -> Result<T, E>,
    ) -> Option<T> {
        if self.map.get(key).is_none_or(Value::is_null) {
            self.known.push(key);
            self.found.add(key, "is missing", "");
            return None;
        }
        self.get(key, read)
    }

    /// Adds a mistake.
    pub fn wrong(&mut self, field: &str, rule: impl Into<String>, given: impl Display) {
        self.found.add(field, rule, given);
    }

    /// A key that is none: where it is there, `rule` says what is right instead.
    pub fn misnamed(&mut self, key: &'static str, rule: &'static str) {
        if self.map.contains_key(key) {
            self.misnamed.push(key);
            self.found.add(key, rule, "");
        }
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        let told = |key: &&String| {
            self.known.contains(&key.as_str()) || self.misnamed.contains(&key.as_str())
        };
        for key in self.map.keys().filter(|key| !told(key)) {
            let rule = with_suggestion("is not a known key", key, self.known.iter().copied());
            self.found.add(key.as_str(), rule, "");
        }
    }
}

/// A value as a violation shows it: text without quotes.
#[must_use]
pub fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A map.
///
/// # Errors
/// When it is none.
pub fn map(value: &Value) -> Result<&Map<String, Value>, Violation> {
    value
        .as_object()
        .ok_or_else(|| Violation::new("", "is a map", shown(value)))
}

/// Text.
///
/// # Errors
/// When it is none.
pub fn text(value: &Value) -> Result<&str, Violation> {
    value
        .as_str()
        .ok_or_else(|| Violation::new("", "is text", shown(value)))
}
