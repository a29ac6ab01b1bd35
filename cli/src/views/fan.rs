//! A run that is split: how far its subtasks are, and the subtasks themselves.

use tickwheel_api::answers::{Fan, Subtask, SubtaskPage};

use super::bytes::bytes_text;
use crate::failure::Failure;
use crate::instant;
use crate::output::{Format, Row, screen, table};

/// Characters of a body or an error in a row.
const CELL_CHARS_MAX: usize = 60;

/// On one line: counts, share, and when it may be done.
pub(super) fn fan_text(fan: &Fan) -> String {
    let ended = fan.succeeded.saturating_add(fan.failed);
    let of = if fan.open { " so far" } else { "" };
    let mut text = format!(
        "{}: {ended} of {}{of} ended ({} %)",
        fan.model, fan.total, fan.percent
    );
    for (count, word) in [
        (fan.failed, "failed"),
        (fan.running, "running"),
        (fan.waiting, if fan.ended { "never run" } else { "waiting" }),
    ] {
        if count > 0 {
            text += &format!(", {count} {word}");
        }
    }
    if let Some(eta_ms) = fan.eta_ms {
        text += &format!("; about {} left", instant::span(eta_ms));
    }
    if !fan.reduce.is_empty() && !fan.ended {
        text += &format!("; then {}", fan.reduce);
    }
    text
}

fn body_cell(subtask: &Subtask) -> String {
    let text = bytes_text(subtask.body_text.as_deref(), subtask.body_base64.as_deref());
    if subtask.result_bytes > subtask.body_bytes {
        text + "…"
    } else {
        text
    }
}

impl Row for Subtask {
    const HEADERS: &'static [&'static str] = &[
        "id", "state", "handler", "attempt", "failed", "worker", "body", "error",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.state.clone(),
            self.handler.clone(),
            self.attempt.to_string(),
            self.failures.to_string(),
            self.worker.clone(),
            cut(&body_cell(self)),
            cut(&self.error),
        ]
    }
}

/// The beginning of a text, on one line.
fn cut(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.len() == text.len() && line.chars().nth(CELL_CHARS_MAX).is_none() {
        return line.to_owned();
    }
    line.chars().take(CELL_CHARS_MAX).chain(['…']).collect()
}

/// Prints a list of subtasks, under how far they are.
pub(crate) fn print_subtasks(page: &SubtaskPage, format: Format) -> Result<(), Failure> {
    format.thing(page, || text(page))
}

fn text(page: &SubtaskPage) -> String {
    let mut text = page.fan.as_ref().map(fan_text).unwrap_or_default();
    text += if text.is_empty() { "" } else { "\n" };
    text += &table(&page.items, screen());
    if !page.next_cursor.is_empty() {
        text += &format!("there may be more: --page-token {}\n", page.next_cursor);
    }
    text
}

#[cfg(test)]
mod tests {
    use tickwheel_proto::v1;

    use super::*;

    fn fan() -> v1::FanProgress {
        v1::FanProgress {
            model: "map".to_owned(),
            total: 200,
            succeeded: 48,
            failed: 2,
            running: 10,
            waiting: 140,
            open: false,
            eta_ms: Some(12_000),
            reduce: "sum".to_owned(),
            ended: false,
        }
    }

    #[test]
    fn counts_share_and_estimate_stand_on_one_line() {
        let text = |fan: v1::FanProgress| fan_text(&Fan::from(fan));
        assert_eq!(
            text(fan()),
            "map: 50 of 200 ended (25 %), 2 failed, 10 running, 140 waiting; about 12.0 s left; then sum"
        );
        let over = v1::FanProgress {
            ended: true,
            running: 0,
            eta_ms: None,
            ..fan()
        };
        assert_eq!(
            text(over),
            "map: 50 of 200 ended (25 %), 2 failed, 140 never run"
        );
        let begun = v1::FanProgress {
            model: "broadcast".to_owned(),
            open: true,
            ..v1::FanProgress::default()
        };
        assert_eq!(text(begun), "broadcast: 0 of 0 so far ended (0 %)");
    }

    #[test]
    fn a_list_has_its_progress_above_and_its_end_below() {
        let subtask = v1::SubtaskView {
            id: "3.5.f~7@a/b".to_owned(),
            state: "failed".to_owned(),
            handler: "shop".to_owned(),
            attempt: 3,
            failures: 3,
            worker: "w-1".to_owned(),
            error: "first line\nsecond".to_owned(),
            body: "{\"shop\":7}".into(),
            claimed_ms: 5_000,
            ended_ms: 6_000,
            result_bytes: 0,
        };
        let page = SubtaskPage::from(v1::ListSubtasksResponse {
            subtasks: vec![subtask],
            next_page_token: "t".to_owned(),
            unreadable: 0,
            fan: Some(fan()),
        });
        let text = text(&page);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("map: 50 of 200"), "{text}");
        assert!(lines[2].contains("{\"shop\":7}"), "{text}");
        assert!(lines[2].ends_with("first line…"), "{text}");
        assert_eq!(lines[3], "there may be more: --page-token t");
        let json = serde_json::to_value(&page).unwrap();
        assert_eq!(json["items"][0]["body_text"], "{\"shop\":7}");
        assert_eq!(json["fan"]["percent"], 25);
    }
}
