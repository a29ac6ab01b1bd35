//! Fields of an object, taken one by one: what has the wrong type is refused, and what nobody took is told.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::import::draft::{Draft, Reason};

const UNKNOWN: Reason = Reason {
    why: "the import knows nothing that it could become",
    todo: "see whether the job needs it, and let the handler do it",
};

/// The fields of one map.
pub(super) struct Fields<'a> {
    /// Its path, with a dot behind it.
    path: &'static str,
    map: &'a Map<String, Value>,
    taken: BTreeSet<&'static str>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(path: &'static str, map: &'a Map<String, Value>) -> Self {
        let taken = BTreeSet::new();
        Self { path, map, taken }
    }

    fn get(&mut self, key: &'static str) -> Option<&'a Value> {
        self.taken.insert(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// A field that means nothing to a job.
    pub(super) fn pass(&mut self, key: &'static str) {
        self.taken.insert(key);
    }

    pub(super) fn text(&mut self, key: &'static str, draft: &mut Draft) -> Option<&'a str> {
        let value = self.get(key)?;
        self.typed(value.as_str(), key, "is text", draft)
    }

    pub(super) fn whole(&mut self, key: &'static str, draft: &mut Draft) -> Option<u64> {
        let value = self.get(key)?;
        self.typed(value.as_u64(), key, "is a whole number from 0 on", draft)
    }

    pub(super) fn truth(&mut self, key: &'static str, draft: &mut Draft) -> Option<bool> {
        let value = self.get(key)?;
        self.typed(value.as_bool(), key, "is true or false", draft)
    }

    pub(super) fn map(
        &mut self,
        key: &'static str,
        draft: &mut Draft,
    ) -> Option<&'a Map<String, Value>> {
        let value = self.get(key)?;
        self.typed(value.as_object(), key, "is a map", draft)
    }

    pub(super) fn list(&mut self, key: &'static str, draft: &mut Draft) -> Option<&'a Vec<Value>> {
        let value = self.get(key)?;
        self.typed(value.as_array(), key, "is a list", draft)
    }

    fn typed<T>(&self, value: Option<T>, key: &str, rule: &str, draft: &mut Draft) -> Option<T> {
        if value.is_none() {
            draft.refuse(format!("{}{key} {rule}", self.path));
        }
        value
    }

    /// Tells of every field that was not taken.
    pub(super) fn finish(self, draft: &mut Draft) {
        for (key, value) in self.map {
            if !self.taken.contains(key.as_str()) && !value.is_null() {
                let about = format!("{}{key}", self.path);
                draft.differs(&about, value.to_string(), "nothing", &UNKNOWN);
            }
        }
    }
}
