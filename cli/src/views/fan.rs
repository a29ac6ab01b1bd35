//! A context that is split: how far its subtasks are, and the subtasks themselves.

use serde::Serialize;
use tickwheel_proto::v1;

use super::{bytes_text, bytes_value};
use crate::failure::Failure;
use crate::instant;
use crate::output::{Format, Row, screen, table};

/// Characters of a body or an error in a row.
const CELL_CHARS_MAX: usize = 60;

/// How far the subtasks of a context are.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FanView {
    pub(crate) model: String,
    /// Subtasks so far; more may come while `open`.
    pub(crate) total: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) running: u64,
    pub(crate) waiting: u64,
    pub(crate) open: bool,
    /// The run has ended: this is how far its subtasks were.
    pub(crate) ended: bool,
    /// Of those that are known, in whole percent.
    pub(crate) percent: u64,
    pub(crate) eta_ms: Option<u64>,
    pub(crate) reduce: String,
}

impl From<v1::FanProgress> for FanView {
    fn from(fan: v1::FanProgress) -> Self {
        let ended = fan.succeeded.saturating_add(fan.failed);
        Self {
            percent: ended.saturating_mul(100) / fan.total.max(1),
            model: fan.model,
            total: fan.total,
            succeeded: fan.succeeded,
            failed: fan.failed,
            running: fan.running,
            waiting: fan.waiting,
            open: fan.open,
            ended: fan.ended,
            eta_ms: fan.eta_ms,
            reduce: fan.reduce,
        }
    }
}

impl FanView {
    /// On one line: counts, share, and when it may be done.
    pub(crate) fn text(&self) -> String {
        let ended = self.succeeded.saturating_add(self.failed);
        let of = if self.open { " so far" } else { "" };
        let mut text = format!(
            "{}: {ended} of {}{of} ended ({} %)",
            self.model, self.total, self.percent
        );
        for (count, word) in [
            (self.failed, "failed"),
            (self.running, "running"),
            (
                self.waiting,
                if self.ended { "never run" } else { "waiting" },
            ),
        ] {
            if count > 0 {
                text += &format!(", {count} {word}");
            }
        }
        if let Some(eta_ms) = self.eta_ms {
            text += &format!("; about {} left", instant::span(eta_ms));
        }
        if !self.reduce.is_empty() && !self.ended {
            text += &format!("; then {}", self.reduce);
        }
        text
    }
}

/// A subtask as it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SubtaskView {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) handler: String,
    pub(crate) attempt: u32,
    pub(crate) failures: u32,
    pub(crate) worker: String,
    pub(crate) error: String,
    pub(crate) claimed_ms: u64,
    pub(crate) ended_ms: u64,
    /// Of one that succeeded: bytes that it returned; `body` may be their beginning.
    pub(crate) result_bytes: u64,
    pub(crate) body: serde_json::Value,
    #[serde(skip)]
    text: String,
}

impl From<v1::SubtaskView> for SubtaskView {
    fn from(subtask: v1::SubtaskView) -> Self {
        let kept = u64::try_from(subtask.body.len()).unwrap_or(u64::MAX);
        let more = if subtask.result_bytes > kept {
            "…"
        } else {
            ""
        };
        Self {
            text: bytes_text(&subtask.body) + more,
            body: bytes_value(&subtask.body),
            id: subtask.id,
            state: subtask.state,
            handler: subtask.handler,
            attempt: subtask.attempt,
            failures: subtask.failures,
            worker: subtask.worker,
            error: subtask.error,
            claimed_ms: subtask.claimed_ms,
            ended_ms: subtask.ended_ms,
            result_bytes: subtask.result_bytes,
        }
    }
}

impl Row for SubtaskView {
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
            cut(&self.text),
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

/// A list of subtasks, under how far they are.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SubtasksView {
    pub(crate) fan: Option<FanView>,
    pub(crate) subtasks: Vec<SubtaskView>,
    pub(crate) next_page_token: String,
}

impl SubtasksView {
    /// Takes over a page.
    pub(crate) fn add(&mut self, page: v1::ListSubtasksResponse) {
        self.subtasks
            .extend(page.subtasks.into_iter().map(SubtaskView::from));
        self.fan = page.fan.map(FanView::from);
        self.next_page_token = page.next_page_token;
    }

    pub(crate) fn print(&self, format: Format) -> Result<(), Failure> {
        format.thing(self, || self.text())
    }

    fn text(&self) -> String {
        let mut text = self.fan.as_ref().map(FanView::text).unwrap_or_default();
        text += if text.is_empty() { "" } else { "\n" };
        text += &table(&self.subtasks, screen());
        if !self.next_page_token.is_empty() {
            text += &format!("there may be more: --page-token {}\n", self.next_page_token);
        }
        text
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            FanView::from(fan()).text(),
            "map: 50 of 200 ended (25 %), 2 failed, 10 running, 140 waiting; about 12.0 s left; then sum"
        );
        let over = v1::FanProgress {
            ended: true,
            running: 0,
            eta_ms: None,
            ..fan()
        };
        assert_eq!(
            FanView::from(over).text(),
            "map: 50 of 200 ended (25 %), 2 failed, 140 never run"
        );
        let begun = v1::FanProgress {
            model: "broadcast".to_owned(),
            open: true,
            ..v1::FanProgress::default()
        };
        assert_eq!(
            FanView::from(begun).text(),
            "broadcast: 0 of 0 so far ended (0 %)"
        );
    }

    #[test]
    fn a_list_has_its_progress_above_and_its_end_below() {
        let mut view = SubtasksView::default();
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
        view.add(v1::ListSubtasksResponse {
            subtasks: vec![subtask],
            next_page_token: "t".to_owned(),
            unreadable: 0,
            fan: Some(fan()),
        });
        let text = view.text();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("map: 50 of 200"), "{text}");
        assert!(lines[2].contains("{\"shop\":7}"), "{text}");
        assert!(lines[2].ends_with("first line…"), "{text}");
        assert_eq!(lines[3], "there may be more: --page-token t");
        let json = serde_json::to_value(&view).unwrap();
        assert_eq!(json["subtasks"][0]["body"]["shop"], 7);
        assert_eq!(json["fan"]["percent"], 25);
    }
}
