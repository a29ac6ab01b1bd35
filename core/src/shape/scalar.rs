//! Values that are no lists and no maps, and the body, which is any JSON.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::form::{Defaults, Form};
use super::reader::{shown, text};
use crate::bounds::SPAN_MS_MAX;
use crate::error::{Violation, Violations, with_suggestion};
use crate::time::{TimestampMs, format_duration, parse_duration, parse_instant};

/// Text of so many characters at most.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// Characters.
    pub most: usize,
}

/// Text whose length is checked where it is used.
pub const TEXT: Text = Text { most: usize::MAX };

impl Form<String> for Text {
    fn read(&self, value: &Value) -> Result<String, Violations> {
        Ok(text(value)?.to_owned())
    }

    fn write(&self, value: &String, _defaults: Defaults) -> Value {
        json!(value)
    }

    fn describe(&self) -> Value {
        if self.most == usize::MAX {
            return json!({ "type": "string" });
        }
        json!({ "type": "string", "maxLength": self.most })
    }

    fn check(&self, value: &String, found: &mut Violations) {
        if value.chars().nth(self.most).is_some() {
            found.add("", format!("has at most {} characters", self.most), value);
        }
    }
}

/// Text that a type reads.
#[derive(Debug, Clone, Copy)]
pub struct Parsed {
    /// A pattern that all such texts match; empty: any text.
    pub pattern: &'static str,
}

impl<T: FromStr<Err = Violation> + Display> Form<T> for Parsed {
    fn read(&self, value: &Value) -> Result<T, Violations> {
        let read = text(value)?.parse();
        Ok(read.map_err(|wrong: Violation| wrong.at(""))?)
    }

    fn write(&self, value: &T, _defaults: Defaults) -> Value {
        json!(value.to_string())
    }

    fn describe(&self) -> Value {
        if self.pattern.is_empty() {
            return json!({ "type": "string" });
        }
        json!({ "type": "string", "pattern": self.pattern })
    }
}

/// A name in parts, with slashes between them.
#[derive(Debug, Clone, Copy)]
pub struct Name;

impl<T: FromStr<Err = Violation> + Display> Form<T> for Name {
    fn read(&self, value: &Value) -> Result<T, Violations> {
        let pattern = "";
        Parsed { pattern }.read(value)
    }

    fn write(&self, value: &T, _defaults: Defaults) -> Value {
        json!(value.to_string())
    }

    fn describe(&self) -> Value {
        json!({
            "type": "string",
            "pattern": "^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$",
            "maxLength": crate::bounds::ID_CHARS_MAX,
        })
    }
}

/// One of some words.
#[derive(Debug, Clone, Copy)]
pub struct Words<T: 'static> {
    /// What they stand for.
    pub all: &'static [T],
    /// The word of each.
    pub word: fn(T) -> &'static str,
}

impl<T: Copy> Form<T> for Words<T> {
    fn read(&self, value: &Value) -> Result<T, Violations> {
        let given = shown(value);
        let mut all = self.all.iter().copied();
        if let Some(found) = all.find(|one| (self.word)(*one) == given) {
            return Ok(found);
        }
        let words: Vec<&str> = self.all.iter().map(|one| (self.word)(*one)).collect();
        let rule = match words.as_slice() {
            [one, other] => format!("is {one} or {other}"),
            words => format!("is one of {}", words.join(", ")),
        };
        let rule = with_suggestion(&rule, &given, words);
        Err(Violation::new("", rule, &given).into())
    }

    fn write(&self, value: &T, _defaults: Defaults) -> Value {
        json!((self.word)(*value))
    }

    fn describe(&self) -> Value {
        let words: Vec<&str> = self.all.iter().map(|one| (self.word)(*one)).collect();
        json!({ "enum": words })
    }
}

/// A whole number of a range.
#[derive(Debug, Clone, Copy)]
pub struct Whole {
    /// The least.
    pub least: u64,
    /// The greatest.
    pub most: u64,
}

impl Whole {
    /// Of this range.
    #[must_use]
    pub const fn of(least: u64, most: u64) -> Self {
        Self { least, most }
    }
}

impl Form<u64> for Whole {
    fn read(&self, value: &Value) -> Result<u64, Violations> {
        let wrong = || Violation::new("", "is a whole number", shown(value));
        Ok(value.as_u64().ok_or_else(wrong)?)
    }

    fn write(&self, value: &u64, _defaults: Defaults) -> Value {
        json!(value)
    }

    fn describe(&self) -> Value {
        match self.most {
            u64::MAX => json!({ "type": "integer", "minimum": self.least }),
            most => json!({ "type": "integer", "minimum": self.least, "maximum": most }),
        }
    }

    fn check(&self, value: &u64, found: &mut Violations) {
        if !(self.least..=self.most).contains(value) {
            let rule = match self.most {
                u64::MAX => format!("is at least {}", self.least),
                most => format!("is {}..={most}", self.least),
            };
            found.add("", rule, value);
        }
    }
}

impl Form<u32> for Whole {
    fn read(&self, value: &Value) -> Result<u32, Violations> {
        let number: u64 = self.read(value)?;
        let wrong = |_| Violation::new("", "is below 2^32", shown(value));
        Ok(u32::try_from(number).map_err(wrong)?)
    }

    fn write(&self, value: &u32, _defaults: Defaults) -> Value {
        json!(value)
    }

    fn describe(&self) -> Value {
        Form::<u64>::describe(self)
    }

    fn check(&self, value: &u32, found: &mut Violations) {
        Form::<u64>::check(self, &u64::from(*value), found);
    }
}

/// A span with its unit, in ms. A bare number is refused: seconds and milliseconds look alike.
#[derive(Debug, Clone, Copy)]
pub struct Span;

/// A span with its unit.
pub const SPAN: Span = Span;

impl Form<u64> for Span {
    fn read(&self, value: &Value) -> Result<u64, Violations> {
        let given = shown(value);
        let rule = "is a span with its unit, like 250ms, 10s or 1m30s";
        let span = parse_duration(&given).map_err(|_| Violation::new("", rule, &given))?;
        Ok(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
    }

    fn write(&self, value: &u64, _defaults: Defaults) -> Value {
        json!(format_duration(Duration::from_millis(*value)))
    }

    fn describe(&self) -> Value {
        let days = SPAN_MS_MAX / 86_400_000;
        json!({
            "anyOf": [
                {
                    "type": "string",
                    "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
                    "minLength": 2,
                    "examples": ["250ms", "10s", "1m30s", "2h", format!("{days}d")],
                },
                { "enum": ["0", 0] },
            ],
        })
    }
}

/// An instant: RFC 3339 text, or whole milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct When;

/// An instant.
pub const WHEN: When = When;

impl Form<TimestampMs> for When {
    fn read(&self, value: &Value) -> Result<TimestampMs, Violations> {
        Ok(parse_instant(&shown(value))?)
    }

    fn write(&self, value: &TimestampMs, _defaults: Defaults) -> Value {
        json!(value.to_string())
    }

    fn describe(&self) -> Value {
        json!({
            "anyOf": [
                { "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]", "examples": ["2026-03-29T02:30:00Z"] },
                { "type": "integer", "minimum": 0, "description": "Milliseconds since 1970." },
            ],
        })
    }
}

/// Any JSON, kept as it is written.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl Form<Bytes> for Json {
    fn read(&self, value: &Value) -> Result<Bytes, Violations> {
        Ok(Bytes::from(value.to_string()))
    }

    /// The JSON that the bytes hold, else text, else a list of numbers.
    fn write(&self, value: &Bytes, _defaults: Defaults) -> Value {
        if value.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(value).unwrap_or_else(|_| match std::str::from_utf8(value) {
            Ok(text) => text.into(),
            Err(_) => value.to_vec().into(),
        })
    }

    fn describe(&self) -> Value {
        json!({})
    }
}
