//! W6: never more active contexts of a job than its overlap policy allows.

use super::Rule;
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
}

/// The active contexts of the job are no more than its policy allows.
#[must_use]
pub fn w6_active_contexts(facts: &JobFacts) -> Vec<Finding> {
    let mut rule = Rule::of_job(facts);
    let within = !facts.exists() || facts.active <= facts.allowed();
    rule.check(within, Kind::TooManyActive, || {
        format!(
            "{} has {} active contexts, {} are allowed",
            facts.name,
            facts.active,
            facts.allowed()
        )
    });
    rule.found
}
