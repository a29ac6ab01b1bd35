mod cronjob;
mod crontab;
mod hostile;
mod xxl_job;

use tickwheel_core::TimestampMs;

use super::*;
use report::Outcome;

/// 2026-01-01.
const NOW: TimestampMs = TimestampMs::new(1_767_225_600_000);

fn settings() -> Settings {
    Settings {
        namespace: tickwheel_core::Namespace::default(),
        group: None,
        time_zone: Some("Europe/Berlin".to_owned()),
        handler: None,
        now: NOW,
    }
}

/// The documents of a source that is imported as a whole.
fn documents(kind: Kind, text: &str) -> String {
    let imported = import(kind, text, &settings()).unwrap();
    let report = imported.report.text();
    assert_eq!(imported.report.missing(), None, "{report}");
    imported.documents
}

/// What differs in the last entry of a source, as `about: was -> now`.
fn differences(kind: Kind, text: &str) -> Vec<String> {
    let imported = import(kind, text, &settings()).unwrap();
    let entry = imported.report.entries.last().unwrap();
    assert_ne!(entry.outcome, Outcome::NotImported, "{:?}", entry.reasons);
    let shown = entry.differences.iter();
    shown
        .map(|one| format!("{}: {} -> {}", one.about, one.was, one.now))
        .collect()
}

/// Why the last entry of a source is not imported.
fn refusals(kind: Kind, text: &str) -> String {
    let imported = import(kind, text, &settings()).unwrap();
    let entry = imported.report.entries.last().unwrap();
    assert_eq!(entry.outcome, Outcome::NotImported, "{text}");
    assert!(!entry.reasons.is_empty());
    entry.reasons.join("\n")
}
