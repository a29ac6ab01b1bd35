//! W10: only Redis' clock decides what is due, so nothing is claimed or decided before its due time.

use tickwheel_core::ledger::LedgerVerdict;

use super::rule::Rule;
use crate::check::{ContextFacts, Finding, JobFacts, Kind, Record};

/// A running context was claimed when it was due, or later.
#[must_use]
pub fn w10_context_is_not_early(facts: &ContextFacts) -> Vec<Finding> {
    let mut rule = Rule::of_context(facts);
    for occurrence in &facts.occurrences {
        if let Record::Running(held) = &occurrence.record {
            rule.check(held.claimed >= facts.id.due(), Kind::TooEarly, || {
                format!("{} was claimed at {}", facts.id, held.claimed)
            });
        }
    }
    rule.found
}

/// No due time of the job was decided before it had come.
#[must_use]
pub fn w10_job_is_not_early(facts: &JobFacts) -> Vec<Finding> {
    let mut rule = Rule::of_job(facts);
    for record in &facts.records {
        let early = record.verdict != LedgerVerdict::Cancelled
            && record.decided_ms.is_some_and(|decided| decided < record.to);
        rule.check(!early, Kind::TooEarly, || {
            format!("{} decided early: {record}", facts.name)
        });
    }
    rule.found
}
