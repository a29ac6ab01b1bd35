//! The next due times, one row each.

use serde::Serialize;
use tickwheel_api::answers::Preview;
use tickwheel_core::TimestampMs;
use tickwheel_core::time::render_in_zone;

use crate::failure::Failure;
use crate::output::{Format, Row, screen, table};

/// One due time, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct DueRow {
    job: String,
    due: String,
    note: String,
}

impl Row for DueRow {
    const HEADERS: &'static [&'static str] = &["job", "due", "note"];

    fn cells(&self) -> Vec<String> {
        vec![self.job.clone(), self.due.clone(), self.note.clone()]
    }
}

/// Prints when jobs are due.
pub(crate) fn print_previews(previews: &[Preview], format: Format) -> Result<(), Failure> {
    format.thing(&previews, || table(&rows(previews), screen()))
}

/// One row for each due time, in the zone of the job; a note gets a row of its own.
fn rows(previews: &[Preview]) -> Vec<DueRow> {
    let mut rows = Vec::new();
    for preview in previews {
        rows.extend(preview.due_ms.iter().map(|ms| DueRow {
            job: preview.job.clone(),
            due: in_zone(*ms, &preview.zone),
            note: String::new(),
        }));
        if !preview.note.is_empty() {
            rows.push(DueRow {
                job: preview.job.clone(),
                due: String::new(),
                note: preview.note.clone(),
            });
        }
    }
    rows
}

fn in_zone(ms: u64, zone: &str) -> String {
    render_in_zone(TimestampMs::new(ms), zone).unwrap_or_else(|_| crate::instant::text(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_are_shown_in_the_zone_of_the_job() {
        let preview = Preview {
            job: "a/b".to_owned(),
            due_ms: vec![1_767_225_600_000],
            zone: "Asia/Tokyo".to_owned(),
            note: "it ends there".to_owned(),
        };
        let rows = rows(&[preview]);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].due, "2026-01-01T09:00:00+09:00");
        assert_eq!(rows[1].note, "it ends there");
    }
}
