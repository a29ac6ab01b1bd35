//! W4 and W9: a job and those that follow it know of each other. The two lie in partitions of their own, so that the walk compares them.

use super::rule::Rule;
use crate::check::{Finding, JobFacts, Kind};

/// Whoever is to be told exists and follows the job; whoever follows another one is told by it, once it is registered; and nobody waits for
/// the registration of a job that is registered.
#[must_use]
pub fn followers_agree(facts: &JobFacts) -> Vec<Finding> {
    let mut rule = Rule::of_job(facts);
    let name = &facts.name;
    for gone in &facts.gone {
        rule.check(false, Kind::FollowerGone, || {
            format!("{name} is to tell {gone}, which does not exist or does not follow it")
        });
    }
    rule.check(!facts.untold, Kind::FollowerUntold, || {
        let (upstream, on) = facts.follows().unwrap_or_default();
        format!("{name} waits until {upstream} has {on}, and that one is not to tell it")
    });
    let told = !facts.exists() || facts.awaited.is_empty();
    rule.check(told, Kind::FollowerUntold, || {
        format!(
            "{name} is registered, and `{}` still wait for that",
            facts.awaited
        )
    });
    rule.found
}
