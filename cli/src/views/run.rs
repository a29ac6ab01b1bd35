//! A run: one planned execution.

use tickwheel_api::answers::{PastAttempt, Run, Upstream};

use super::bytes::bytes_text;
use super::fan::fan_text;
use super::log::log_line_text;
use crate::instant;
use crate::output::{Detail, Row};

fn upstream_line(upstream: &Upstream) -> String {
    let why = if upstream.error.is_empty() { "" } else { ": " };
    let (run, state) = (&upstream.run_id, upstream.state);
    format!("{run} {state}{why}{}", upstream.error)
}

/// Why it ended without success, the class of the error first.
pub(super) fn error_line(class: &str, error: &str) -> String {
    match (class, error) {
        ("", error) => error.to_owned(),
        (class, "") => class.to_owned(),
        (class, error) => format!("{class}: {error}"),
    }
}

fn attempt_line(past: &PastAttempt) -> String {
    let on = match past.worker.as_str() {
        "" => String::new(),
        worker => format!(
            " on {worker} after {}",
            instant::span(past.ended_ms.saturating_sub(past.claimed_ms))
        ),
    };
    format!(
        "{} {}{on} at {}: {}",
        past.attempt,
        past.outcome,
        instant::text(past.ended_ms),
        error_line(&past.error_type, &past.error)
    )
}

/// From the claim of its last attempt to its end; empty before that.
fn took(run: &Run) -> String {
    if run.claimed_ms == 0 || run.ended_ms == 0 {
        return String::new();
    }
    instant::span(run.ended_ms.saturating_sub(run.claimed_ms))
}

/// What a person asks next: why it waits, why it failed, or how far it is.
fn remark(run: &Run) -> String {
    if !run.error.is_empty() {
        run.error.clone()
    } else if !run.waiting_reason.is_empty() {
        run.waiting_reason.clone()
    } else if let Some(fan) = &run.fan {
        fan_text(fan)
    } else if run.progress_percent > 0 {
        progress(run)
    } else {
        String::new()
    }
}

fn handler_line(run: &Run) -> String {
    match run.handler.as_str() {
        "" => String::new(),
        handler => format!("{handler} (group {})", run.group),
    }
}

fn body_line(run: &Run) -> String {
    match run.body_dropped {
        0 => bytes_text(run.body_text.as_deref(), run.body_base64.as_deref()),
        bytes => format!("({bytes} bytes, too great to be kept: it cannot run again)"),
    }
}

fn log_lines(run: &Run) -> String {
    let mut lines = Vec::new();
    if run.log_cut {
        lines.push(format!("… all of it: tickwheel run logs {}", run.id));
    }
    lines.extend(run.log.iter().map(log_line_text));
    lines.join("\n")
}

fn progress(run: &Run) -> String {
    if run.progress_percent == 0 && run.progress_message.is_empty() {
        return String::new();
    }
    format!("{} % {}", run.progress_percent, run.progress_message)
}

impl Row for Run {
    const HEADERS: &'static [&'static str] = &[
        "id", "state", "group", "handler", "due", "attempt", "worker", "took", "remark",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.state.to_owned(),
            self.group.clone(),
            self.handler.clone(),
            instant::text(self.due_ms),
            self.attempt.to_string(),
            self.worker.clone(),
            took(self),
            remark(self),
        ]
    }
}

impl Detail for Run {
    fn lines(&self) -> Vec<(&'static str, String)> {
        // One that was submitted alone and has ended keeps its end, not its options.
        let priority = if self.ended_ms > 0 && self.job.is_empty() {
            String::new()
        } else {
            self.priority.to_string()
        };
        let attempts: Vec<String> = self.attempts.iter().map(attempt_line).collect();
        vec![
            ("id", self.id.clone()),
            ("job", self.job.clone()),
            ("state", self.state.to_owned()),
            ("waits because", self.waiting_reason.clone()),
            ("error", error_line(&self.error_type, &self.error)),
            ("handler", handler_line(self)),
            ("due", instant::text(self.due_ms)),
            (
                "attempt",
                format!("{} ({} failed)", self.attempt, self.failures),
            ),
            ("next attempt", instant::text(self.next_attempt_ms)),
            (
                "follows",
                self.upstream
                    .as_ref()
                    .map(upstream_line)
                    .unwrap_or_default(),
            ),
            ("worker", self.worker.clone()),
            ("claimed", instant::text(self.claimed_ms)),
            ("lease until", instant::text(self.lease_expires_ms)),
            ("ended", instant::text(self.ended_ms)),
            ("took", took(self)),
            ("failed attempts", attempts.join("\n")),
            ("priority", priority),
            ("progress", progress(self)),
            (
                "subtasks",
                self.fan.as_ref().map(fan_text).unwrap_or_default(),
            ),
            ("body", body_line(self)),
            (
                "result",
                bytes_text(self.result_text.as_deref(), self.result_base64.as_deref()),
            ),
            ("log", log_lines(self)),
        ]
    }
}
