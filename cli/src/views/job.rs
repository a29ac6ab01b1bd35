//! A job, and what applying or deleting one did.

use serde::Serialize;
use tickwheel_proto::v1;

use super::model::model_text;
use super::spec::{labels_text, spec_value, trigger_text};
use crate::instant;
use crate::output::{Detail, Row};

/// A job as it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct JobView {
    pub(crate) name: String,
    pub(crate) state: &'static str,
    pub(crate) revision: u64,
    pub(crate) next_due_ms: Option<u64>,
    pub(crate) next_due: String,
    pub(crate) last_due_ms: Option<u64>,
    pub(crate) last_due: String,
    pub(crate) fired: u64,
    pub(crate) active: Vec<String>,
    pub(crate) queued: u64,
    pub(crate) partition: u32,
    pub(crate) pause_note: String,
    pub(crate) created_ms: u64,
    pub(crate) updated_ms: u64,
    /// The document that can be applied again.
    pub(crate) spec: serde_json::Value,
    #[serde(skip)]
    trigger: String,
    #[serde(skip)]
    handler: String,
    #[serde(skip)]
    model: String,
    #[serde(skip)]
    description: String,
    #[serde(skip)]
    labels: String,
}

impl From<v1::Job> for JobView {
    fn from(job: v1::Job) -> Self {
        let state = state_word(job.state());
        let spec = job.spec.unwrap_or_default();
        Self {
            trigger: trigger_text(&spec),
            handler: format!("{} (group {})", spec.handler, spec.group),
            model: model_text(&spec),
            labels: labels_text(&spec),
            description: spec.description.clone(),
            spec: spec_value(&spec),
            name: spec.name,
            state,
            revision: job.revision,
            next_due_ms: job.next_due_ms,
            next_due: instant::text_opt(job.next_due_ms),
            last_due_ms: job.last_due_ms,
            last_due: instant::text_opt(job.last_due_ms),
            fired: job.fired,
            active: job.active,
            queued: job.queued,
            partition: job.partition,
            pause_note: job.pause_note,
            created_ms: job.created_ms,
            updated_ms: job.updated_ms,
        }
    }
}

impl Row for JobView {
    const HEADERS: &'static [&'static str] = &[
        "name", "state", "trigger", "next due", "fired", "active", "labels",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.state.to_owned(),
            self.trigger.clone(),
            self.next_due.clone(),
            self.fired.to_string(),
            self.active.len().to_string(),
            self.labels.clone(),
        ]
    }
}

impl Detail for JobView {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let spec = serde_saphyr::to_string(&self.spec).unwrap_or_default();
        vec![
            ("name", self.name.clone()),
            ("description", self.description.clone()),
            ("labels", self.labels.clone()),
            ("state", self.state.to_owned()),
            ("paused because", self.pause_note.clone()),
            ("trigger", self.trigger.clone()),
            ("handler", self.handler.clone()),
            ("model", self.model.clone()),
            ("next due", self.next_due.clone()),
            ("last due", self.last_due.clone()),
            ("fired", self.fired.to_string()),
            ("active", self.active.join("\n")),
            ("queued", self.queued.to_string()),
            ("revision", self.revision.to_string()),
            ("partition", self.partition.to_string()),
            ("created", instant::text(self.created_ms)),
            ("updated", instant::text(self.updated_ms)),
            ("spec", spec),
        ]
    }
}

/// What deleting a job did.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DeletedView {
    name: String,
    cancelled: u64,
    running: u64,
    followers: Vec<String>,
}

impl DeletedView {
    pub(crate) fn new(name: String, answer: &v1::DeleteJobResponse) -> Self {
        Self {
            name,
            cancelled: answer.cancelled,
            running: answer.running,
            followers: answer.followers.clone(),
        }
    }
}

impl Row for DeletedView {
    const HEADERS: &'static [&'static str] = &["deleted", "cancelled", "running on", "wait for it"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.cancelled.to_string(),
            self.running.to_string(),
            self.followers.join(" "),
        ]
    }
}

impl Detail for DeletedView {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("deleted", self.name.clone()),
            (
                "cancelled",
                format!("{} that had not started", self.cancelled),
            ),
            ("running on", self.running.to_string()),
        ];
        if !self.followers.is_empty() {
            lines.push(("wait for it", self.followers.join(" ")));
        }
        lines
    }
}

fn state_word(state: v1::JobState) -> &'static str {
    match state {
        v1::JobState::Unspecified => "unknown",
        v1::JobState::Active => "active",
        v1::JobState::Paused => "paused",
        v1::JobState::Finished => "finished",
    }
}
