//! A run that is split: how far its subtasks are, and the subtasks themselves.

use serde::Serialize;
use tickwheel_proto::v1;

use super::exact::exact;

/// How far the subtasks of a run are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fan {
    /// How it is split.
    pub model: String,
    /// Subtasks so far; more may come while `open`.
    pub total: u64,
    /// Those that ended well.
    pub succeeded: u64,
    /// Those that failed for good.
    pub failed: u64,
    /// Those that run.
    pub running: u64,
    /// Those that wait; of a run that has ended: that never ran.
    pub waiting: u64,
    /// More subtasks may still come.
    pub open: bool,
    /// The run has ended: this is how far its subtasks were.
    pub ended: bool,
    /// Of those that are known, in whole percent.
    pub percent: u64,
    /// How long the others take by the rate so far.
    pub eta_ms: Option<u64>,
    /// The handler that joins them; empty: none.
    pub reduce: String,
}

impl From<v1::FanProgress> for Fan {
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

/// A subtask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Subtask {
    /// Its id: that of its run, `~`, and its number.
    pub id: String,
    /// `waiting`, `running`, `retrying`, `failed` or `succeeded`.
    pub state: String,
    /// What runs it.
    pub handler: String,
    /// The number of its last attempt.
    pub attempt: u32,
    /// Attempts that count against its retries.
    pub failures: u32,
    /// Who has it, or had it last.
    pub worker: String,
    /// Why its last attempt ended without success.
    pub error: String,
    /// When its last attempt was claimed.
    pub claimed_ms: u64,
    /// When it ended.
    pub ended_ms: u64,
    /// Of one that succeeded: bytes that it returned; the body may be their beginning.
    pub result_bytes: u64,
    /// What it gets, or what it returned, when it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_text: Option<String>,
    /// What it gets, or what it returned, when it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// Bytes of that.
    #[serde(skip)]
    pub body_bytes: u64,
}

impl From<v1::SubtaskView> for Subtask {
    fn from(subtask: v1::SubtaskView) -> Self {
        let (body_text, body_base64) = exact(&subtask.body);
        Self {
            body_text,
            body_base64,
            body_bytes: u64::try_from(subtask.body.len()).unwrap_or(u64::MAX),
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

/// A page of subtasks, under how far they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubtaskPage {
    /// How far they are.
    pub fan: Option<Fan>,
    /// The subtasks.
    pub items: Vec<Subtask>,
    /// Where the next page begins; empty: no more.
    pub next_cursor: String,
    /// Records that could not be read, and are not among these.
    pub unreadable: u64,
}

impl SubtaskPage {
    /// Takes over the page behind it.
    pub fn add(&mut self, page: v1::ListSubtasksResponse) {
        self.items
            .extend(page.subtasks.into_iter().map(Subtask::from));
        self.fan = page.fan.map(Fan::from);
        self.next_cursor = page.next_page_token;
        self.unreadable += page.unreadable;
    }
}

impl From<v1::ListSubtasksResponse> for SubtaskPage {
    fn from(page: v1::ListSubtasksResponse) -> Self {
        let mut all = Self::default();
        all.add(page);
        all
    }
}
