//! A context: one planned execution.

use serde::Serialize;
use tickwheel_proto::v1;

use super::fan::FanView;
use super::log::LogLineView;
use super::{bytes_text, bytes_value};
use crate::instant;
use crate::output::{Detail, Row};

/// A context as it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ContextView {
    pub(crate) id: String,
    pub(crate) job: String,
    pub(crate) state: &'static str,
    pub(crate) group: String,
    pub(crate) handler: String,
    pub(crate) due_ms: u64,
    pub(crate) due: String,
    pub(crate) attempt: u32,
    pub(crate) failures: u32,
    pub(crate) priority: u32,
    pub(crate) worker: String,
    pub(crate) claimed_ms: u64,
    pub(crate) ended_ms: u64,
    pub(crate) lease_expires_ms: u64,
    pub(crate) next_attempt_ms: u64,
    pub(crate) waiting_reason: String,
    pub(crate) error: String,
    pub(crate) body: serde_json::Value,
    pub(crate) result: serde_json::Value,
    pub(crate) progress_percent: u32,
    pub(crate) progress_message: String,
    pub(crate) log: Vec<LogLineView>,
    /// The log has older lines.
    pub(crate) log_cut: bool,
    /// Bytes of a body that was not kept.
    pub(crate) body_dropped: u64,
    /// Attempts that ended without success.
    pub(crate) attempts: Vec<PastAttempt>,
    /// The end that fired it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upstream: Option<Upstream>,
    /// Of a context that is split into subtasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fan: Option<FanView>,
    #[serde(skip)]
    texts: [String; 2],
}

impl From<v1::Context> for ContextView {
    fn from(c: v1::Context) -> Self {
        Self {
            state: state_word(c.state()),
            due: instant::text(c.due_ms),
            texts: [bytes_text(&c.body), bytes_text(&c.result)],
            body: bytes_value(&c.body),
            result: bytes_value(&c.result),
            id: c.id,
            job: c.job,
            group: c.group,
            handler: c.handler,
            due_ms: c.due_ms,
            attempt: c.attempt,
            failures: c.failures,
            priority: c.priority,
            worker: c.worker,
            claimed_ms: c.claimed_ms,
            ended_ms: c.ended_ms,
            lease_expires_ms: c.lease_expires_ms,
            next_attempt_ms: c.next_attempt_ms,
            waiting_reason: c.waiting_reason,
            error: c.error,
            progress_percent: c.progress_percent,
            progress_message: c.progress_message,
            log: c.log.into_iter().map(LogLineView::from).collect(),
            log_cut: c.log_cut,
            body_dropped: c.body_dropped,
            attempts: c.attempts.into_iter().map(PastAttempt::from).collect(),
            upstream: c.upstream.map(Upstream::from),
            fan: c.fan.map(FanView::from),
        }
    }
}

/// The end of a context that fired this one.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Upstream {
    context_id: String,
    job: String,
    state: &'static str,
    error: String,
}

impl From<v1::Upstream> for Upstream {
    fn from(upstream: v1::Upstream) -> Self {
        Self {
            state: state_word(upstream.state()),
            context_id: upstream.context_id,
            job: upstream.job,
            error: upstream.error,
        }
    }
}

impl Upstream {
    fn line(&self) -> String {
        let why = if self.error.is_empty() { "" } else { ": " };
        format!("{} {}{why}{}", self.context_id, self.state, self.error)
    }
}

/// An attempt that ended without success.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PastAttempt {
    attempt: u32,
    worker: String,
    claimed_ms: u64,
    ended_ms: u64,
    outcome: String,
    error: String,
}

impl From<v1::PastAttempt> for PastAttempt {
    fn from(past: v1::PastAttempt) -> Self {
        Self {
            attempt: past.attempt,
            worker: past.worker,
            claimed_ms: past.claimed_ms,
            ended_ms: past.ended_ms,
            outcome: past.outcome,
            error: past.error,
        }
    }
}

impl PastAttempt {
    fn line(&self) -> String {
        let on = match self.worker.as_str() {
            "" => String::new(),
            worker => format!(
                " on {worker} after {}",
                instant::span(self.ended_ms.saturating_sub(self.claimed_ms))
            ),
        };
        format!(
            "{} {}{on} at {}: {}",
            self.attempt,
            self.outcome,
            instant::text(self.ended_ms),
            self.error
        )
    }
}

impl ContextView {
    /// From the claim of its last attempt to its end; empty before that.
    fn took(&self) -> String {
        if self.claimed_ms == 0 || self.ended_ms == 0 {
            return String::new();
        }
        instant::span(self.ended_ms.saturating_sub(self.claimed_ms))
    }

    fn past_attempts(&self) -> String {
        let lines: Vec<String> = self.attempts.iter().map(PastAttempt::line).collect();
        lines.join("\n")
    }

    /// What a person asks next: why it waits, why it failed, or how far it is.
    fn remark(&self) -> String {
        if !self.error.is_empty() {
            self.error.clone()
        } else if !self.waiting_reason.is_empty() {
            self.waiting_reason.clone()
        } else if let Some(fan) = &self.fan {
            fan.text()
        } else if self.progress_percent > 0 {
            self.progress()
        } else {
            String::new()
        }
    }

    fn handler_line(&self) -> String {
        match self.handler.as_str() {
            "" => String::new(),
            handler => format!("{handler} (group {})", self.group),
        }
    }

    fn body_line(&self, body: &str) -> String {
        match self.body_dropped {
            0 => body.to_owned(),
            bytes => format!("({bytes} bytes, too great to be kept: it cannot run again)"),
        }
    }

    fn log_lines(&self) -> String {
        let mut lines = Vec::new();
        if self.log_cut {
            lines.push(format!("… all of it: tickwheel run logs {}", self.id));
        }
        lines.extend(self.log.iter().map(LogLineView::text));
        lines.join("\n")
    }

    fn progress(&self) -> String {
        if self.progress_percent == 0 && self.progress_message.is_empty() {
            return String::new();
        }
        format!("{} % {}", self.progress_percent, self.progress_message)
    }
}

impl Row for ContextView {
    const HEADERS: &'static [&'static str] = &[
        "id", "state", "group", "handler", "due", "attempt", "worker", "took", "remark",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.state.to_owned(),
            self.group.clone(),
            self.handler.clone(),
            self.due.clone(),
            self.attempt.to_string(),
            self.worker.clone(),
            self.took(),
            self.remark(),
        ]
    }
}

impl Detail for ContextView {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let [body, result] = &self.texts;
        // A context that was submitted alone and has ended keeps its end, not its options.
        let priority = if self.ended_ms > 0 && self.job.is_empty() {
            String::new()
        } else {
            self.priority.to_string()
        };
        vec![
            ("id", self.id.clone()),
            ("job", self.job.clone()),
            ("state", self.state.to_owned()),
            ("waits because", self.waiting_reason.clone()),
            ("error", self.error.clone()),
            ("handler", self.handler_line()),
            ("due", self.due.clone()),
            (
                "attempt",
                format!("{} ({} failed)", self.attempt, self.failures),
            ),
            ("next attempt", instant::text(self.next_attempt_ms)),
            (
                "follows",
                self.upstream
                    .as_ref()
                    .map(Upstream::line)
                    .unwrap_or_default(),
            ),
            ("worker", self.worker.clone()),
            ("claimed", instant::text(self.claimed_ms)),
            ("lease until", instant::text(self.lease_expires_ms)),
            ("ended", instant::text(self.ended_ms)),
            ("took", self.took()),
            ("failed attempts", self.past_attempts()),
            ("priority", priority),
            ("progress", self.progress()),
            (
                "subtasks",
                self.fan.as_ref().map(FanView::text).unwrap_or_default(),
            ),
            ("body", self.body_line(body)),
            ("result", result.clone()),
            ("log", self.log_lines()),
        ]
    }
}

/// The state as one word.
pub(crate) fn state_word(state: v1::ContextState) -> &'static str {
    match state {
        v1::ContextState::Unspecified => "unknown",
        v1::ContextState::Scheduled => "scheduled",
        v1::ContextState::Retrying => "retrying",
        v1::ContextState::Ready => "ready",
        v1::ContextState::Queued => "queued",
        v1::ContextState::Running => "running",
        v1::ContextState::Fanned => "fanned",
        v1::ContextState::Succeeded => "succeeded",
        v1::ContextState::Failed => "failed",
        v1::ContextState::TimedOut => "timed_out",
        v1::ContextState::Cancelled => "cancelled",
        v1::ContextState::Expired => "expired",
    }
}
