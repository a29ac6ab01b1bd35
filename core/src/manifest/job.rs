//! The fields of a job in a file: the one declaration from which jobs are read, written, described and checked.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::body::{describe_body, read_body, write_body};
use super::context::placement;
use super::model::Split;
use super::options::options;
use super::policy::{MISFIRE, Overlaps};
use super::trigger::TRIGGER;
use crate::bounds::{
    DESCRIPTION_CHARS_MAX, FOLLOWED_BY_MAX, LABEL_CHARS_MAX, LABELS_MAX, LEDGER_MAX, RUNS_MAX,
};
use crate::error::Violation;
use crate::id::{GroupName, HandlerName, JobName, Namespace};
use crate::job::{JobSpec, Trigger};
use crate::shape::{
    Defaults, Form, List, Maybe, Name, Named, Parsed, Part, Reader, Record, SPAN, TEXT, Text, Via,
    Visitor, WHEN, Whole, needed, optional, place, stated,
};

impl Record for JobSpec {
    fn blank() -> Self {
        let (name, handler) = (JobName::placeholder(), HandlerName::placeholder());
        Self::new(name, GroupName::default(), handler, Trigger::Manual)
    }

    fn usual(&self) -> Self {
        let (name, group) = (self.name.clone(), self.group.clone());
        Self::new(name, group, self.handler.clone(), self.trigger.clone())
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        identity(visit);
        times(visit);
        runs(visit);
        visit.misnamed("note", "is called `description`");
        visit.misnamed("requires", "is called `resources`");
        visit.misnamed("reduce", "belongs in `model`");
        visit.misnamed("reduce_on", "belongs in `model`");
        visit.misnamed("subtask", "belongs in `model`");
    }
}

/// What it is called, and what it runs.
fn identity(visit: &mut impl Visitor<JobSpec>) {
    visit.part(&FullName);
    visit.field(
        optional("description", "For people: what it does, whom to ask."),
        Text {
            most: DESCRIPTION_CHARS_MAX,
        },
        place!(JobSpec: description),
    );
    visit.field(
        optional("labels", "Names and values by which people find it."),
        LABELS,
        place!(JobSpec: labels),
    );
    visit.field(
        stated("group", "Workers of this group run it."),
        Name,
        place!(JobSpec: group),
    );
    visit.field(
        needed("handler", "What they run."),
        Name,
        place!(JobSpec: handler),
    );
    visit.field(
        needed("trigger", "When it is due."),
        TRIGGER,
        place!(JobSpec: trigger),
    );
    visit.field(
        optional(
            "followed_by",
            "Namespaces whose jobs may follow it by `after`; those of its own namespace always may.",
        ),
        NAMESPACES,
        place!(JobSpec: followed_by),
    );
    visit.part(&Body);
}

/// When it is due, and what becomes of a due time.
fn times(visit: &mut impl Visitor<JobSpec>) {
    visit.field(
        optional("start_at", "No due time lies before this instant."),
        Maybe(WHEN),
        place!(JobSpec: start_at),
    );
    visit.field(
        optional("end_at", "No due time lies after this instant."),
        Maybe(WHEN),
        place!(JobSpec: end_at),
    );
    visit.field(
        optional("max_runs", "Scheduled firings in all."),
        Maybe(Whole::of(1, u64::MAX)),
        place!(JobSpec: max_runs),
    );
    visit.field(
        optional(
            "jitter",
            "A firing is moved by up to this, never as far as the next one.",
        ),
        SPAN,
        place!(JobSpec: jitter_ms),
    );
    visit.field(
        optional(
            "misfire",
            "What becomes of due times that are noticed too late.",
        ),
        MISFIRE,
        place!(JobSpec: misfire),
    );
    visit.field(
        optional(
            "overlap",
            "What a firing does while an earlier one is active.",
        ),
        Overlaps,
        place!(JobSpec: overlap),
    );
}

/// What holds for its contexts, and how many of them are kept.
fn runs(visit: &mut impl Visitor<JobSpec>) {
    options(visit, place!(JobSpec: options));
    placement(
        visit,
        (place!(JobSpec: routing), place!(JobSpec: workers)),
        place!(JobSpec: resources),
        place!(JobSpec: fairness),
    );
    visit.part(&Split);
    visit.field(
        optional("ledger_limit", "Ledger records kept."),
        Whole::of(1, LEDGER_MAX.into()),
        place!(JobSpec: ledger_limit),
    );
    visit.field(
        optional("runs_limit", "Ended contexts kept."),
        Whole::of(1, RUNS_MAX.into()),
        place!(JobSpec: runs_limit),
    );
}

const NAMESPACES: Via<List<Parsed>, Vec<Namespace>, BTreeSet<Namespace>> = Via {
    form: List {
        form: Parsed {
            pattern: "^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$",
        },
        rule: "is a list of namespaces",
        least: 0,
        most: FOLLOWED_BY_MAX,
    },
    read: |given| Ok(given.into_iter().collect()),
    write: |kept| kept.iter().cloned().collect(),
};

const LABELS: Named<Text> = Named {
    form: Text {
        most: LABEL_CHARS_MAX,
    },
    names: "^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$",
    most: LABELS_MAX,
};

/// The keys of a body, which are one field of a job.
struct Body;

impl Part<JobSpec> for Body {
    fn read(&self, reader: &mut Reader<'_, '_>, into: &mut JobSpec) {
        if let Some(body) = read_body(reader) {
            into.body = body;
        }
    }

    fn write(&self, from: &JobSpec, _defaults: Defaults, entries: &mut Vec<(&'static str, Value)>) {
        if !from.body.is_empty() {
            entries.push(write_body(&from.body));
        }
    }

    fn describe(&self, properties: &mut Map<String, Value>) -> Vec<&'static str> {
        describe_body(properties);
        Vec::new()
    }
}

/// The keys `name` and `namespace`, which are one field of a job.
struct FullName;

impl Part<JobSpec> for FullName {
    fn read(&self, reader: &mut Reader<'_, '_>, into: &mut JobSpec) {
        let namespace = reader.get("namespace", |value| TEXT.read(value));
        let name = reader.need("name", |value| {
            let name = TEXT.read(value)?;
            let full = match namespace {
                Some(_) if name.contains('/') => {
                    let rule = "has no slash when there is a namespace";
                    return Err(Violation::new("", rule, name).into());
                }
                Some(namespace) => format!("{namespace}/{name}"),
                None => name,
            };
            JobName::new(full).map_err(|wrong| crate::error::Violations::from(wrong.at("")))
        });
        if let Some(name) = name {
            into.name = name;
        }
    }

    fn write(&self, from: &JobSpec, _defaults: Defaults, entries: &mut Vec<(&'static str, Value)>) {
        entries.push(("name", json!(from.name.as_str())));
    }

    fn describe(&self, properties: &mut Map<String, Value>) -> Vec<&'static str> {
        let about = [
            (
                "name",
                "namespace/name; a name without a slash is in the namespace `default`.",
            ),
            ("namespace", "For a name without a slash."),
        ];
        for (key, about) in about {
            let mut schema = Form::<JobName>::describe(&Name);
            if let Some(map) = schema.as_object_mut() {
                map.insert("description".to_owned(), json!(about));
            }
            properties.insert(key.to_owned(), schema);
        }
        vec!["name"]
    }
}

/// The paths of a spec's own check, in the words of a file.
pub(super) fn in_words(violation: Violation) -> Violation {
    let field = violation.field.as_str();
    let known = match field {
        "trigger.period_ms" => "trigger.fixed_rate",
        "trigger.anchor_ms" => "trigger.fixed_rate.anchor",
        "trigger.delay_ms" => "trigger.fixed_delay",
        "trigger.at_ms" => "trigger.once",
        _ => field,
    };
    let known = known.strip_prefix("options.").unwrap_or(known);
    let known = known.strip_suffix("_ms").unwrap_or(known);
    let first = known.split('.').next().unwrap_or_default();
    let renamed = if ["reduce", "reduce_on", "subtask"].contains(&first) {
        format!("model.{known}").replace(".retry.", ".retries.")
    } else if let Some(rest) = known.strip_prefix("retry.") {
        format!("retries.{rest}")
    } else {
        known.to_owned()
    };
    violation.at(renamed)
}
