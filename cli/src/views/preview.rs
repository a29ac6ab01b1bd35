//! The next due times, one row each.

use serde::Serialize;
use tickwheel_core::TimestampMs;
use tickwheel_core::time::render_in_zone;
use tickwheel_proto::v1;

use crate::output::Row;

/// The answer for one job.
#[derive(Debug)]
pub(crate) struct PreviewView {
    name: String,
    answer: v1::PreviewJobResponse,
}

impl PreviewView {
    pub(crate) fn new(name: String, answer: v1::PreviewJobResponse) -> Self {
        Self { name, answer }
    }
}

/// One due time, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DueView {
    job: String,
    due_ms: Option<u64>,
    due: String,
    note: String,
}

impl Row for DueView {
    const HEADERS: &'static [&'static str] = &["job", "due", "note"];

    fn cells(&self) -> Vec<String> {
        vec![self.job.clone(), self.due.clone(), self.note.clone()]
    }
}

/// One row for each due time, in the zone of the job; a note gets a row of its own.
pub(crate) fn rows(previews: Vec<PreviewView>) -> Vec<DueView> {
    let mut rows = Vec::new();
    for PreviewView { name, answer } in previews {
        rows.extend(answer.due_ms.iter().map(|ms| DueView {
            job: name.clone(),
            due_ms: Some(*ms),
            due: in_zone(*ms, &answer.zone),
            note: String::new(),
        }));
        if !answer.note.is_empty() {
            rows.push(DueView {
                job: name,
                due_ms: None,
                due: String::new(),
                note: answer.note,
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
        let answer = v1::PreviewJobResponse {
            due_ms: vec![1_767_225_600_000],
            zone: "Asia/Tokyo".to_owned(),
            note: "it ends there".to_owned(),
        };
        let rows = rows(vec![PreviewView::new("a/b".to_owned(), answer)]);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].due, "2026-01-01T09:00:00+09:00");
        assert_eq!(rows[1].note, "it ends there");
    }
}
