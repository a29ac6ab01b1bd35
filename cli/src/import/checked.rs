//! What was made is read by the manifest parser before anybody gets to see it: what it does not take is an entry that is not imported.

use serde_json::{Map, Value};
use tickwheel_core::manifest::{Defaults, Document, Written, parse_documents, write_job};
use tickwheel_core::{JobSpec, TimestampMs, Violations};

use super::draft::Draft;
use super::report::Entry;
use crate::manifest::{BYTES_MAX, NODES_MAX, Source};
use crate::printable::is_obeyed;

/// Between two documents.
const SEPARATOR: &str = "---\n";

/// A document that the parser takes.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) name: String,
    yaml: String,
    nodes: usize,
}

/// Lets the parser read a document.
///
/// # Errors
/// Every rule that it breaks.
pub(super) fn check(
    document: &Map<String, Value>,
    now: TimestampMs,
) -> Result<Checked, Vec<String>> {
    let words =
        |wrong: Violations| -> Vec<String> { wrong.iter().map(ToString::to_string).collect() };
    let spec = job(&Value::Object(document.clone())).map_err(words)?;
    // A tracker would refuse it, and everything that is applied with it.
    spec.validate(now).map_err(words)?;
    let (yaml, nodes) = written(&spec).map_err(|why| vec![why])?;
    let name = spec.name.as_str().to_owned();
    Ok(Checked { name, yaml, nodes })
}

fn job(document: &Value) -> Result<JobSpec, Violations> {
    let read = parse_documents(document)?;
    let jobs = read.into_iter().filter_map(|one| match one {
        Document::Job(spec) => Some(*spec),
        Document::Limits(_) => None,
    });
    jobs.last().ok_or_else(Violations::new)
}

/// The YAML of a job, and how many values it has.
fn written(spec: &JobSpec) -> Result<(String, usize), String> {
    let document = write_job(spec, Defaults::LeftOut);
    let yaml = serde_saphyr::to_string(&document)
        .map_err(|error| format!("cannot be written as YAML: {error}"))?;
    let yaml = if yaml.chars().any(is_obeyed) {
        escaped(&document)?
    } else {
        yaml
    };
    let again = Source::new("import.yaml", yaml.as_str()).documents()?;
    let [value] = again.as_slice() else {
        return Err("cannot be written as one document of YAML".to_owned());
    };
    if job(value).ok().as_ref() != Some(spec) {
        return Err("cannot be written as YAML that is read again as the same job".to_owned());
    }
    Ok((yaml, nodes(value)))
}

/// The document in braces, with numbers in place of characters that a terminal would obey: what is printed may be looked at.
fn escaped(document: &Written) -> Result<String, String> {
    let json = serde_json::to_string_pretty(document)
        .map_err(|error| format!("cannot be written as JSON: {error}"))?;
    let mut yaml = String::with_capacity(json.len() + 64);
    for letter in json.chars() {
        if is_obeyed(letter) {
            let number = u32::from(letter);
            // Unlike JSON, YAML has one form for what lies beyond the first 65,536 characters.
            let form = if number > 0xffff {
                format!("\\U{number:08x}")
            } else {
                format!("\\u{number:04x}")
            };
            yaml.push_str(&form);
        } else {
            yaml.push(letter);
        }
    }
    yaml.push('\n');
    Ok(yaml)
}

/// Values, keys, lists and maps.
pub(super) fn nodes(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(nodes).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(|inner| 1 + nodes(inner)).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

/// The documents that there is room for in what `tickwheel apply` reads at once.
#[derive(Default)]
struct Room {
    documents: String,
    nodes: usize,
    /// Something did not fit: what follows is not tried, so that a hostile source costs no more.
    full: bool,
}

impl Room {
    fn put(&mut self, made: &Checked) -> bool {
        let bytes = self.documents.len() + SEPARATOR.len() + made.yaml.len();
        let fits = u64::try_from(bytes).is_ok_and(|bytes| bytes <= BYTES_MAX);
        self.full = !fits || self.nodes + made.nodes > NODES_MAX;
        if self.full {
            return false;
        }
        if !self.documents.is_empty() {
            self.documents.push_str(SEPARATOR);
        }
        self.documents.push_str(&made.yaml);
        self.nodes += made.nodes;
        true
    }
}

/// The documents of what can be imported, one after the other, and the entries of the report.
pub(super) fn finish(drafts: Vec<Draft>, now: TimestampMs) -> (String, Vec<Entry>) {
    let mut room = Room::default();
    let mut entries = Vec::with_capacity(drafts.len());
    for mut draft in drafts {
        let name = kept(&mut draft, &mut room, now);
        entries.push(Entry::new(draft, name));
    }
    (room.documents, entries)
}

/// The name of the job, when its document is kept.
fn kept(draft: &mut Draft, room: &mut Room, now: TimestampMs) -> Option<String> {
    if !draft.refusals.is_empty() {
        return None;
    }
    if !room.full {
        match check(&draft.document, now) {
            Ok(made) if room.put(&made) => return Some(made.name),
            Ok(_) => {}
            Err(wrong) => {
                let wrong = wrong.iter();
                let wrong = wrong.map(|rule| format!("the job would be wrong: {rule}"));
                draft.refusals.extend(wrong);
                return None;
            }
        }
    }
    draft.refuse(
        "the documents are as large as `tickwheel apply` reads at once: divide the source into several files",
    );
    None
}
