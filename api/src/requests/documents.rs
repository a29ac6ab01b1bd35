//! Jobs as documents, whose bodies keep their bytes.

use serde_json::{Map, Value};
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::job::JobSpec;
use tickwheel_core::manifest::{Kind, read_job};

use super::tree;

/// All of them.
pub(crate) fn documents(body: &[u8], most: usize) -> Result<Vec<JobSpec>, Violations> {
    let entries = tree::entries(body, most)?;
    let mut found = Violations::new();
    let mut jobs = Vec::with_capacity(entries.len());
    for (at, entry) in entries.into_iter().enumerate() {
        let read = document(entry.get()).map_err(|wrong| {
            if tree::is_list(body) {
                wrong.prefix(&format!("[{at}]"))
            } else {
                wrong
            }
        });
        jobs.extend(found.keep(read));
    }
    found.into_result().map(|()| jobs)
}

/// One of them. All that is wrong with it is told, also where its text has a key twice.
pub(crate) fn document(text: &str) -> Result<JobSpec, Violations> {
    let mut found = Violations::new();
    match tree::object(text, &mut found) {
        Some(map) => read(map, found),
        None => Err(found),
    }
}

/// The one that stands under `name`, which it may say once more.
pub(crate) fn named_document(name: &str, text: &str) -> Result<JobSpec, Violations> {
    let mut found = Violations::new();
    let Some(mut map) = tree::object(text, &mut found) else {
        return Err(found);
    };
    let own = Value::from(name);
    let other = map.get("name").filter(|given| !given.is_null());
    if let Some(other) = other.filter(|other| **other != own) {
        found.push(Violation::new("name", "is the one of the path", other));
    }
    map.insert("name".to_owned(), own);
    read(map, found)
}

fn read(map: Map<String, Value>, mut found: Violations) -> Result<JobSpec, Violations> {
    if map.get("kind").and_then(Value::as_str) == Some(Kind::Limits.as_str()) {
        let rule = "is Job: limits are put under /groups/{group}/limits";
        return Err(Violation::new("kind", rule, Kind::Limits.as_str()).into());
    }
    let spec = found.keep(read_job(&Value::Object(map)));
    match spec {
        Some(spec) if found.is_empty() => Ok(spec),
        Some(_) | None => Err(found),
    }
}
