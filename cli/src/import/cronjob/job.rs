//! One CronJob as a job: its name, its labels, and what its `spec` says of time.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tickwheel_core::bounds::{LABELS_MAX, MISFIRE_TOLERANCE_MS_DEFAULT, RUNS_MAX};
use tickwheel_core::labels;

use super::fields::Fields;
use super::{schedule, template};
use crate::import::draft::{Draft, PARALLEL, Reason};
use crate::import::settings::Settings;

const LABELS: Reason = Reason {
    why: "a job has at most 16 labels, with names and values of 63 characters of a smaller set",
    todo: "give it a shorter label, if people look for it by this one",
};

const ANNOTATIONS: Reason = Reason {
    why: "a job has no annotations",
    todo: "write what people have to know into `description`",
};

const SUSPENDED: Reason = Reason {
    why: "whether a job is paused is no part of its document, and a suspended one shall not start by being applied",
    todo: "put this trigger back when it is to run, or put it back, apply, and `tickwheel job pause` at once",
};

const FORBID: Reason = Reason {
    why: "Kubernetes makes up for a firing that it left out once the run before has ended; here it is left out for good",
    todo: "write `queue_one`, if one of those left out should run late",
};

const HISTORY: Reason = Reason {
    why: "ended runs are kept together, whether they succeeded or not",
    todo: "raise `runs_limit`, if failed ones have to stay longer",
};

/// Writes everything but the name.
pub(super) fn convert(
    whole: &Map<String, Value>,
    metadata: &Map<String, Value>,
    settings: &Settings,
    draft: &mut Draft,
) {
    let mut top = Fields::new("", whole);
    for key in ["kind", "apiVersion", "metadata", "status"] {
        top.pass(key);
    }
    let spec = top.map("spec", draft);
    top.finish(draft);
    about(metadata, draft);
    if let Some(group) = &settings.group {
        draft.set("group", json!(group.as_str()));
    }
    let Some(spec) = spec else {
        draft.refuse("has no spec");
        return;
    };
    let mut spec = Fields::new("spec.", spec);
    times(&mut spec, settings, draft);
    overlap(&mut spec, draft);
    history(&mut spec, draft);
    match spec.map("jobTemplate", draft) {
        Some(map) => template::convert(map, settings, draft),
        None => draft.refuse("has no spec.jobTemplate"),
    }
    spec.finish(draft);
}

fn about(metadata: &Map<String, Value>, draft: &mut Draft) {
    let mut fields = Fields::new("metadata.", metadata);
    let own = fields.map("labels", draft);
    let own = own.into_iter().flatten();
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in own {
        let text = value.as_str().unwrap_or_default();
        let one = BTreeMap::from([(name.clone(), text.to_owned())]);
        if value.is_string() && kept.len() < LABELS_MAX && labels::check(&one).is_ok() {
            kept.extend(one);
        } else {
            let was = format!("{name}: {value}");
            draft.differs("label", was, "nothing", &LABELS);
        }
    }
    if !kept.is_empty() {
        draft.set("labels", json!(kept));
    }
    let annotations = metadata.get("annotations").and_then(Value::as_object);
    let names = annotations
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str());
    // That one repeats the object for kubectl.
    let names: Vec<&str> = names
        .filter(|name| *name != "kubectl.kubernetes.io/last-applied-configuration")
        .collect();
    if !names.is_empty() {
        draft.differs("annotations", names.join(", "), "nothing", &ANNOTATIONS);
    }
}

fn times(spec: &mut Fields<'_>, settings: &Settings, draft: &mut Draft) {
    let zone = spec.text("timeZone", draft);
    let Some(schedule) = spec.text("schedule", draft) else {
        draft.refuse("has no spec.schedule");
        return;
    };
    let trigger = schedule::trigger(schedule, zone, settings, draft);
    if spec.truth("suspend", draft) == Some(true) {
        let was = format!("suspended, with {trigger}");
        draft.differs("suspend", was, "trigger: manual", &SUSPENDED);
        draft.set("trigger", json!("manual"));
    } else {
        draft.set("trigger", trigger);
    }
    // Of what was missed Kubernetes starts the newest, as `fire_once` does, if it is not older than this.
    if let Some(seconds) = spec.whole("startingDeadlineSeconds", draft) {
        let window_ms = seconds.saturating_mul(1_000);
        let mut misfire =
            json!({ "policy": "fire_once", "catch_up_window": format!("{seconds}s") });
        if window_ms < MISFIRE_TOLERANCE_MS_DEFAULT
            && let Some(misfire) = misfire.as_object_mut()
        {
            misfire.insert("tolerance".to_owned(), json!(format!("{seconds}s")));
        }
        draft.set("misfire", misfire);
    }
}

fn overlap(spec: &mut Fields<'_>, draft: &mut Draft) {
    match spec.text("concurrencyPolicy", draft).unwrap_or("Allow") {
        "Allow" => {
            draft.set("overlap", json!({ "policy": "parallel", "limit": 1_000 }));
            draft.differs(
                "concurrencyPolicy",
                "Allow",
                "overlap: parallel, limit 1000",
                &PARALLEL,
            );
        }
        "Forbid" => {
            draft.set("overlap", json!("discard"));
            draft.differs("concurrencyPolicy", "Forbid", "overlap: discard", &FORBID);
        }
        "Replace" => draft.set("overlap", json!("replace")),
        other => draft.refuse(format!(
            "spec.concurrencyPolicy is Allow, Forbid or Replace, not {other}"
        )),
    }
}

fn history(spec: &mut Fields<'_>, draft: &mut Draft) {
    let succeeded = spec.whole("successfulJobsHistoryLimit", draft);
    let failed = spec.whole("failedJobsHistoryLimit", draft);
    if succeeded.is_none() && failed.is_none() {
        return;
    }
    // What Kubernetes keeps when only the other one is said.
    let (succeeded, failed) = (succeeded.unwrap_or(3), failed.unwrap_or(1));
    let kept = succeeded.saturating_add(failed).clamp(1, RUNS_MAX.into());
    let was = format!("{succeeded} that succeeded, {failed} that failed");
    draft.differs("history", was, format!("runs_limit: {kept}"), &HISTORY);
    draft.set("runs_limit", json!(kept));
}
