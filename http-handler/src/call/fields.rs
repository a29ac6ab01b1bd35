//! Reads the keys of one map of JSON: each value by a function, each mistake under its key, unknown keys at the end.
//!
//! Values stay as they were written until somebody reads them: the body of a call is sent on with every digit that it has.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;
use tickwheel_core::error::with_suggestion;
use tickwheel_core::{Violation, Violations};

/// A map being read.
pub(super) struct Fields {
    map: BTreeMap<String, Box<RawValue>>,
    known: Vec<&'static str>,
    found: Violations,
}

impl Fields {
    /// Begins to read a map.
    pub(super) fn of(json: &str) -> Result<Self, Violation> {
        let map = serde_json::from_str(json);
        Ok(Self {
            map: map.map_err(|_| Violation::new("", "is a map", json))?,
            known: Vec::new(),
            found: Violations::new(),
        })
    }

    /// The value of a key, as it was written; `null` counts as absent.
    pub(super) fn raw(&mut self, key: &'static str) -> Option<&str> {
        self.known.push(key);
        let value = self.map.get(key).map(|value| value.get());
        value.filter(|value| *value != "null")
    }

    /// The value of a key, read by `read`; a mistake is kept under the key.
    pub(super) fn get<T, E: Into<Violations>>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let read = read(self.raw(key)?);
        let read = read.map_err(|wrong| wrong.into().prefix(key));
        self.found.keep(read)
    }

    /// Like [`Fields::get`], and a missing key is a mistake.
    pub(super) fn need<T, E: Into<Violations>>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.raw(key).is_none() {
            self.wrong(key, "is missing");
        }
        self.get(key, read)
    }

    /// Adds a mistake.
    pub(super) fn wrong(&mut self, key: &str, rule: impl Into<String>) {
        self.found.add(key, rule, "");
    }

    /// All mistakes, with every key that nobody asked for.
    pub(super) fn finish(mut self) -> Result<(), Violations> {
        for key in self.map.keys() {
            if !self.known.contains(&key.as_str()) {
                let known = self.known.iter().copied();
                let rule = with_suggestion("is not a known key", key, known);
                self.found.add(key.as_str(), rule, "");
            }
        }
        self.found.into_result()
    }
}

/// Text.
pub(super) fn text(json: &str) -> Result<String, Violation> {
    serde_json::from_str(json).map_err(|_| Violation::new("", "is text", json))
}

/// True or false.
pub(super) fn truth(json: &str) -> Result<bool, Violation> {
    serde_json::from_str(json).map_err(|_| Violation::new("", "is true or false", json))
}

/// A whole number of a range.
pub(super) fn whole(json: &str, least: u64, most: u64) -> Result<u64, Violation> {
    serde_json::from_str(json)
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| Violation::new("", format!("is a whole number of {least}..={most}"), json))
}

/// A list.
pub(super) fn list(json: &str) -> Result<Vec<Value>, Violation> {
    serde_json::from_str(json).map_err(|_| Violation::new("", "is a list", json))
}
