//! The next due times of a job.

use serde::Serialize;
use tickwheel_proto::v1;

/// When a job is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Preview {
    /// The job.
    pub job: String,
    /// The due times, in their order.
    pub due_ms: Vec<u64>,
    /// The zone whose local times its trigger names.
    pub zone: String,
    /// Why there are none, or fewer than asked, and what is valid and was perhaps not meant.
    pub note: String,
}

impl Preview {
    /// The answer for `job`.
    #[must_use]
    pub fn new(job: String, answer: v1::PreviewJobResponse) -> Self {
        Self {
            job,
            due_ms: answer.due_ms,
            zone: answer.zone,
            note: answer.note,
        }
    }
}
