//! The four walks over a declaration.

use serde_json::{Map, Value, json};

use super::form::{Defaults, Form};
use super::place::Place;
use super::reader::Reader;
use super::record::{Field, Need, Part, Record, Visitor};
use crate::error::Violations;

/// Reads the fields of a record out of a map that is being read.
pub fn read_fields<S: Record>(reader: &mut Reader<'_, '_>, into: &mut S) {
    S::fields(&mut Reading { reader, into });
}

struct Reading<'r, 'a, 'f, S> {
    reader: &'r mut Reader<'a, 'f>,
    into: &'r mut S,
}

impl<S: 'static> Visitor<S> for Reading<'_, '_, '_, S> {
    fn field<T, F>(&mut self, field: Field, form: F, place: impl Place<S, T>)
    where
        T: PartialEq + 'static,
        F: Form<T>,
    {
        let read = if field.need == Need::Needed {
            self.reader.need(field.key, |value| form.read(value))
        } else {
            self.reader.get(field.key, |value| form.read(value))
        };
        if let Some(read) = read {
            *place.set(self.into) = read;
        }
    }

    fn part(&mut self, part: &impl Part<S>) {
        part.read(self.reader, self.into);
    }

    fn misnamed(&mut self, key: &'static str, rule: &'static str) {
        self.reader.misnamed(key, rule);
    }
}

/// The fields of a record with their keys, in the order of the declaration.
#[must_use]
pub fn write_fields<S: Record>(from: &S, defaults: Defaults) -> Vec<(&'static str, Value)> {
    let usual = from.usual();
    let mut writing = Writing {
        from,
        usual: &usual,
        defaults,
        entries: Vec::new(),
    };
    S::fields(&mut writing);
    writing.entries
}

struct Writing<'a, S> {
    from: &'a S,
    usual: &'a S,
    defaults: Defaults,
    entries: Vec<(&'static str, Value)>,
}

impl<S: 'static> Visitor<S> for Writing<'_, S> {
    fn field<T, F>(&mut self, field: Field, form: F, place: impl Place<S, T>)
    where
        T: PartialEq + 'static,
        F: Form<T>,
    {
        let own = place.get(self.from);
        let is_usual = field.need == Need::Optional && own == place.get(self.usual);
        if is_usual && self.defaults == Defaults::LeftOut {
            return;
        }
        let value = form.write(own, self.defaults);
        if !(value.is_null() || is_usual && is_nothing(&value)) {
            self.entries.push((field.key, value));
        }
    }

    fn part(&mut self, part: &impl Part<S>) {
        part.write(self.from, self.defaults, &mut self.entries);
    }

    fn misnamed(&mut self, _key: &'static str, _rule: &'static str) {}
}

/// Nothing was said, and nothing holds by default.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The JSON Schema of a map with the fields of a record and no others.
#[must_use]
pub fn describe_fields<S: Record>() -> Map<String, Value> {
    let blank = S::blank();
    let mut describing = Describing {
        blank: &blank,
        properties: Map::new(),
        needed: Vec::new(),
    };
    S::fields(&mut describing);
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), json!(describing.properties));
    if !describing.needed.is_empty() {
        schema.insert("required".to_owned(), json!(describing.needed));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

struct Describing<'a, S> {
    blank: &'a S,
    properties: Map<String, Value>,
    needed: Vec<&'static str>,
}

impl<S: 'static> Visitor<S> for Describing<'_, S> {
    fn field<T, F>(&mut self, field: Field, form: F, place: impl Place<S, T>)
    where
        T: PartialEq + 'static,
        F: Form<T>,
    {
        let mut schema = form.describe();
        if let Some(map) = schema.as_object_mut() {
            map.insert("description".to_owned(), json!(field.about));
            let usual = form.write(place.get(self.blank), Defaults::Written);
            if field.need != Need::Needed && !is_nothing(&usual) {
                map.insert("default".to_owned(), usual);
            }
        }
        if field.need == Need::Needed {
            self.needed.push(field.key);
        }
        self.properties.insert(field.key.to_owned(), schema);
    }

    fn part(&mut self, part: &impl Part<S>) {
        self.needed.extend(part.describe(&mut self.properties));
    }

    fn misnamed(&mut self, _key: &'static str, _rule: &'static str) {}
}

/// What is out of range in the fields of a record, by what their forms say of them.
#[must_use]
pub fn check_fields<S: Record>(of: &S) -> Violations {
    let found = Violations::new();
    let mut checking = Checking { of, found };
    S::fields(&mut checking);
    checking.found
}

struct Checking<'a, S> {
    of: &'a S,
    found: Violations,
}

impl<S: 'static> Visitor<S> for Checking<'_, S> {
    fn field<T, F>(&mut self, field: Field, form: F, place: impl Place<S, T>)
    where
        T: PartialEq + 'static,
        F: Form<T>,
    {
        let mut of_field = Violations::new();
        form.check(place.get(self.of), &mut of_field);
        self.found.merge(of_field.prefix(field.key));
    }

    fn part(&mut self, _part: &impl Part<S>) {}

    fn misnamed(&mut self, _key: &'static str, _rule: &'static str) {}
}
