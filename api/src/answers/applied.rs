//! What applying documents did, or would do, to each.

use serde::Serialize;
use tickwheel_core::manifest::Kind;
use tickwheel_proto::v1;

/// What became of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Applied {
    /// What the document is.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub kind: Kind,
    /// The job, or the group.
    pub name: String,
    /// `created`, `updated`, `unchanged` or `deleted`.
    pub change: &'static str,
    /// Of a job: the revision it has now.
    pub revision: u64,
    /// Of a job: when it is due next.
    pub next_due_ms: Option<u64>,
    /// What is valid and was perhaps not meant.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub warning: String,
}

impl From<v1::AppliedJob> for Applied {
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
            warning: job.warning,
            ..Self::new(Kind::Job, job.name, change)
        }
    }
}

impl Applied {
    /// What became of `name`, of which no more is to be said.
    #[must_use]
    pub const fn new(kind: Kind, name: String, change: &'static str) -> Self {
        Self {
            kind,
            name,
            change,
            revision: 0,
            next_due_ms: None,
            warning: String::new(),
        }
    }
}

/// What became of each document, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppliedList {
    /// One for each document.
    pub items: Vec<Applied>,
}

impl From<v1::ApplyJobsResponse> for AppliedList {
    fn from(answer: v1::ApplyJobsResponse) -> Self {
        Self {
            items: answer.jobs.into_iter().map(Applied::from).collect(),
        }
    }
}
