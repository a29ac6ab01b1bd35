//! W6: limits count what runs under them.

use super::rule::Rule;
use crate::check::{Finding, Kind, LimitFacts, Subject};

/// What a partition counts under a limit is what runs there under it, with what left since the last turn.
#[must_use]
pub fn w6_limit_counts(facts: &LimitFacts) -> Vec<Finding> {
    let LimitFacts {
        limit,
        partition,
        using,
        left,
        running,
    } = facts;
    let mut rule = Rule {
        partition: *partition,
        subject: Subject::Limit(limit.clone()),
        found: Vec::new(),
    };
    rule.check(*using == left + running, Kind::LimitCount, || {
        format!("{running} contexts run under limit `{limit}`, {using} are counted, {left} left it")
    });
    rule.found
}
