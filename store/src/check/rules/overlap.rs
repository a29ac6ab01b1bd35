//! W6: never more active contexts of a job than its overlap policy allows.

use super::rule::Rule;
use crate::check::{Finding, JobFacts, Kind};

impl JobFacts {
    /// Contexts that the overlap policy lets be active at once.
    #[must_use]
    pub fn allowed(&self) -> u64 {
        if self.field("overlap") == "parallel" {
            self.number("overlap_limit").unwrap_or(1)
        } else {
            1
        }
    }

    /// Contexts of an earlier definition that may still be active, and that may still wait for these.
    #[must_use]
    pub fn surplus(&self) -> (u64, u64) {
        let surplus = self.field("surplus").split_once(':');
        let read = surplus
            .and_then(|(active, waiting)| Some((active.parse().ok()?, waiting.parse().ok()?)));
        read.unwrap_or_default()
    }
}

/// The active contexts of the job are no more than its policy allows, or, of those that an earlier one let in, than are left.
#[must_use]
pub fn w6_active_contexts(facts: &JobFacts) -> Vec<Finding> {
    let mut rule = Rule::of_job(facts);
    let most = facts.allowed().max(facts.surplus().0);
    let within = !facts.exists() || facts.active <= most;
    rule.check(within, Kind::TooManyActive, || {
        format!(
            "{} has {} active contexts, {most} are allowed",
            facts.name, facts.active
        )
    });
    rule.found
}
