//! The Job of a CronJob: how often it is tried, how long it may take, and into which parts it is split.

use serde_json::{Map, Value, json};
use tickwheel_core::bounds::ATTEMPTS_MAX;

use super::fields::Fields;
use super::pod;
use crate::import::draft::{Draft, Reason};
use crate::import::settings::Settings;

/// Pods of a Job that may fail when it does not say.
const BACKOFF_LIMIT: u64 = 6;

const ATTEMPTS: Reason = Reason {
    why: "a context has at most 1000 attempts",
    todo: "leave it, or let something else look after what fails so often",
};

const EACH: Reason = Reason {
    why: "Kubernetes counts failed Pods over all indexes, here each index has its own attempts",
    todo: "lower `model.subtask.retries.max_attempts`, if fewer will do",
};

const DEADLINE: Reason = Reason {
    why: "Kubernetes measures from the first Pod on, over all of them; here each attempt has its own time",
    todo: "lower `timeout` or `max_attempts`, if the whole must not take longer",
};

const COUNTED: Reason = Reason {
    why: "parts have numbers here, also where nobody looks at them",
    todo: "leave it; a handler that needs no number passes it over",
};

const QUEUE: Reason = Reason {
    why: "Pods that share out the work among themselves have no counterpart",
    todo: "let the handler map the items (docs/guides/map-reduce.md), or give the job an `indexed` model",
};

/// What holds for a Job and its Pods.
#[derive(Default)]
struct Limits {
    /// Failed Pods, over all indexes.
    backoff: Option<u64>,
    /// Failed Pods of one index.
    backoff_of_index: Option<u64>,
    failed_indexes: Option<u64>,
    completions: Option<u64>,
    parallelism: Option<u64>,
}

/// Writes retries, timeout, model, handler and body.
pub(super) fn convert(map: &Map<String, Value>, settings: &Settings, draft: &mut Draft) {
    let mut outer = Fields::new("spec.jobTemplate.", map);
    outer.pass("metadata");
    let spec = outer.map("spec", draft);
    outer.finish(draft);
    let Some(spec) = spec else {
        draft.refuse("has no spec.jobTemplate.spec");
        return;
    };
    let mut spec = Fields::new("spec.jobTemplate.spec.", spec);
    let limits = Limits {
        backoff: spec.whole("backoffLimit", draft),
        backoff_of_index: spec.whole("backoffLimitPerIndex", draft),
        failed_indexes: spec.whole("maxFailedIndexes", draft),
        completions: spec.whole("completions", draft),
        parallelism: spec.whole("parallelism", draft),
    };
    let indexed = match spec.text("completionMode", draft).unwrap_or("NonIndexed") {
        "NonIndexed" => false,
        "Indexed" => true,
        other => {
            draft.refuse(format!(
                "spec.jobTemplate.spec.completionMode is Indexed or NonIndexed, not {other}"
            ));
            return;
        }
    };
    let deadline = spec.whole("activeDeadlineSeconds", draft);
    let pod = pod::of(&mut spec, draft);
    spec.finish(draft);
    let timeout = timeout(deadline, pod.deadline);
    let attempts = split(&limits, indexed, timeout, draft);
    if let Some(deadline) = deadline.filter(|_| attempts > 1) {
        let was = format!("{deadline} s in all");
        let now = format!("timeout: {}s for each attempt", timeout.unwrap_or(deadline));
        draft.differs("activeDeadlineSeconds", was, now, &DEADLINE);
    }
    pod.write(settings, draft);
}

/// How long one attempt may take, in seconds: what ends first.
fn timeout(of_job: Option<u64>, of_pod: Option<u64>) -> Option<u64> {
    [of_job, of_pod].into_iter().flatten().min()
}

/// Writes the model, the retries and the timeout. Answers how many attempts the whole has, over all parts.
fn split(limits: &Limits, indexed: bool, timeout: Option<u64>, draft: &mut Draft) -> u64 {
    let parallelism = limits.parallelism.unwrap_or(1);
    if parallelism == 0 || limits.completions == Some(0) {
        draft.refuse("runs no Pod at all: its parallelism or its completions are 0");
        return 0;
    }
    if indexed && limits.completions.is_none() {
        draft.refuse("is Indexed and has no completions");
        return 0;
    }
    let completions = limits.completions.filter(|count| indexed || *count > 1);
    let Some(completions) = completions else {
        if limits.completions.is_none() && parallelism > 1 {
            draft.differs(
                "parallelism",
                format!("{parallelism} Pods"),
                "one run",
                &QUEUE,
            );
        }
        let attempts = attempts(limits.backoff.unwrap_or(BACKOFF_LIMIT), draft);
        for (key, value) in each(attempts, timeout) {
            draft.set(key, value);
        }
        return attempts;
    };
    let mut model = json!({ "completions": completions, "parallelism": parallelism });
    let own = limits.backoff_of_index.filter(|_| indexed);
    // With attempts for each index a failed one ends nothing but itself; without them the first one ends the whole.
    let max_failed = if own.is_some() {
        limits.failed_indexes
    } else {
        Some(0)
    };
    if let (Some(max_failed), Some(model)) = (max_failed, model.as_object_mut()) {
        model.insert("max_failed".to_owned(), json!(max_failed));
    }
    let attempts = attempts(own.or(limits.backoff).unwrap_or(BACKOFF_LIMIT), draft);
    if own.is_none() && attempts > 1 {
        let was = format!("backoffLimit: {}", attempts - 1);
        let now = format!("model.subtask.retries.max_attempts: {attempts}");
        draft.differs("backoffLimit", was, now, &EACH);
    }
    if !indexed {
        let was = format!("{completions} Pods without an index");
        draft.differs("completions", was, "model.indexed", &COUNTED);
    }
    let subtask: Map<String, Value> = each(attempts, timeout)
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    draft.set("model", json!({ "indexed": model, "subtask": subtask }));
    // The whole is split once: what fails is tried again part by part.
    draft.set("retries", json!({ "max_attempts": 1 }));
    attempts.saturating_mul(completions)
}

/// Attempts in all, where so many may fail.
fn attempts(failures: u64, draft: &mut Draft) -> u64 {
    let most = u64::from(ATTEMPTS_MAX);
    let attempts = failures.saturating_add(1);
    if attempts > most {
        draft.differs(
            "backoffLimit",
            failures.to_string(),
            format!("max_attempts: {most}"),
            &ATTEMPTS,
        );
    }
    attempts.min(most)
}

/// What holds for a context, or for each part of it. The back-off is that of Kubernetes: 10 seconds, doubled up to 6 minutes.
fn each(attempts: u64, timeout: Option<u64>) -> Vec<(&'static str, Value)> {
    let retries = if attempts == 1 {
        json!({ "max_attempts": 1 })
    } else {
        json!({ "max_attempts": attempts, "delay": "10s", "cap": "6m", "jitter": "none" })
    };
    let mut written = vec![("retries", retries)];
    if attempts == 1 {
        written.push(("on_lease_lost", json!("fail")));
    }
    if let Some(seconds) = timeout {
        written.push(("timeout", json!(format!("{seconds}s"))));
    }
    written
}
