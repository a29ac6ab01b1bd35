//! The fire ledger: what became of each due time.

use serde::Serialize;
use tickwheel_proto::v1;

use super::words::verdict_word;

/// One record: a due time, or a row of them, and the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LedgerRecord {
    /// The due time, or the first of a row.
    pub due_ms: u64,
    /// The last of a row.
    pub last_due_ms: u64,
    /// How many there are.
    pub count: u64,
    /// `fired`, `skipped`, `missed`, `cancelled` or `redefined`.
    pub verdict: &'static str,
    /// Why.
    pub reason: String,
    /// The run that came of it.
    pub run_id: String,
    /// When it was decided.
    pub decided_ms: u64,
}

impl From<v1::LedgerRecord> for LedgerRecord {
    fn from(record: v1::LedgerRecord) -> Self {
        Self {
            verdict: verdict_word(record.verdict()),
            due_ms: record.due_ms,
            last_due_ms: record.last_due_ms,
            count: record.count,
            reason: record.reason,
            run_id: record.context_id,
            decided_ms: record.decided_ms,
        }
    }
}

/// The newest records, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LedgerPage {
    /// The records.
    pub items: Vec<LedgerRecord>,
    /// Records that could not be read, and are not among these.
    pub unreadable: u64,
    /// Asks for those behind these; empty: there are none.
    pub next_cursor: String,
}

impl From<v1::GetLedgerResponse> for LedgerPage {
    fn from(page: v1::GetLedgerResponse) -> Self {
        Self {
            items: page.records.into_iter().map(LedgerRecord::from).collect(),
            unreadable: page.unreadable,
            next_cursor: page.next_cursor,
        }
    }
}

/// Why a job did or did not run at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Explained {
    /// The answer.
    pub text: String,
    /// The record that says so.
    pub record: Option<LedgerRecord>,
}

/// Where a run stands, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunExplained {
    /// The answer.
    pub text: String,
}

impl From<v1::ExplainContextResponse> for RunExplained {
    fn from(answer: v1::ExplainContextResponse) -> Self {
        Self { text: answer.text }
    }
}

impl From<v1::ExplainJobResponse> for Explained {
    fn from(answer: v1::ExplainJobResponse) -> Self {
        Self {
            text: answer.text,
            record: answer.record.map(LedgerRecord::from),
        }
    }
}
