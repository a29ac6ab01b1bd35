//! A run: one planned execution.

use serde::Serialize;
use tickwheel_proto::v1;

use super::exact::exact;
use super::fan::Fan;
use super::log::LogLine;
use super::looked::Looked;
use super::words::run_state_word;

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Whose run it is; empty: submitted alone.
    pub job: String,
    /// `scheduled`, `queued`, `ready`, `running`, `waiting_for_subtasks`, `retrying`, `succeeded`, `failed`, `timed_out`, `cancelled` or
    /// `expired`.
    pub state: &'static str,
    /// Workers of this group run it.
    pub group: String,
    /// What they run.
    pub handler: String,
    /// When it shall run.
    pub due_ms: u64,
    /// The number of its last attempt.
    pub attempt: u32,
    /// Attempts that count against its retries.
    pub failures: u32,
    /// 0 (lowest) to 4.
    pub priority: u32,
    /// Who has it, or had it last.
    pub worker: String,
    /// When its last attempt was claimed.
    pub claimed_ms: u64,
    /// When it ended.
    pub ended_ms: u64,
    /// Until when its worker has it without a further word.
    pub lease_expires_ms: u64,
    /// When it is tried again.
    pub next_attempt_ms: u64,
    /// Why it waits, in words; empty when it does not.
    pub waiting_reason: String,
    /// Why its last attempt ended without success.
    pub error: String,
    /// The class of that error, as its worker named it; empty where none did.
    pub error_type: String,
    /// What the handler gets, when it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_text: Option<String>,
    /// What the handler gets, when it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// What the handler answered, when it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_text: Option<String>,
    /// What the handler answered, when it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_base64: Option<String>,
    /// How far it says it is.
    pub progress_percent: u32,
    /// And in words.
    pub progress_message: String,
    /// The newest lines of its log.
    pub log: Vec<LogLine>,
    /// The log has older lines.
    pub log_cut: bool,
    /// Bytes of a body that was not kept.
    pub body_dropped: u64,
    /// Attempts that ended without success, the oldest first.
    pub attempts: Vec<PastAttempt>,
    /// The end that fired it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// Of one that is split into subtasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fan: Option<Fan>,
}

impl From<v1::Context> for Run {
    fn from(context: v1::Context) -> Self {
        let state = run_state_word(context.state());
        let (body_text, body_base64) = exact(&context.body);
        let (result_text, result_base64) = exact(&context.result);
        Self {
            state,
            body_text,
            body_base64,
            result_text,
            result_base64,
            id: context.id,
            job: context.job,
            group: context.group,
            handler: context.handler,
            due_ms: context.due_ms,
            attempt: context.attempt,
            failures: context.failures,
            priority: context.priority,
            worker: context.worker,
            claimed_ms: context.claimed_ms,
            ended_ms: context.ended_ms,
            lease_expires_ms: context.lease_expires_ms,
            next_attempt_ms: context.next_attempt_ms,
            waiting_reason: context.waiting_reason,
            error: context.error,
            error_type: context.error_type,
            progress_percent: context.progress_percent,
            progress_message: context.progress_message,
            log: context.log.into_iter().map(LogLine::from).collect(),
            log_cut: context.log_cut,
            body_dropped: context.body_dropped,
            attempts: context.attempts.into_iter().map(Into::into).collect(),
            upstream: context.upstream.map(Upstream::from),
            fan: context.fan.map(Fan::from),
        }
    }
}

/// The end of a run that fired another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Upstream {
    /// The run that ended.
    pub run_id: String,
    /// Its job.
    pub job: String,
    /// How it ended.
    pub state: &'static str,
    /// Why, when it was without success.
    pub error: String,
}

impl From<v1::Upstream> for Upstream {
    fn from(upstream: v1::Upstream) -> Self {
        Self {
            state: run_state_word(upstream.state()),
            run_id: upstream.context_id,
            job: upstream.job,
            error: upstream.error,
        }
    }
}

/// An attempt that ended without success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PastAttempt {
    /// Its number.
    pub attempt: u32,
    /// Empty when it never reached a worker.
    pub worker: String,
    /// When it was claimed.
    pub claimed_ms: u64,
    /// When it ended.
    pub ended_ms: u64,
    /// `failed`, `timed_out` or `lost`.
    pub outcome: String,
    /// Why.
    pub error: String,
    /// The class of that error; empty where its worker named none.
    pub error_type: String,
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
            error_type: past.error_type,
        }
    }
}

/// A page of runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunPage {
    /// The runs.
    pub items: Vec<Run>,
    /// Where the next page begins; empty: no more.
    pub next_cursor: String,
    /// Records that could not be read, and are not among these.
    pub unreadable: u64,
    /// How much was looked at, and since when the list is complete.
    pub looked: Looked,
}

impl From<v1::ListContextsResponse> for RunPage {
    fn from(page: v1::ListContextsResponse) -> Self {
        Self {
            items: page.contexts.into_iter().map(Run::from).collect(),
            next_cursor: page.next_cursor,
            unreadable: page.unreadable,
            looked: Looked::of(page.looked, page.horizon),
        }
    }
}
