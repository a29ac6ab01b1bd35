//! A map with exactly one of some keys.

use std::marker::PhantomData;

use serde_json::{Map, Value, json};

use super::form::{Defaults, Form};
use super::reader::{Reader, map, shown};
use super::record::Record;
use super::walks::{describe_fields, read_fields, write_fields};
use crate::error::{Violation, Violations, with_suggestion};

/// A map with exactly one of `kinds`, whose values are the fields of the record `R`, and perhaps other keys of it. A kind of `bare` may stand
/// without a value, and alone, as a word.
#[derive(Debug)]
pub struct Exactly<R> {
    kinds: &'static [&'static str],
    bare: &'static [&'static str],
    /// Words that are no kinds, and what is right instead.
    misnamed: &'static [(&'static str, &'static str)],
    record: PhantomData<R>,
}

impl<R: Record> Exactly<R> {
    /// One of `kinds`.
    #[must_use]
    pub const fn one_of(
        kinds: &'static [&'static str],
        bare: &'static [&'static str],
        misnamed: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            kinds,
            bare,
            misnamed,
            record: PhantomData,
        }
    }

    fn of_word(&self, word: &str) -> Result<R, Violations> {
        if let Some((_, rule)) = self.misnamed.iter().find(|(other, _)| *other == word) {
            return Err(Violation::new("", *rule, word).into());
        }
        if !self.kinds.contains(&word) {
            let rule = format!("is one of {}", self.kinds.join(", "));
            let rule = with_suggestion(&rule, word, self.kinds.iter().copied());
            return Err(Violation::new("", rule, word).into());
        }
        let whole = Map::from_iter([(word.to_owned(), json!({}))]);
        let mut found = Violations::new();
        self.read_map(&whole, &mut found).ok_or(found)
    }

    /// The record, if nothing is wrong with it.
    fn read_map(&self, given: &Map<String, Value>, found: &mut Violations) -> Option<R> {
        let before = found.len();
        // Without a value, a kind has no fields.
        let mut filled = given.clone();
        for (key, value) in &mut filled {
            if value.is_null() && self.bare.contains(&key.as_str()) {
                *value = json!({});
            }
        }
        let here = |kind: &&&str| given.contains_key(**kind);
        let kinds: Vec<&str> = self.kinds.iter().filter(here).copied().collect();
        let mut record = R::blank();
        let mut reader = Reader::new(&filled, found);
        read_fields(&mut reader, &mut record);
        match kinds.as_slice() {
            [kind] if filled.get(*kind).is_some_and(Value::is_null) => {
                reader.wrong(kind, "is missing", "");
            }
            [_] => {}
            several => {
                let others = self
                    .misnamed
                    .iter()
                    .filter(|(key, _)| given.contains_key(*key));
                // Who wrote an old word is told the new one, and not that there is none.
                if !several.is_empty() || others.count() == 0 {
                    let rule = format!("has exactly one of {}", self.kinds.join(", "));
                    reader.wrong("", rule, several.join(", "));
                }
            }
        }
        reader.finish();
        (found.len() == before).then_some(record)
    }
}

impl<R: Record> Form<R> for Exactly<R> {
    fn read(&self, value: &Value) -> Result<R, Violations> {
        if let Some(word) = value.as_str() {
            return self.of_word(word);
        }
        let mut found = Violations::new();
        self.read_map(map(value)?, &mut found).ok_or(found)
    }

    fn write(&self, value: &R, defaults: Defaults) -> Value {
        let entries = write_fields(value, defaults);
        let entries = entries.into_iter();
        Value::Object(
            entries
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    }

    fn describe(&self) -> Value {
        let mut whole = describe_fields::<R>();
        let kinds: Vec<Value> = self
            .kinds
            .iter()
            .map(|kind| json!({ "required": [kind] }))
            .collect();
        whole.insert("oneOf".to_owned(), json!(kinds));
        if let Some(properties) = whole.get_mut("properties").and_then(Value::as_object_mut) {
            for kind in self.bare {
                if let Some(property) = properties.get_mut(*kind) {
                    let about = property.get("description").cloned();
                    *property = json!({ "anyOf": [property.take(), { "type": "null" }] });
                    if let (Some(property), Some(about)) = (property.as_object_mut(), about) {
                        property.insert("description".to_owned(), about);
                    }
                }
            }
        }
        if self.bare.is_empty() {
            return Value::Object(whole);
        }
        json!({ "anyOf": [whole, { "enum": self.bare }] })
    }
}

/// A kind that has no fields: an empty map.
#[derive(Debug, Clone, Copy)]
pub struct Unit;

impl Form<()> for Unit {
    fn read(&self, value: &Value) -> Result<(), Violations> {
        if value.as_object().is_some_and(Map::is_empty) {
            return Ok(());
        }
        Err(Violation::new("", "is an empty map: {}", shown(value)).into())
    }

    fn write(&self, _value: &(), _defaults: Defaults) -> Value {
        json!({})
    }

    fn describe(&self) -> Value {
        json!({ "type": "object", "additionalProperties": false })
    }
}
