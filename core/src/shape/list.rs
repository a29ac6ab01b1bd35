//! Lists, and maps whose keys are names that a user gives.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::form::{Defaults, Form};
use super::reader::{map, shown};
use crate::error::{Violation, Violations};

/// A list of values of one form.
#[derive(Debug, Clone, Copy)]
pub struct List<F> {
    /// Of each.
    pub form: F,
    /// What is wrong with what is no list, or too short.
    pub rule: &'static str,
    /// The least number of values.
    pub least: usize,
    /// The greatest number of values.
    pub most: usize,
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

    fn check(&self, value: &Vec<T>, found: &mut Violations) {
        if value.len() > self.most {
            let rule = format!("has at most {} entries", self.most);
            found.add("", rule, value.len());
        }
        for (at, entry) in value.iter().enumerate() {
            let mut of_entry = Violations::new();
            self.form.check(entry, &mut of_entry);
            found.merge(of_entry.prefix(&format!("[{at}]")));
        }
    }
}

/// A map from names to values of one form.
#[derive(Debug, Clone, Copy)]
pub struct Named<F> {
    /// Of each.
    pub form: F,
    /// The pattern of the names; they are checked where the value is, and described here.
    pub names: &'static str,
    /// The greatest number of them, likewise.
    pub most: usize,
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
