//! A record as a value of another one.

use std::marker::PhantomData;

use serde_json::{Map, Value, json};

use super::form::{Defaults, Form};
use super::reader::{Reader, map};
use super::record::Record;
use super::walks::{describe_fields, read_fields, write_fields};
use crate::error::{Violation, Violations};

/// A map with the fields of a record. It may have a short form: a value that is no map stands for the map with one key.
#[derive(Debug)]
pub struct Fields<R> {
    short: Option<&'static str>,
    record: PhantomData<R>,
}

impl<R: Record> Fields<R> {
    /// The map alone.
    #[must_use]
    pub const fn map() -> Self {
        Self {
            short: None,
            record: PhantomData,
        }
    }

    /// The map, or the value of its key `short`.
    #[must_use]
    pub const fn or(short: &'static str) -> Self {
        Self {
            short: Some(short),
            record: PhantomData,
        }
    }
}

impl<R: Record> Form<R> for Fields<R> {
    fn read(&self, value: &Value) -> Result<R, Violations> {
        let mut found = Violations::new();
        let mut record = R::blank();
        match self.short {
            Some(key) if !value.is_object() => {
                let whole = Map::from_iter([(key.to_owned(), value.clone())]);
                let mut reader = Reader::new(&whole, &mut found);
                read_fields(&mut reader, &mut record);
                // What is wrong with the short form is wrong with the value itself.
                let of_value = |wrong: Violation| {
                    let field = wrong.field.strip_prefix(key).unwrap_or(&wrong.field);
                    let field = field.trim_start_matches('.').to_owned();
                    wrong.at(field)
                };
                found = found.into_iter().map(of_value).collect();
            }
            Some(_) | None => {
                let mut reader = Reader::new(map(value)?, &mut found);
                read_fields(&mut reader, &mut record);
                reader.finish();
            }
        }
        if !found.is_empty() {
            found.merge(record.check());
        }
        found.into_result().map(|()| record)
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
        let whole = describe_fields::<R>();
        let Some(key) = self.short else {
            return Value::Object(whole);
        };
        let mut short = whole
            .get("properties")
            .and_then(|properties| properties.get(key))
            .cloned()
            .unwrap_or_default();
        if let Some(short) = short.as_object_mut() {
            short.remove("default");
        }
        json!({ "anyOf": [whole, short] })
    }
}
