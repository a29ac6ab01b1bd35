//! The lines of a job's ledger.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::ContextId;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict, Reason};
use tickwheel_core::time::TimestampMs;

use super::{field, word};
use crate::v1;
use v1::ledger_record::Verdict;

/// The reason of a record that marks a new revision begins with this; the verdict of such a record is unspecified, as no due time is meant.
const REVISION: &str = "revision ";

impl From<&LedgerRecord> for v1::LedgerRecord {
    fn from(record: &LedgerRecord) -> Self {
        let (verdict, reason) = match record.verdict {
            LedgerVerdict::Fired => (Verdict::Fired, None),
            LedgerVerdict::Skipped => (Verdict::Skipped, record.reason),
            LedgerVerdict::Missed => (Verdict::Missed, record.reason),
            LedgerVerdict::Cancelled => (Verdict::Cancelled, record.reason),
            LedgerVerdict::Redefined => (Verdict::Unspecified, None),
        };
        let revision = record
            .revision
            .map(|revision| format!("{REVISION}{revision}"));
        let reason = reason.map(|reason| reason.as_str().to_owned()).or(revision);
        Self {
            due_ms: record.from.as_u64(),
            last_due_ms: record.to.as_u64(),
            count: record.count,
            verdict: verdict.into(),
            reason: reason.unwrap_or_default(),
            context_id: record
                .context_id
                .as_ref()
                .map(ContextId::to_string)
                .unwrap_or_default(),
            decided_ms: record.decided_ms.map_or(0, TimestampMs::as_u64),
        }
    }
}

impl TryFrom<v1::LedgerRecord> for LedgerRecord {
    type Error = Violations;

    fn try_from(wire: v1::LedgerRecord) -> Result<Self, Violations> {
        let mut found = Violations::new();
        let verdict = found.keep(word(
            "verdict",
            wire.verdict,
            "fired, skipped, missed, cancelled",
        ));
        let revision = wire
            .reason
            .strip_prefix(REVISION)
            .and_then(|number| number.parse().ok());
        let reason = match wire.reason.as_str() {
            "" => None,
            _ if revision.is_some() => None,
            word => field(&mut found, "reason", word.parse::<Reason>()),
        };
        let context_id = match wire.context_id.as_str() {
            "" => None,
            id => field(&mut found, "context_id", id.parse::<ContextId>()),
        };
        found.into_result()?;
        let verdict = match verdict {
            Some(Verdict::Fired) => LedgerVerdict::Fired,
            Some(Verdict::Skipped) => LedgerVerdict::Skipped,
            Some(Verdict::Missed) => LedgerVerdict::Missed,
            Some(Verdict::Cancelled) => LedgerVerdict::Cancelled,
            Some(Verdict::Unspecified) if revision.is_some() => LedgerVerdict::Redefined,
            Some(Verdict::Unspecified) | None => {
                return Err(Violation::new("verdict", "is not empty", "").into());
            }
        };
        Ok(Self {
            from: TimestampMs::new(wire.due_ms),
            to: TimestampMs::new(wire.last_due_ms),
            count: wire.count,
            verdict,
            reason,
            decided_ms: (wire.decided_ms != 0).then(|| TimestampMs::new(wire.decided_ms)),
            context_id,
            revision,
        })
    }
}
