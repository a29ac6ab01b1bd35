//! W3: a firing (job, due) creates at most one context.

use std::collections::BTreeSet;

use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict};

use super::rule::Rule;
use crate::check::{Finding, JobFacts, Kind};

/// No due time stands twice in the ledger as fired by the trigger, and no context was fired twice by hand or by another job.
#[must_use]
pub fn w3_fired_once(facts: &JobFacts) -> Vec<Finding> {
    let mut rule = Rule::of_job(facts);
    let mut firings = BTreeSet::new();
    let fired = |record: &&LedgerRecord| record.verdict == LedgerVerdict::Fired;
    for record in facts.records.iter().filter(fired) {
        rule.check(firings.insert(firing(record)), Kind::FiredTwice, || {
            format!("{} fired twice: {record}", facts.name)
        });
    }
    rule.found
}

/// What must not occur twice: the due time of a scheduled firing, or the context of another.
fn firing(record: &LedgerRecord) -> String {
    record
        .context_id
        .as_ref()
        .map_or_else(|| record.from.as_u64().to_string(), ToString::to_string)
}
