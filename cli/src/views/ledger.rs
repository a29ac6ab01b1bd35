//! The fire ledger: what became of each due time.

use tickwheel_api::answers::{Explained, LedgerRecord, RunExplained};

use crate::instant;
use crate::output::{Detail, Row};

fn due_cell(record: &LedgerRecord) -> String {
    let due = instant::text(record.due_ms);
    if record.count > 1 {
        let last = instant::text(record.last_due_ms);
        format!("{due} … {last} ({})", record.count)
    } else {
        due
    }
}

fn late_cell(record: &LedgerRecord) -> String {
    match record.decided_ms.checked_sub(record.due_ms) {
        Some(late) if record.decided_ms > 0 && record.count <= 1 => {
            format!("+{}", instant::span(late))
        }
        _ => String::new(),
    }
}

impl Row for LedgerRecord {
    const HEADERS: &'static [&'static str] = &["due", "verdict", "decided", "reason", "run"];

    fn cells(&self) -> Vec<String> {
        vec![
            due_cell(self),
            self.verdict.to_owned(),
            late_cell(self),
            self.reason.clone(),
            self.run_id.clone(),
        ]
    }
}

impl Detail for RunExplained {
    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![("answer", self.text.clone())]
    }
}

impl Detail for Explained {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("answer", self.text.clone())];
        if let Some(record) = &self.record {
            lines.push(("due", due_cell(record)));
            lines.push(("verdict", record.verdict.to_owned()));
            lines.push(("reason", record.reason.clone()));
            lines.push(("run", record.run_id.clone()));
        }
        lines
    }
}
