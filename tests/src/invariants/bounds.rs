//! W9: whatever grows has a bound.

use tickwheel_core::invariant::Invariant;
use tickwheel_core::limits::{
    ATTEMPTS_MAX, BODY_BYTES_MAX, LOG_LINES_MAX, QUEUE_MAX, RESULT_BYTES_MAX, UPCOMING_MAX,
};

use super::{Broken, Findings};
use crate::harness::Snapshot;
use crate::harness::snapshot::{Job, Partition};

/// Entries of a partition's stream of events; it is trimmed by whole nodes of 100.
const EVENTS_MAX: usize = 1_200;
const DEAD_MAX: usize = 10_000;
const FOLLOWERS_MAX: usize = 100;
/// Lists are trimmed a few records late, so that not every write trims.
const LEDGER_SLACK: u64 = 132;
const RUNS_SLACK: u64 = 16;

/// Sizes of streams, lists, queues, plans, bodies and results; and the keys of single contexts do not live for ever.
#[must_use]
pub fn w9_everything_is_bounded(snapshot: &Snapshot) -> Vec<Broken> {
    let mut found = Findings::new(Invariant::W9);
    for partition in &snapshot.partitions {
        keys(&mut found, partition);
        for (name, job) in &partition.jobs {
            of_job(&mut found, name.as_str(), job);
        }
        for held in partition.held.values() {
            found.check(held.attempt.as_u32() <= 10 * ATTEMPTS_MAX, || {
                format!("{} attempts", held.attempt)
            });
        }
        for (_, member) in partition.ready.values().flatten().chain(&partition.planned) {
            let (failures, most) = (member.failures, member.rest.options.retry.max_attempts);
            found.check(failures < most, || {
                format!("{} waits with {failures} failures of {most}", member.id)
            });
            found.check(member.rest.body.len() <= BODY_BYTES_MAX, || {
                format!("{} has {} bytes", member.id, member.rest.body.len())
            });
        }
    }
    found.broken
}

fn keys(found: &mut Findings, partition: &Partition) {
    for key in &partition.keys {
        let (kind, _) = key.name.split_once(':').unwrap_or((&key.name, ""));
        let most = match kind {
            "events" => Some(EVENTS_MAX),
            // With scores.
            "dead" => Some(2 * DEAD_MAX),
            "log" => Some(LOG_LINES_MAX),
            "result" => Some(RESULT_BYTES_MAX),
            _ => None,
        };
        found.check(most.is_none_or(|most| key.length <= most), || {
            format!("{} has {} elements", key.name, key.length)
        });
        let mortal = matches!(kind, "dedup" | "log" | "progress" | "result");
        found.check(!mortal || key.ttl_ms >= 0, || {
            format!("{} lives for ever", key.name)
        });
    }
}

fn of_job(found: &mut Findings, name: &str, job: &Job) {
    let size = |list: usize| u64::try_from(list).unwrap_or(u64::MAX);
    if let Some(limit) = job.number("ledger_limit") {
        found.check(size(job.ledger.len()) <= limit + LEDGER_SLACK, || {
            format!(
                "{name} has {} ledger records, {limit} are kept",
                job.ledger.len()
            )
        });
    }
    if let Some(limit) = job.number("runs_limit") {
        found.check(size(job.runs.len()) <= limit + RUNS_SLACK, || {
            format!("{name} has {} runs, {limit} are kept", job.runs.len())
        });
    }
    let waiting = match (job.field("overlap"), job.number("overlap_limit")) {
        ("queue", Some(limit)) => limit,
        // The one that waits, or the newest that replaces.
        ("queue_one" | "replace", _) => 1,
        ("", _) => u64::from(QUEUE_MAX),
        _ => 0,
    };
    found.check(size(job.queue.len()) <= waiting, || {
        format!(
            "{name} has {} contexts waiting, {waiting} are allowed",
            job.queue.len()
        )
    });
    let planned = job.field("plan").split_whitespace().count();
    found.check(planned <= UPCOMING_MAX, || {
        format!("{name} has {planned} due times planned")
    });
    let followers = job.field("followers").split_whitespace().count();
    found.check(followers <= FOLLOWERS_MAX, || {
        format!("{name} has {followers} followers")
    });
}
