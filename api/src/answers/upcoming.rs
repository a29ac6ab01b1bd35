//! What comes next.

use serde::Serialize;
use tickwheel_proto::v1;

use super::looked::Looked;

/// A page of what comes next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpcomingPage {
    /// What comes, the earliest first.
    pub items: Vec<Upcoming>,
    /// Where the next page begins; empty: no more.
    pub next_cursor: String,
    /// Records that could not be read, and are not among these.
    pub unreadable: u64,
    /// How much was looked at.
    pub looked: Looked,
}

/// What comes at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Upcoming {
    /// What it is: `run`, a run that was never tried; `retry`, another attempt of one; `job`, the next firing of a job; `deadline`, a run that has not
    /// started by then expires.
    pub kind: String,
    /// When it comes: for a job with its jitter, for another attempt behind its back-off.
    pub at_ms: u64,
    /// Its job; empty for a run without one.
    pub job: String,
    /// The run; empty for a job, whose firing has none yet.
    pub run_id: String,
    /// The due time that fires, or for which the run was made; 0: not known yet.
    pub due_ms: u64,
    /// The workers that it is for.
    pub group: String,
    /// What runs.
    pub handler: String,
    /// 0 to 4.
    pub priority: u32,
    /// Of another attempt: how many there were.
    pub attempts: u32,
}

/// The word of a kind.
#[must_use]
pub fn upcoming_word(kind: v1::UpcomingKind) -> &'static str {
    match kind {
        v1::UpcomingKind::Run => "run",
        v1::UpcomingKind::Retry => "retry",
        v1::UpcomingKind::Job => "job",
        v1::UpcomingKind::Deadline => "deadline",
        v1::UpcomingKind::Unspecified => "unknown",
    }
}

impl From<v1::ListUpcomingResponse> for UpcomingPage {
    fn from(page: v1::ListUpcomingResponse) -> Self {
        Self {
            items: page.items.into_iter().map(Upcoming::from).collect(),
            next_cursor: page.next_cursor,
            unreadable: page.unreadable,
            looked: Looked::of(page.looked, None),
        }
    }
}

impl From<v1::Upcoming> for Upcoming {
    fn from(one: v1::Upcoming) -> Self {
        Self {
            kind: upcoming_word(one.kind()).to_owned(),
            at_ms: one.at_ms,
            job: one.job,
            run_id: one.context_id,
            due_ms: one.due_ms,
            group: one.group,
            handler: one.handler,
            priority: one.priority,
            attempts: one.attempts,
        }
    }
}
