//! W4: a recurring, enabled job goes on.

use tickwheel_core::job::AfterOn;

use super::rule::Rule;
use crate::check::{Finding, JobFacts, Kind};
use crate::job::JobState;

/// A turn puts back what it cannot decide yet, and offers a job without due times for planning, at most so far ahead.
const AHEAD_MS: u64 = 1_000;
/// What a job can be.
const KINDS: [&str; 6] = [
    "cron",
    "fixed_rate",
    "fixed_delay",
    "once",
    "manual",
    "after",
];

/// An active job with a calendar has its entry in the wheel; one with a delay has it, or a scheduled firing that will give it one. A
/// paused, finished or absent job has none. The list of jobs and the jobs agree.
#[must_use]
pub fn w4_goes_on(facts: &JobFacts) -> Vec<Finding> {
    let mut rule = Rule::of_job(facts);
    let name = &facts.name;
    if !facts.exists() {
        rule.check(!facts.listed, Kind::ListedForNothing, || {
            format!("{name} is in the list of jobs, and there is no such job")
        });
        rule.check(facts.entry.is_none(), Kind::ArmedForNothing, || {
            format!("`@{name}` is in the wheel, and there is no such job")
        });
        return rule.found;
    }
    rule.check(facts.owner == facts.partition, Kind::WrongPartition, || {
        format!("{name} belongs to partition {}", facts.owner)
    });
    rule.check(facts.listed, Kind::NotListed, || {
        format!("{name} is not in the list of jobs")
    });
    if let Some(unreadable) = unreadable(facts) {
        rule.check(false, Kind::BadJob, || {
            format!("{name} has {unreadable} `{}`", facts.field(unreadable))
        });
        return rule.found;
    }
    armed(&mut rule, facts);
    rule.found
}

/// The name of a field that cannot be read.
fn unreadable(facts: &JobFacts) -> Option<&'static str> {
    let state = facts.field("state");
    if !JobState::ALL.iter().any(|word| word.as_str() == state) {
        return Some("state");
    }
    if !KINDS.contains(&facts.field("kind")) {
        return Some("kind");
    }
    if facts.field("digest").is_empty() {
        return Some("digest");
    }
    let numbers = [
        "next",
        "last",
        "period",
        "anchor",
        "fired",
        "manual",
        "max_runs",
        "end_at",
        "jitter",
        "overlap_limit",
        "ledger_limit",
        "runs_limit",
        "revision",
        "finished_ms",
    ];
    let wrong = numbers.into_iter().find(|field| {
        let text = facts.field(field);
        !text.is_empty() && text.parse::<u64>().is_err()
    });
    let plan = || {
        let mut dues = facts.field("plan").split_whitespace();
        dues.any(|due| due.parse::<u64>().is_err())
            .then_some("plan")
    };
    let followers = || {
        let mut all = facts.field("followers").split_whitespace();
        let known = |on: &str| AfterOn::ALL.iter().any(|word| word.as_str() == on);
        let bad = all.any(|one| !one.split_once(':').is_some_and(|(_, on)| known(on)));
        bad.then_some("followers")
    };
    wrong.or_else(plan).or_else(followers)
}

fn armed(rule: &mut Rule, facts: &JobFacts) {
    let (name, state, kind) = (&facts.name, facts.field("state"), facts.field("kind"));
    let has_entry = facts.entry.is_some();
    let (needed, allowed) = match (state, kind) {
        ("active", "cron" | "fixed_rate" | "once") => (true, true),
        // Both at once is possible after a new revision.
        ("active", "fixed_delay") => (!facts.under_way, true),
        _ => (false, false),
    };
    rule.check(has_entry || !needed, Kind::NotArmed, || {
        format!(
            "{name} ({kind}) is active and not in the wheel, and nothing of it is under way; next `{}`",
            facts.field("next")
        )
    });
    rule.check(!has_entry || allowed, Kind::ArmedForNothing, || {
        format!("{name} ({kind}) is {state} and in the wheel")
    });
    if let Some(entry) = facts.entry.as_ref().filter(|_| allowed) {
        let next = facts.number("next");
        let jitter = facts.number("jitter").unwrap_or(0);
        let latest = next
            .map_or(0, |next| next.saturating_add(jitter))
            .max(facts.now + AHEAD_MS);
        let in_time = entry.ms().is_some_and(|entry| entry <= latest);
        rule.check(in_time, Kind::ArmedLate, || {
            format!(
                "{name} ({kind}) is in the wheel at {entry}; next `{}`",
                facts.field("next")
            )
        });
    }
}
