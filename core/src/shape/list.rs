//! Lists, and maps whose keys are names that a user gives.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::form::{Defaults, Form};
use super::reader::{map, shown};
use crate::error::{Violation, Violations};

/// A list of values of one form.
pub(crate) struct List<F> {
    /// Of each.
    pub(crate) form: F,
    /// What is wrong with what is no list, or too short.
    pub(crate) rule: &'static str,
    /// The least number of values.
    pub(crate) least: usize,
    /// The greatest number of values; checked where the value is, and described here.
    pub(crate) most: usize,
}

impl<T, F: Form<T>> Form<Vec<T>> for List<F> {
    fn read(&self, value: &Value) -> Result<Vec<T>, Violations> {
        let list = value
            .as_array()
            .filter(|list| list.len() >= self.least)
            .ok_or_else(|| Violation::new("", self.rule, shown(value)))?;
        let mut found = Violations::new();
        let read = list.iter().enumerate().filter_map(|(at, entry)| {
            let entry = self.form.read(entry);
            found.keep(entry.map_err(|wrong| wrong.prefix(&format!("[{at}]"))))
        });
        let read = read.collect();
        found.into_result().map(|()| read)
    }

    fn write(&self, value: &Vec<T>, defaults: Defaults) -> Value {
        let entries = value.iter().map(|entry| self.form.write(entry, defaults));
        Value::Array(entries.collect())
    }

    fn describe(&self) -> Value {
        json!({ "type": "array", "items": self.form.describe(), "minItems": self.least, "maxItems": self.most })
    }
}

/// A map from names to values of one form.
pub(crate) struct Named<F> {
    /// Of each.
    pub(crate) form: F,
    /// The pattern of the names; they are checked where the value is, and described here.
    pub(crate) names: &'static str,
    /// The greatest number of them, likewise.
    pub(crate) most: usize,
}

impl<T, F: Form<T>> Form<BTreeMap<String, T>> for Named<F> {
    fn read(&self, value: &Value) -> Result<BTreeMap<String, T>, Violations> {
        let mut found = Violations::new();
        let read = map(value)?.iter().filter_map(|(name, value)| {
            let read = self.form.read(value);
            let read = found.keep(read.map_err(|wrong| wrong.prefix(name)))?;
            Some((name.clone(), read))
        });
        let read = read.collect();
        found.into_result().map(|()| read)
    }

    fn write(&self, value: &BTreeMap<String, T>, defaults: Defaults) -> Value {
        let entries = value
            .iter()
            .map(|(name, value)| (name.clone(), self.form.write(value, defaults)));
        Value::Object(entries.collect())
    }

    fn describe(&self) -> Value {
        json!({
            "type": "object",
            "propertyNames": { "pattern": self.names },
            "additionalProperties": self.form.describe(),
            "maxProperties": self.most,
        })
    }
}
