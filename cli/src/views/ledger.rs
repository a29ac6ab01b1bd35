//! The fire ledger: what became of each due time.

use serde::Serialize;
use tickwheel_proto::v1;

use crate::instant;
use crate::output::{Detail, Row};

/// One record: a due time, or a run of them, and the verdict.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LedgerView {
    pub(crate) due_ms: u64,
    pub(crate) due: String,
    pub(crate) last_due_ms: u64,
    pub(crate) count: u64,
    pub(crate) verdict: &'static str,
    pub(crate) reason: String,
    pub(crate) context_id: String,
    pub(crate) decided_ms: u64,
}

impl From<v1::LedgerRecord> for LedgerView {
    fn from(r: v1::LedgerRecord) -> Self {
        Self {
            verdict: verdict_word(r.verdict()),
            due: instant::text(r.due_ms),
            due_ms: r.due_ms,
            last_due_ms: r.last_due_ms,
            count: r.count,
            reason: r.reason,
            context_id: r.context_id,
            decided_ms: r.decided_ms,
        }
    }
}

impl LedgerView {
    fn due_cell(&self) -> String {
        if self.count > 1 {
            format!(
                "{} … {} ({})",
                self.due,
                instant::text(self.last_due_ms),
                self.count
            )
        } else {
            self.due.clone()
        }
    }

    fn late_cell(&self) -> String {
        match self.decided_ms.checked_sub(self.due_ms) {
            Some(late) if self.decided_ms > 0 && self.count <= 1 => {
                format!("+{}", instant::span(late))
            }
            _ => String::new(),
        }
    }
}

impl Row for LedgerView {
    const HEADERS: &'static [&'static str] = &["due", "verdict", "decided", "reason", "context"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.due_cell(),
            self.verdict.to_owned(),
            self.late_cell(),
            self.reason.clone(),
            self.context_id.clone(),
        ]
    }
}

/// Why a job did or did not run at an instant.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ExplainView {
    pub(crate) text: String,
    pub(crate) record: Option<LedgerView>,
}

impl From<v1::ExplainJobResponse> for ExplainView {
    fn from(r: v1::ExplainJobResponse) -> Self {
        Self {
            text: r.text,
            record: r.record.map(LedgerView::from),
        }
    }
}

impl Detail for ExplainView {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("answer", self.text.clone())];
        if let Some(record) = &self.record {
            lines.push(("due", record.due_cell()));
            lines.push(("verdict", record.verdict.to_owned()));
            lines.push(("reason", record.reason.clone()));
            lines.push(("context", record.context_id.clone()));
        }
        lines
    }
}

/// The verdict as one word.
pub(crate) fn verdict_word(verdict: v1::ledger_record::Verdict) -> &'static str {
    use v1::ledger_record::Verdict;
    match verdict {
        // A mark of a new revision or of a resumption stands between the due times.
        Verdict::Unspecified => "redefined",
        Verdict::Fired => "fired",
        Verdict::Skipped => "skipped",
        Verdict::Missed => "missed",
        Verdict::Cancelled => "cancelled",
    }
}
