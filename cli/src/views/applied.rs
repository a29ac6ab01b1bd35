//! What applying documents did, or would do, to each.

use serde::Serialize;
use tickwheel_core::manifest::Kind;
use tickwheel_proto::v1;

use crate::instant;
use crate::output::Row;

/// What became of one document.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AppliedView {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) change: &'static str,
    pub(crate) revision: u64,
    pub(crate) next_due_ms: Option<u64>,
    pub(crate) next_due: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) warning: String,
}

impl From<v1::AppliedJob> for AppliedView {
    fn from(job: v1::AppliedJob) -> Self {
        use v1::applied_job::Change;
        let change = match job.change() {
            Change::Unspecified => "unknown",
            Change::Created => "created",
            Change::Updated => "updated",
            Change::Unchanged => "unchanged",
        };
        Self {
            revision: job.revision,
            next_due_ms: job.next_due_ms,
            next_due: instant::text_opt(job.next_due_ms),
            warning: job.warning,
            ..Self::new(Kind::Job, job.name, change)
        }
    }
}

impl AppliedView {
    /// What became of `name`, of which no more is to be said.
    pub(crate) fn new(kind: Kind, name: String, change: &'static str) -> Self {
        Self {
            kind,
            name,
            change,
            revision: 0,
            next_due_ms: None,
            next_due: String::new(),
            warning: String::new(),
        }
    }
}

impl Row for AppliedView {
    const HEADERS: &'static [&'static str] = &["kind", "name", "change", "revision", "next due"];

    fn cells(&self) -> Vec<String> {
        let revision = match self.revision {
            0 => String::new(),
            revision => revision.to_string(),
        };
        vec![
            self.kind.to_string(),
            self.name.clone(),
            self.change.to_owned(),
            revision,
            self.next_due.clone(),
        ]
    }
}
