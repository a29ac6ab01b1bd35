//! A job's definition: for people on one line, and as the document that can be applied again.

use std::time::Duration;

use serde_json::{Value, json};
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_core::manifest::{Defaults, write_job};
use tickwheel_core::time::format_duration;
use tickwheel_proto::v1;

/// The trigger on one line.
pub(super) fn trigger_text(spec: &v1::JobSpec) -> String {
    let trigger = spec.trigger.clone().unwrap_or_default();
    match Trigger::try_from(trigger) {
        Err(_) => "unknown".to_owned(),
        Ok(Trigger::Cron {
            expression,
            time_zone,
        }) => format!("cron {expression} {time_zone}"),
        Ok(Trigger::FixedRate { period_ms, .. }) => format!("every {}", span(period_ms)),
        Ok(Trigger::FixedDelay { delay_ms }) => format!("{} after its end", span(delay_ms)),
        Ok(Trigger::Once { at_ms }) => format!("once {at_ms}"),
        Ok(Trigger::Manual) => "on demand".to_owned(),
        Ok(Trigger::After { job, on }) => format!("after {job} {on}"),
    }
}

/// The labels on one line.
pub(super) fn labels_text(spec: &v1::JobSpec) -> String {
    let mut labels: Vec<String> = spec
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    labels.sort_unstable();
    labels.join(" ")
}

/// The document; only the name when the message cannot be read.
pub(super) fn spec_value(spec: &v1::JobSpec) -> Value {
    match JobSpec::try_from(spec.clone()) {
        Ok(spec) => write_job(&spec, Defaults::LeftOut).into_value(),
        Err(_) => json!({ "name": spec.name }),
    }
}

pub(super) fn span(ms: u64) -> String {
    format_duration(Duration::from_millis(ms))
}
