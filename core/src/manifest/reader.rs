//! Reads the keys of one map: each value by a function, each mistake under its key, unknown keys at the end.

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::error::{Violation, Violations, with_suggestion};
use crate::time::{TimestampMs, parse_duration, parse_instant};

/// A map being read.
pub(super) struct Reader<'a, 'f> {
    map: &'a Map<String, Value>,
    known: Vec<&'static str>,
    found: &'f mut Violations,
}

impl<'a, 'f> Reader<'a, 'f> {
    /// Begins to read `map`; mistakes go to `found`.
    pub(super) fn new(map: &'a Map<String, Value>, found: &'f mut Violations) -> Self {
        Self {
            map,
            known: Vec::new(),
            found,
        }
    }

    /// The raw value of a key; `null` counts as absent.
    pub(super) fn raw(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// The value of a key, read by `read`; a mistake is kept under the key.
    pub(super) fn get<T, E: Into<Violations>>(
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
    pub(super) fn need<T, E: Into<Violations>>(
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
    pub(super) fn wrong(&mut self, field: &str, rule: impl Into<String>, given: impl Display) {
        self.found.add(field, rule, given);
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        for key in self
            .map
            .keys()
            .filter(|key| !self.known.contains(&key.as_str()))
        {
            let rule = with_suggestion("is not a known key", key, self.known.iter().copied());
            self.found.add(key.as_str(), rule, "");
        }
    }
}

/// A value as a violation shows it: text without quotes.
pub(super) fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A map.
pub(super) fn map(value: &Value) -> Result<&Map<String, Value>, Violation> {
    value
        .as_object()
        .ok_or_else(|| Violation::new("", "is a map", shown(value)))
}

/// Text.
pub(super) fn text(value: &Value) -> Result<&str, Violation> {
    value
        .as_str()
        .ok_or_else(|| Violation::new("", "is text", shown(value)))
}

/// Text that a type reads.
pub(super) fn parsed<T: std::str::FromStr<Err = Violation>>(value: &Value) -> Result<T, Violation> {
    text(value)?
        .parse()
        .map_err(|wrong: Violation| wrong.at(""))
}

/// A whole number.
pub(super) fn number(value: &Value) -> Result<u64, Violation> {
    value
        .as_u64()
        .ok_or_else(|| Violation::new("", "is a whole number", shown(value)))
}

/// A whole number below 2^32.
pub(super) fn small_number(value: &Value) -> Result<u32, Violation> {
    let wrong = |_| Violation::new("", "is below 2^32", shown(value));
    number(value).and_then(|number| u32::try_from(number).map_err(wrong))
}

/// A span with its unit, in ms. A bare number is refused: seconds and milliseconds look alike.
pub(super) fn span_ms(value: &Value) -> Result<u64, Violation> {
    let given = shown(value);
    let unit = |_| {
        Violation::new(
            "",
            "is a span with its unit, like 250ms, 10s or 1m30s",
            &given,
        )
    };
    let span = value
        .as_str()
        .map_or_else(|| parse_duration(&given), parse_duration);
    span.map_err(unit)
        .map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

/// An instant: RFC 3339 text, or whole milliseconds.
pub(super) fn instant(value: &Value) -> Result<TimestampMs, Violation> {
    parse_instant(&shown(value))
}
