//! One job of a manifest.

use bytes::Bytes;
use serde_json::Value;

use super::options::{read_options, set};
use super::reader::{Reader, instant, map, number, parsed, small_number, span_ms, text};
use super::{model, policy, routing, trigger};
use crate::error::{Violation, Violations};
use crate::id::{GroupName, HandlerName, JobName};
use crate::job::{JobSpec, Trigger};

/// Reads a job.
pub(super) fn read(value: &Value) -> Result<JobSpec, Violations> {
    let map = map(value)?;
    let mut found = Violations::new();
    let mut reader = Reader::new(map, &mut found);

    let name = read_name(&mut reader);
    let group = reader.get("group", parsed::<GroupName>).unwrap_or_default();
    let handler = reader.need("handler", parsed::<HandlerName>);
    let trigger = reader.need("trigger", trigger::read);
    // Placeholders let the rest be checked; with a mistake found, nobody gets to see them.
    let mut spec = JobSpec::new(
        name.unwrap_or_else(JobName::placeholder),
        group,
        handler.unwrap_or_else(HandlerName::placeholder),
        trigger.unwrap_or(Trigger::Api),
    );
    read_rest(&mut reader, &mut spec);
    reader.finish();

    if let Err(wrong) = spec.check() {
        found.merge(wrong.into_iter().map(in_manifest_words).collect());
    }
    found.into_result().map(|()| spec)
}

/// The name of a job, if that much is right.
pub(super) fn name_of(value: &Value) -> Option<JobName> {
    let mut ignored = Violations::new();
    read_name(&mut Reader::new(value.as_object()?, &mut ignored))
}

fn read_name(reader: &mut Reader<'_, '_>) -> Option<JobName> {
    let namespace = reader.get("namespace", text);
    reader.need("name", |value| {
        let name = text(value)?;
        let full = match namespace {
            Some(_) if name.contains('/') => {
                let rule = "has no slash when there is a namespace";
                return Err(Violation::new("", rule, name));
            }
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        };
        JobName::new(full).map_err(|wrong| wrong.at(""))
    })
}

fn read_rest(reader: &mut Reader<'_, '_>, spec: &mut JobSpec) {
    if let Some(body) = reader.raw("body") {
        spec.body = Bytes::from(body.to_string());
    }
    spec.start_at = reader.get("start_at", instant);
    spec.end_at = reader.get("end_at", instant);
    spec.max_runs = reader.get("max_runs", number);
    if let Some(note) = reader.get("note", text) {
        note.clone_into(&mut spec.note);
    }
    set(&mut spec.jitter_ms, reader.get("jitter", span_ms));
    set(&mut spec.misfire, reader.get("misfire", policy::misfire));
    set(&mut spec.overlap, reader.get("overlap", policy::overlap));
    set(
        &mut spec.ledger_limit,
        reader.get("ledger_limit", small_number),
    );
    set(&mut spec.runs_limit, reader.get("runs_limit", small_number));

    set(&mut spec.routing, reader.get("routing", routing::routing));
    set(&mut spec.workers, reader.get("workers", routing::workers));
    set(
        &mut spec.requires,
        reader.get("requires", routing::requires),
    );
    set(
        &mut spec.fairness,
        reader.get("fairness", routing::fairness),
    );

    set(
        &mut spec.options.retry,
        reader.get("retries", policy::retry),
    );
    read_options(reader, &mut spec.options);

    set(&mut spec.model, reader.get("model", model::read));
    spec.reduce = reader.get("reduce", parsed);
    set(&mut spec.reduce_on, reader.get("reduce_on", parsed));
    set(&mut spec.subtask, reader.get("subtask", model::subtask));
}

/// The paths of a spec's own check, in the words of the manifest.
fn in_manifest_words(violation: Violation) -> Violation {
    let field = violation.field.as_str();
    let known = match field {
        "trigger.period_ms" => "trigger.fixed_rate",
        "trigger.anchor_ms" => "trigger.fixed_rate.anchor",
        "trigger.delay_ms" => "trigger.fixed_delay",
        "trigger.seconds" => "trigger.second_delay",
        "trigger.at_ms" => "trigger.once",
        _ => field,
    };
    let known = known.strip_prefix("options.").unwrap_or(known);
    let known = known.strip_suffix("_ms").unwrap_or(known);
    let renamed = match (
        known.strip_prefix("retry."),
        known.strip_prefix("subtask.retry."),
    ) {
        (Some(rest), _) => format!("retries.{rest}"),
        (None, Some(rest)) => format!("subtask.{rest}"),
        (None, None) => known.to_owned(),
    };
    violation.at(renamed)
}
