//! W7: what waits will end: whoever has to look at it has an entry in the wheel.

use tickwheel_core::partition::PartitionId;

use super::rule::Rule;
use crate::check::{At, ContextFacts, Evidence, Finding, JobFacts, Kind, Place, Record, Subject};
use crate::job::JobState;

/// The longest a lease scan may lie in the future while something runs: it is set to the earliest end of a lease. An offered delivery
/// comes back to the wheel as much later.
const AHEAD_MS: u64 = 1_000;
/// Between two calls of one deletion there is no more.
const DELETION_MS: u64 = 60_000;

/// A running context has a lease scan before the end of its lease, and a deadline if it has a timeout; a waiting one with a start deadline
/// that is to come has an entry for it.
#[must_use]
pub fn w7_context_will_end(facts: &ContextFacts) -> Vec<Finding> {
    let mut rule = Rule::of_context(facts);
    let id = &facts.id;
    for occurrence in &facts.occurrences {
        match &occurrence.record {
            Record::Running(held) => {
                let expires = held.expires.as_u64();
                scan_in_time(&mut rule, facts, expires);
                let has_timeout = held.rest.options.timeout_ms.is_some();
                let agrees = has_timeout == held.deadline.is_some();
                rule.check(agrees, Kind::NoDeadline, || {
                    let has = |thing: bool| if thing { "a" } else { "no" };
                    format!(
                        "{id} has {} timeout and {} deadline",
                        has(has_timeout),
                        has(held.deadline.is_some())
                    )
                });
            }
            Record::Waiting(member) => {
                let options = &member.rest.options;
                let again = options.again_ms > 0 && member.failures == 0;
                let fresh = member.attempt.as_u32() == 0 || again;
                let Some(span) = options.start_deadline_ms.filter(|_| fresh) else {
                    continue;
                };
                let from = id.due().as_u64().saturating_add(options.again_ms);
                let ahead = from.saturating_add(span) > facts.now;
                let evidence = || {
                    vec![Evidence {
                        key: occurrence.place.key(),
                        at: occurrence
                            .at
                            .as_ref()
                            .map(At::to_string)
                            .unwrap_or_default(),
                        text: occurrence.head.clone(),
                    }]
                };
                rule.check_at(
                    facts.watched || !ahead,
                    Kind::NoStartDeadline,
                    evidence,
                    || format!("{id} has a start deadline, and nothing in the wheel for it"),
                );
            }
            Record::Unreadable => {}
        }
    }
    rule.found
}

fn scan_in_time(rule: &mut Rule, facts: &ContextFacts, expires: u64) {
    let scan = facts.scan.as_ref();
    let at = scan.and_then(At::ms);
    // A scan that is under way stands a second ahead.
    let in_time = at.is_some_and(|at| at <= expires.max(facts.now).saturating_add(AHEAD_MS));
    let subject = std::mem::replace(&mut rule.subject, Subject::Scan);
    rule.check(in_time, Kind::NoLeaseScan, || {
        let scan = scan.map_or_else(|| "none".to_owned(), At::to_string);
        format!(
            "the lease of {} ends at {expires}, the next lease scan: {scan}",
            facts.id
        )
    });
    rule.subject = subject;
}

/// While anything runs, even what cannot be read, a lease scan is planned.
#[must_use]
pub fn w7_scan_is_planned(partition: PartitionId, running: u64, scan: Option<&At>) -> Vec<Finding> {
    let mut rule = Rule {
        partition,
        subject: Subject::Scan,
        found: Vec::new(),
    };
    let planned = running == 0 || scan.is_some_and(|at| at.ms().is_some());
    rule.check(planned, Kind::NoLeaseScan, || {
        format!("{running} contexts run, and no lease scan is planned")
    });
    rule.found
}

/// What waits in the overlap queue of a job waits for those that are active, as many as may be.
#[must_use]
pub fn w7_queue_moves(facts: &JobFacts) -> Vec<Finding> {
    let mut rule = Rule::of_job(facts);
    let full = facts.active >= facts.allowed();
    let moves = !facts.exists() || facts.queued == 0 || full;
    rule.check(moves, Kind::QueueStuck, || {
        format!(
            "{} contexts of {} wait for an earlier one, and {} are active of {} that may be",
            facts.queued,
            facts.name,
            facts.active,
            facts.allowed()
        )
    });
    rule.found
}

/// The deletion of a job that began goes on: its calls follow each other.
#[must_use]
pub fn w7_deletion_goes_on(facts: &JobFacts) -> Vec<Finding> {
    let mut rule = Rule::of_job(facts);
    let since = facts.number("updated_ms").unwrap_or(0);
    let stuck = facts.field("state") == JobState::Deleting.as_str()
        && since.saturating_add(DELETION_MS) < facts.now;
    rule.check(!stuck, Kind::DeletionStuck, || {
        format!(
            "the deletion of {} stopped at {since}, and it is {}",
            facts.name, facts.now
        )
    });
    rule.found
}

/// The entry of a delivery to a follower comes up within a second.
#[must_use]
pub fn w7_delivery_is_near(partition: PartitionId, entry: &str, at: &At, now: u64) -> Vec<Finding> {
    let mut rule = Rule {
        partition,
        subject: Subject::Entry(entry.to_owned()),
        found: Vec::new(),
    };
    let near = at.ms().is_some_and(|at| at <= now.saturating_add(AHEAD_MS));
    let evidence = || {
        vec![Evidence {
            key: Place::Wheel.key(),
            at: at.to_string(),
            text: entry.to_owned(),
        }]
    };
    rule.check_at(near, Kind::DeliveryLate, evidence, || {
        format!("the delivery `{entry}` lies at {at}, and it is {now}")
    });
    rule.found
}
