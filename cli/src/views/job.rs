//! A job, and what deleting one did.

use tickwheel_api::answers::{Deleted, Job};
use tickwheel_core::job::JobSpec;
use tickwheel_core::manifest::read_job;

use super::model::model_text;
use super::spec::{labels_text, trigger_text};
use crate::instant;
use crate::output::{Detail, Row};

/// The definition, when this program can read it.
fn definition(job: &Job) -> Option<JobSpec> {
    read_job(&job.spec).ok()
}

impl Row for Job {
    const HEADERS: &'static [&'static str] = &[
        "name", "state", "trigger", "next due", "fired", "active", "labels",
    ];

    fn cells(&self) -> Vec<String> {
        let spec = definition(self);
        let spec = spec.as_ref();
        vec![
            self.name.clone(),
            self.state.to_owned(),
            spec.map_or_else(|| "unknown".to_owned(), trigger_text),
            instant::text_opt(self.next_due_ms),
            self.fired.to_string(),
            self.active.len().to_string(),
            spec.map(labels_text).unwrap_or_default(),
        ]
    }
}

impl Detail for Job {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let spec = definition(self);
        let spec = spec.as_ref();
        let handler = |spec: &JobSpec| format!("{} (group {})", spec.handler, spec.group);
        let document = serde_saphyr::to_string(&self.spec).unwrap_or_default();
        vec![
            ("name", self.name.clone()),
            (
                "description",
                spec.map(|spec| spec.description.clone())
                    .unwrap_or_default(),
            ),
            ("labels", spec.map(labels_text).unwrap_or_default()),
            ("state", self.state.to_owned()),
            ("paused because", self.pause_note.clone()),
            (
                "trigger",
                spec.map_or_else(|| "unknown".to_owned(), trigger_text),
            ),
            ("handler", spec.map(handler).unwrap_or_default()),
            ("model", spec.map(model_text).unwrap_or_default()),
            ("next due", instant::text_opt(self.next_due_ms)),
            ("last due", instant::text_opt(self.last_due_ms)),
            ("fired", self.fired.to_string()),
            ("active", self.active.join("\n")),
            ("queued", self.queued.to_string()),
            ("revision", self.revision.to_string()),
            ("partition", self.partition.to_string()),
            ("created", instant::text(self.created_ms)),
            ("updated", instant::text(self.updated_ms)),
            ("spec", document),
        ]
    }
}

impl Row for Deleted {
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

impl Detail for Deleted {
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
