//! The ledger checker: holds what a job's ledger says against what its calendar says, due time by due time.
//!
//! For triggers with a calendar, every due time from the first one up to the next one that the job expects must stand in exactly one
//! record, and no other instant in any. For delays, each due time must follow from the end before it. For followers, each matching end
//! of the upstream must have fired once. And whatever fired is one context that ended once, or is still under way.

mod calendar;
mod chain;
mod contexts;
mod follower;
mod story;

use tickwheel_core::job::Trigger;
use tickwheel_core::ledger::LedgerVerdict;

pub use contexts::check as check_contexts;
pub use story::Story;

/// Checks one job by itself.
#[must_use]
pub fn check(story: &Story) -> Vec<String> {
    let mut problems = match story.spec.trigger {
        Trigger::Cron { .. } | Trigger::FixedRate { .. } | Trigger::Once { .. } => {
            calendar::check(story)
        }
        Trigger::FixedDelay { .. } => chain::check(story),
        Trigger::Manual | Trigger::After { .. } => {
            let odd = story
                .scheduled()
                .filter(|record| record.verdict == LedgerVerdict::Fired);
            odd.map(|record| story.problem(format_args!("fired by itself: {record}")))
                .collect()
        }
    };
    problems.extend(contexts::check(story));
    problems
}

/// Checks every job, and each follower with its upstream where that is among `stories`.
#[must_use]
pub fn check_all(stories: &[Story]) -> Vec<String> {
    let mut problems: Vec<String> = stories.iter().flat_map(check).collect();
    for story in stories {
        let Trigger::After { job, on } = &story.spec.trigger else {
            continue;
        };
        if let Some(upstream) = stories.iter().find(|upstream| upstream.spec.name == *job) {
            problems.extend(follower::check(story, upstream, *on));
        }
    }
    problems
}

#[cfg(test)]
mod tests;
