//! Jobs and limits as documents: what is written is read again as the same.

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value, json};

use super::document::Kind;
use super::limits::LimitsSpec;
use crate::job::JobSpec;
use crate::shape::{Defaults, write_fields};

/// A document, its keys in the order in which a person writes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Written(Vec<(&'static str, Value)>);

impl Written {
    fn of(kind: Kind, fields: Vec<(&'static str, Value)>) -> Self {
        let mut entries = vec![("kind", json!(kind.as_str()))];
        entries.extend(fields);
        Self(entries)
    }

    /// The document as a value; the order of its keys is that of values.
    #[must_use]
    pub fn into_value(self) -> Value {
        let entries = self.0.into_iter();
        Value::Object(
            entries
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// The document of a job.
#[must_use]
pub fn write_job(spec: &JobSpec, defaults: Defaults) -> Written {
    Written::of(Kind::Job, write_fields(spec, defaults))
}

/// The document of a group's limits.
#[must_use]
pub fn write_limits(spec: &LimitsSpec, defaults: Defaults) -> Written {
    Written::of(Kind::Limits, write_fields(spec, defaults))
}
