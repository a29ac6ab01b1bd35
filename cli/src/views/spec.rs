//! A job's definition for people, on one line.

use std::time::Duration;

use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_core::time::format_duration;

/// The trigger on one line.
pub(super) fn trigger_text(spec: &JobSpec) -> String {
    match &spec.trigger {
        Trigger::Cron {
            expression,
            time_zone,
        } => format!("cron {expression} {time_zone}"),
        Trigger::FixedRate { period_ms, .. } => format!("every {}", span(*period_ms)),
        Trigger::FixedDelay { delay_ms } => format!("{} after its end", span(*delay_ms)),
        Trigger::Once { at_ms } => format!("once {at_ms}"),
        Trigger::Manual => "on demand".to_owned(),
        Trigger::After { job, on } => format!("after {job} {on}"),
    }
}

/// The labels on one line.
pub(super) fn labels_text(spec: &JobSpec) -> String {
    let labels = spec.labels.iter();
    let labels: Vec<String> = labels
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    labels.join(" ")
}

pub(super) fn span(ms: u64) -> String {
    format_duration(Duration::from_millis(ms))
}
