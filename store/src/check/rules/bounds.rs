//! W9: whatever grows has a bound.

use tickwheel_core::bounds::{
    ATTEMPTS_MAX, BODY_BYTES_MAX, LOG_BYTES_MAX, QUEUE_MAX, RESULT_BYTES_MAX, UPCOMING_MAX,
};
use tickwheel_core::partition::PartitionId;

use super::rule::Rule;
use crate::check::grammar::{ANY_TYPE, Name};
use crate::check::{ContextFacts, Finding, JobFacts, KeyFacts, Kind, Place, Record, Subject};
use crate::history::{Budget, Sizes};
use crate::job::FOLLOWERS_MAX;

/// Placements of a partition.
const PLACEMENTS_MAX: u64 = 1_000;
/// Workers of a placement: those offered to one turn, and as many that were.
const ROUTE_MAX: u64 = 3_000;
/// Entries of a partition's stream of events; it is trimmed by whole nodes of 100.
const EVENTS_MAX: u64 = 1_200;
/// Parts of a split context that are kept behind its end.
const PARTS_KEPT: u64 = 1_000;
const DEAD_MAX: u64 = 10_000;
/// Records that a repair could not read and put aside.
const QUARANTINE_MAX: u64 = 1_000;
/// Keys of wrong types that made room for ours.
const ASIDES_MAX: u64 = 100;
/// Lists are trimmed a few records late, so that not every write trims.
const LEDGER_SLACK: u64 = 132;
const RUNS_SLACK: u64 = 16;
/// Refused attempts use up numbers without being failures.
const ATTEMPTS_SEEN_MAX: u32 = 10 * ATTEMPTS_MAX;
/// A context that a repair found lost goes on from here, above every number that was given out.
const RECOVERED_ATTEMPT: u32 = 1_000_000;

fn size(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Attempts, failures and the body of a context.
#[must_use]
pub fn w9_context_is_bounded(facts: &ContextFacts) -> Vec<Finding> {
    let mut rule = Rule::of_context(facts);
    let id = &facts.id;
    for occurrence in &facts.occurrences {
        match &occurrence.record {
            Record::Running(held) => {
                let number = held.attempt.as_u32();
                let few = number <= ATTEMPTS_SEEN_MAX || number >= RECOVERED_ATTEMPT;
                rule.check(few, Kind::TooMany, || format!("{id} has {number} attempts"));
            }
            Record::Waiting(member) => {
                let (failures, most) = (member.failures, member.rest.options.retry.max_attempts);
                // A split context whose attempts are used up ends with the last of its subtasks.
                let ends = matches!(occurrence.place, Place::Fan(_));
                rule.check(failures < most || ends, Kind::TooMany, || {
                    format!("{id} waits with {failures} failures of {most}")
                });
                rule.check(
                    size(occurrence.body_len) <= size(BODY_BYTES_MAX),
                    Kind::TooMany,
                    || format!("{id} has {} bytes", occurrence.body_len),
                );
            }
            Record::Unreadable => {}
        }
    }
    rule.found
}

/// The ledger, the runs, the queue, the plan and the followers of a job; and nothing is left of one that does not exist.
#[must_use]
pub fn w9_job_is_bounded(facts: &JobFacts) -> Vec<Finding> {
    let mut rule = Rule::of_job(facts);
    let name = &facts.name;
    if !facts.exists() {
        let left = facts.ledger + facts.runs + facts.queued;
        rule.check(left == 0, Kind::Leftover, || {
            format!(
                "there is no job {name}, and it has {} ledger records, {} runs and {} queued contexts",
                facts.ledger, facts.runs, facts.queued
            )
        });
        return rule.found;
    }
    let (ledger, runs) = (facts.number("ledger_limit"), facts.number("runs_limit"));
    let kept = ledger.is_none_or(|limit| facts.ledger <= limit + LEDGER_SLACK);
    rule.check(kept, Kind::TooMany, || {
        format!(
            "{name} has {} ledger records, {} are kept",
            facts.ledger,
            ledger.unwrap_or_default()
        )
    });
    let kept = runs.is_none_or(|limit| facts.runs <= limit + RUNS_SLACK);
    rule.check(kept, Kind::TooMany, || {
        let most = runs.unwrap_or_default();
        format!("{name} has {} runs, {most} are kept", facts.runs)
    });
    let waiting = match (facts.field("overlap"), facts.number("overlap_limit")) {
        ("queue", Some(limit)) => limit,
        // The one that waits, or the newest that replaces.
        ("queue_one" | "replace", _) => 1,
        ("", _) => u64::from(QUEUE_MAX),
        _ => 0,
    };
    let waiting = waiting.max(facts.surplus().1);
    rule.check(facts.queued <= waiting, Kind::TooMany, || {
        format!(
            "{name} has {} contexts waiting, {waiting} are allowed",
            facts.queued
        )
    });
    let planned = facts.field("plan").split_whitespace().count();
    rule.check(planned <= UPCOMING_MAX, Kind::TooMany, || {
        format!("{name} has {planned} due times planned")
    });
    let followers = facts.followers().count();
    rule.check(followers <= FOLLOWERS_MAX, Kind::TooMany, || {
        format!("{name} has {followers} followers")
    });
    rule.found
}

/// A key is one of ours, has the type of its kind, is no larger than it may be, and lives for ever only if it may.
#[must_use]
pub fn w9_key_is_bounded(facts: &KeyFacts) -> Vec<Finding> {
    let name = &facts.name;
    let mut rule = Rule {
        partition: facts.partition,
        subject: Subject::Key(name.clone()),
        found: Vec::new(),
    };
    if facts.kind == "none" {
        return rule.found;
    }
    let Some((known, kind)) = Name::parse(name) else {
        rule.check(false, Kind::UnknownKey, || {
            format!(
                "nobody makes a key `{name}` ({}, {} elements)",
                facts.kind, facts.size
            )
        });
        return rule.found;
    };
    if facts.kind != kind && kind != ANY_TYPE {
        rule.check(false, Kind::WrongType, || {
            format!("`{name}` is a {} instead of a {kind}", facts.kind)
        });
        return rule.found;
    }
    let most = match known {
        Name::Fixed("events") => Some(EVENTS_MAX),
        Name::Fixed("dead") => Some(DEAD_MAX),
        Name::Fixed("quarantine") => Some(QUARANTINE_MAX),
        Name::Fixed("asides") => Some(ASIDES_MAX),
        // Entries: each of them takes 16 bytes of the bound besides its lines.
        Name::Mortal("log") => Some(size(LOG_BYTES_MAX) / 16),
        Name::Mortal("result") => Some(size(RESULT_BYTES_MAX)),
        // Parts, and the summary in front of them.
        Name::Mortal("split") => Some(PARTS_KEPT + 1),
        Name::Fixed("placements") => Some(PLACEMENTS_MAX),
        Name::Route(_) => Some(ROUTE_MAX),
        Name::Fixed(_)
        | Name::Ready(_)
        | Name::Tags(_)
        | Name::Limit(_)
        | Name::OfJob(..)
        | Name::OfRoot(..)
        | Name::Subtraced(_)
        | Name::Traces(_)
        | Name::Aside
        | Name::Mortal(_) => None,
    };
    rule.check(
        most.is_none_or(|most| facts.size <= most),
        Kind::TooMany,
        || format!("`{name}` has {} elements", facts.size),
    );
    let mortal = matches!(known, Name::Mortal(_));
    rule.check(!mortal || facts.ttl_ms >= 0, Kind::Immortal, || {
        format!("`{name}` lives for ever")
    });
    rule.found
}

/// What ended contexts left keeps to the budgets of its partition.
#[must_use]
pub fn w9_history_is_bounded(partition: PartitionId, sizes: Sizes, budget: Budget) -> Vec<Finding> {
    let mut found = Vec::new();
    for (key, kind, taken, allowed) in [
        ("traces", "logs", sizes.logs, budget.logs),
        ("traces", "results", sizes.results, budget.results),
        (
            "dead",
            "contexts that ended without success",
            sizes.dead,
            budget.dead,
        ),
    ] {
        let mut rule = Rule {
            partition,
            subject: Subject::Key(key.to_owned()),
            found: Vec::new(),
        };
        rule.check(taken <= allowed, Kind::TooMany, || {
            format!("{kind} take {taken} bytes of the partition, {allowed} are allowed")
        });
        found.append(&mut rule.found);
    }
    found
}
