//! What the parts of a tracker tell the metrics, one function for each event.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Histogram, counter, gauge, histogram};
use tickwheel_core::id::GroupName;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1::rejection::Reason;
use tickwheel_store::Counters;
use tickwheel_store::lease::{Outcome, Reaped, Settlement, Verdict};
use tickwheel_store::setup::{Eviction, Server};
use tickwheel_store::wheel::{Claim, TurnCounts};

use crate::metrics as names;
use crate::session::Session;

/// A store operation failed.
pub(crate) fn store_error(error: &tickwheel_store::Error) {
    use tickwheel_store::Error;
    let kind = match error {
        Error::Unavailable { .. } => "unavailable",
        Error::Exhausted { .. } => "exhausted",
        Error::Unconfirmed { .. } => "unconfirmed",
        Error::Invalid(_) => "invalid",
        Error::Conflict(_) => "conflict",
        Error::NotFound { .. } => "not_found",
        Error::Contract { .. } => "contract",
        Error::Unusable(_) => "unusable",
    };
    counter!(names::STORE_ERRORS.name, "kind" => kind).increment(1);
}

fn shown(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The counters that scripts keep were read.
pub(crate) fn kept_in_redis(counters: Counters) {
    gauge!(names::PUT_ASIDE.name).set(shown(counters.put_aside));
    gauge!(names::DEAD_DROPPED.name).set(shown(counters.dead_dropped));
}

/// So many contexts of a group wait for its limits.
pub(crate) fn waiting_for_limits(group: &GroupName, contexts: u64) {
    gauge!(names::LIMIT_WAITING.name, "group" => group.to_string()).set(shown(contexts));
}

/// The settings of Redis were looked at.
pub(crate) fn server(server: &Server, eviction: Eviction) {
    let unfit = !server.unfit(eviction).is_empty();
    gauge!(names::REDIS_UNFIT.name).set(if unfit { 1.0 } else { 0.0 });
}

/// Contexts were taken in.
pub(crate) fn submitted(contexts: usize) {
    counter!(names::SUBMITTED.name).increment(contexts as u64);
}

/// A turn decided due times.
pub(crate) fn turned(counts: &TurnCounts) {
    if counts.missed > 0 {
        counter!(names::MISFIRES.name).increment(counts.missed);
    }
    if counts.skipped > 0 {
        counter!(names::SKIPPED.name).increment(counts.skipped);
    }
}

/// Claims are handed to workers, so long after their turn began; `now` is Redis' clock at the claim.
pub(crate) fn dispatched(claims: &[Claim], now: TimestampMs, took: Duration) {
    if claims.is_empty() {
        return;
    }
    counter!(names::DISPATCHED.name).increment(claims.len() as u64);
    histogram!(names::DISPATCH.name).record_many(took, claims.len());
    let lag = histogram!(names::FIRE_LAG.name);
    for claim in claims
        .iter()
        // A subtask has the due time of its root, which says nothing of how long it waited.
        .filter(|claim| claim.member.attempt.as_u32() == 1 && claim.member.id.subtask().is_none())
    {
        let millis = now.as_u64().saturating_sub(claim.member.id.due().as_u64());
        lag.record(Duration::from_millis(millis));
    }
}

/// A batch of settlements is in Redis.
pub(crate) fn settled(settlements: &[Settlement], verdicts: &[Verdict], runs: &[Duration]) {
    let mut succeeding = None;
    let (mut succeeded, mut failed, mut retried, mut refused, mut others) = (0, 0, 0, 0, 0);
    for ((settlement, verdict), ran) in settlements.iter().zip(verdicts).zip(runs) {
        match (verdict, &settlement.outcome) {
            (Verdict::Settled, Outcome::Succeeded(_)) => {
                succeeded += 1;
                let succeeding = succeeding.get_or_insert_with(|| run_seconds("succeeded"));
                succeeding.record(*ran);
            }
            (Verdict::Settled, _) => {
                failed += 1;
                run_seconds("failed").record(*ran);
            }
            (Verdict::Retrying, _) => {
                retried += 1;
                run_seconds("failed").record(*ran);
            }
            (Verdict::Gone | Verdict::LeaseLost, _) => refused += 1,
            (Verdict::Foreign, _) => others += 1,
        }
    }
    let count_runs = |outcome: &'static str, count: u64| {
        if count > 0 {
            counter!(names::RUNS.name, "outcome" => outcome).increment(count);
        }
    };
    count_runs("succeeded", succeeded);
    count_runs("failed", failed + retried);
    if retried > 0 {
        counter!(names::RETRIES.name).increment(retried);
    }
    if refused > 0 {
        counter!(names::STALE_REPORTS.name, "kind" => "settle").increment(refused);
    }
    foreign("settle", others);
}

fn run_seconds(outcome: &'static str) -> Histogram {
    histogram!(names::RUN.name, "outcome" => outcome)
}

/// A partition was turned in place of the tracker that ranks first for it.
pub(crate) fn stood_in() {
    counter!(names::STAND_INS.name).increment(1);
}

/// A report of an older attempt was refused.
pub(crate) fn stale(kind: &'static str) {
    counter!(names::STALE_REPORTS.name, "kind" => kind).increment(1);
}

/// Reports of attempts that another worker holds were refused.
pub(crate) fn foreign(kind: &'static str, reports: u64) {
    if reports > 0 {
        counter!(names::FOREIGN_REPORTS.name, "kind" => kind).increment(reports);
    }
}

/// A lease scan ended.
pub(crate) fn reaped(reaped: &Reaped) {
    if !reaped.lost.is_empty() {
        counter!(names::LEASE_LOST.name).increment(reaped.lost.len() as u64);
    }
    if reaped.timed_out > 0 {
        counter!(names::RUNS.name, "outcome" => "timed_out").increment(reaped.timed_out);
    }
}

/// A worker refused a context.
pub(crate) fn rejected(reason: Reason) {
    counter!(names::REJECTED.name, "reason" => reason.as_str_name()).increment(1);
}

/// Log lines were dropped because too many writes waited.
pub(crate) fn notes_dropped(lines: usize) {
    counter!(names::NOTES_DROPPED.name).increment(lines as u64);
}

/// Redis' clock was set back.
pub(crate) fn clock_regressed() {
    counter!(names::CLOCK_REGRESSED.name).increment(1);
}

/// A connection was closed for this reason.
pub(crate) fn connection_closed(reason: &'static str) {
    counter!(names::CONNECTIONS_CLOSED.name, "reason" => reason).increment(1);
}

/// The workers connected now.
pub(crate) fn sessions(sessions: &[Arc<Session>]) {
    let mut by_group: std::collections::BTreeMap<&str, (f64, f64, f64)> =
        std::collections::BTreeMap::new();
    for session in sessions {
        let free = f64::from(session.credit().available());
        let entry = by_group.entry(session.group.as_str()).or_default();
        *entry = (
            entry.0 + 1.0,
            entry.1 + free,
            entry.2 + f64::from(session.hello.permits) - free,
        );
    }
    for (group, (workers, free, busy)) in by_group {
        gauge!(names::WORKERS.name, "group" => group.to_owned()).set(workers);
        gauge!(names::PERMITS.name, "group" => group.to_owned(), "state" => "free").set(free);
        gauge!(names::PERMITS.name, "group" => group.to_owned(), "state" => "busy").set(busy);
    }
}
