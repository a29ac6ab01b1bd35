//! A job, and what deleting one did.

use serde::Serialize;
use serde_json::{Value, json};
use tickwheel_core::job::JobSpec;
use tickwheel_core::manifest::{Defaults, write_exactly, write_job};
use tickwheel_proto::v1;

use super::words::job_state_word;

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    /// `namespace/name`.
    pub name: String,
    /// `active`, `paused` or `finished`.
    pub state: &'static str,
    /// Grows with each change of its definition.
    pub revision: u64,
    /// When it is due next.
    pub next_due_ms: Option<u64>,
    /// When it was due last.
    pub last_due_ms: Option<u64>,
    /// How often it fired.
    pub fired: u64,
    /// Runs that have not ended.
    pub active: Vec<String>,
    /// Runs that wait for an earlier one.
    pub queued: u64,
    /// Where it lies.
    pub partition: u32,
    /// Why it is paused, as somebody said.
    pub pause_note: String,
    /// When it was registered.
    pub created_ms: u64,
    /// When it was changed last.
    pub updated_ms: u64,
    /// The document that can be applied again; its body is exact.
    pub spec: Value,
}

impl From<v1::Job> for Job {
    fn from(job: v1::Job) -> Self {
        let state = job_state_word(job.state());
        let spec = job.spec.unwrap_or_default();
        Self {
            state,
            spec: document(&spec),
            name: spec.name,
            revision: job.revision,
            next_due_ms: job.next_due_ms,
            last_due_ms: job.last_due_ms,
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

/// The document; only the name when the message cannot be read.
fn document(spec: &v1::JobSpec) -> Value {
    let Ok(mut spec) = JobSpec::try_from(spec.clone()) else {
        return json!({ "name": spec.name });
    };
    let body = std::mem::take(&mut spec.body);
    let mut document = write_job(&spec, Defaults::LeftOut).into_value();
    if let Some(document) = document.as_object_mut().filter(|_| !body.is_empty()) {
        let (key, value) = write_exactly(&body);
        document.insert(key.to_owned(), value);
    }
    document
}

/// A page of jobs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobPage {
    /// The jobs.
    pub items: Vec<Job>,
    /// Where the next page begins; empty: no more.
    pub next_cursor: String,
    /// Records that could not be read, and are not among these.
    pub unreadable: u64,
}

impl From<v1::ListJobsResponse> for JobPage {
    fn from(page: v1::ListJobsResponse) -> Self {
        Self {
            items: page.jobs.into_iter().map(Job::from).collect(),
            next_cursor: page.next_cursor,
            unreadable: page.unreadable,
        }
    }
}

/// What deleting a job did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deleted {
    /// The job.
    pub name: String,
    /// Runs that had not started and were cancelled with it.
    pub cancelled: u64,
    /// Runs that go on.
    pub running: u64,
    /// Jobs that followed it.
    pub followers: Vec<String>,
}

impl Deleted {
    /// What deleting `name` did.
    #[must_use]
    pub fn new(name: String, answer: v1::DeleteJobResponse) -> Self {
        Self {
            name,
            cancelled: answer.cancelled,
            running: answer.running,
            followers: answer.followers,
        }
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_core::manifest::read_job;

    use super::*;

    #[test]
    fn the_document_of_a_job_is_read_as_the_same_job() {
        let manual = json!({ "name": "a/b", "handler": "h", "trigger": "manual" });
        let mut spec = read_job(&manual).unwrap();
        for body in [&br#"{ "n": 1e400, "n": 1 }"#[..], b"\xff\x00", b""] {
            spec.body = body.to_vec().into();
            let job = v1::Job {
                spec: Some((&spec).into()),
                ..v1::Job::default()
            };
            let shown = Job::from(job);
            assert_eq!(read_job(&shown.spec), Ok(spec.clone()));
            assert_eq!(shown.spec.get("body"), None);
        }
    }
}
