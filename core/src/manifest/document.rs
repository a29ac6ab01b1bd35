//! Documents: a map that says what it is, or a list of such maps.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::limits::LimitsSpec;
use super::{job, limits};
use crate::bounds::MANIFEST_DOCUMENTS_MAX;
use crate::error::{Violation, Violations, with_suggestion};
use crate::job::JobSpec;
use crate::shape::Form as _;
use crate::shape::{Reader, Record as _, Words, map, read_fields, shown};
use crate::word::word_enum;

word_enum! {
    /// What a document is.
    Kind {
        /// A job.
        Job = "Job",
        /// The limits of a group.
        Limits = "Limits",
    }
}

/// What a document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// A job.
    Job(Box<JobSpec>),
    /// The limits of a group.
    Limits(Box<LimitsSpec>),
}

impl Document {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Job(_) => Kind::Job,
            Self::Limits(_) => Kind::Limits,
        }
    }

    /// Whose it is: no other document of its kind has this name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Job(spec) => spec.name.as_str(),
            Self::Limits(spec) => spec.group.as_str(),
        }
    }
}

/// Reads documents: a map with a `kind`, or a list of such maps.
///
/// # Errors
/// All violations of all of them.
pub fn parse_documents(value: &Value) -> Result<Vec<Document>, Violations> {
    let Some(list) = value.as_array() else {
        return read_document(value).map(|document| vec![document]);
    };
    let mut found = Violations::new();
    if list.len() > MANIFEST_DOCUMENTS_MAX {
        let rule = format!("has at most {MANIFEST_DOCUMENTS_MAX} documents");
        return Err(Violation::new("", rule, list.len()).into());
    }
    let mut documents = Vec::with_capacity(list.len());
    let mut names: HashMap<(Kind, String), usize> = HashMap::new();
    for (at, value) in list.iter().enumerate() {
        let read = read_document(value).map_err(|wrong| wrong.prefix(&format!("[{at}]")));
        let Some(document) = found.keep(read) else {
            continue;
        };
        let name = (document.kind(), document.name().to_owned());
        if let Some(earlier) = names.get(&name) {
            let rule = format!("is used once; [{earlier}] has it already");
            found.add(format!("[{at}].{}", name_key(name.0)), rule, &name.1);
        } else {
            names.insert(name, at);
        }
        documents.push(document);
    }
    found.into_result().map(|()| documents)
}

/// The key with the name of a document.
const fn name_key(kind: Kind) -> &'static str {
    match kind {
        Kind::Job => "name",
        Kind::Limits => "group",
    }
}

fn read_document(value: &Value) -> Result<Document, Violations> {
    let whole = value.as_object().ok_or_else(|| {
        let rule = "is a map with a `kind`, or a list of such maps";
        Violation::new("", rule, shown(value))
    })?;
    match kind_of(whole) {
        Ok(Kind::Job) => read_job(value).map(|spec| Document::Job(Box::new(spec))),
        Ok(Kind::Limits) => read_limits(value).map(|spec| Document::Limits(Box::new(spec))),
        Err(wrong) => {
            let mut found = Violations::from(wrong);
            // What it seems to be is looked at as well: all mistakes come at once.
            if whole.contains_key("handler") || whole.contains_key("trigger") {
                found.keep(read_job(&without_kind(whole)));
            } else if whole.contains_key("group") {
                found.keep(read_limits(&without_kind(whole)));
            }
            Err(found)
        }
    }
}

fn kind_of(whole: &Map<String, Value>) -> Result<Kind, Violation> {
    let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let Some(value) = whole.get("kind").filter(|kind| !kind.is_null()) else {
        if whole.get("jobs").is_some_and(Value::is_array) {
            let rule =
                "is no document: each job is one, with `kind: Job`, and `---` stands between them";
            return Err(Violation::new("jobs", rule, ""));
        }
        let rule = format!("is missing; it is {}", words.join(" or "));
        return Err(Violation::new("kind", rule, ""));
    };
    let given = shown(value);
    given.parse().map_err(|_| {
        let rule = with_suggestion(&format!("is {}", words.join(" or ")), &given, words);
        Violation::new("kind", rule, given)
    })
}

fn without_kind(whole: &Map<String, Value>) -> Value {
    let mut rest = whole.clone();
    rest.remove("kind");
    Value::Object(rest)
}

/// Reads the map of a job; its `kind` may be missing.
///
/// # Errors
/// All violations of the job.
pub fn read_job(value: &Value) -> Result<JobSpec, Violations> {
    let mut found = Violations::new();
    let mut spec = JobSpec::blank();
    read_map(value, Kind::Job, &mut found, |reader| {
        read_fields(reader, &mut spec);
    })?;
    // Placeholders let the rest be checked; with a mistake found, nobody gets to see them.
    if let Err(wrong) = spec.check() {
        found.merge(wrong.into_iter().map(job::in_words).collect());
    }
    found.into_result().map(|()| spec)
}

/// Reads the map of a group's limits; its `kind` may be missing.
///
/// # Errors
/// All violations of the limits.
pub fn read_limits(value: &Value) -> Result<LimitsSpec, Violations> {
    let mut found = Violations::new();
    let mut spec = LimitsSpec::blank();
    read_map(value, Kind::Limits, &mut found, |reader| {
        read_fields(reader, &mut spec);
    })?;
    if let Err(wrong) = spec.limits.validate() {
        found.merge(wrong.into_iter().map(limits::in_words).collect());
    } else if spec.limits.is_empty() && found.is_empty() {
        let rule = "has a limit: concurrency, rate, per_key or keys; a group without limits has no document";
        found.add("", rule, "");
    }
    found.into_result().map(|()| spec)
}

fn read_map(
    value: &Value,
    kind: Kind,
    found: &mut Violations,
    read: impl FnOnce(&mut Reader<'_, '_>),
) -> Result<(), Violations> {
    let mut reader = Reader::new(map(value)?, found);
    let only: &'static [Kind] = match kind {
        Kind::Job => &[Kind::Job],
        Kind::Limits => &[Kind::Limits],
    };
    let word = Kind::as_str;
    reader.get("kind", |value| Words { all: only, word }.read(value));
    read(&mut reader);
    reader.finish();
    Ok(())
}
