//! What the parts of a tracker tell the metrics, one function for each event.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics::{Histogram, counter, gauge, histogram};
use parking_lot::Mutex;
use tickwheel_core::id::GroupName;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1::rejection::Reason;
use tickwheel_store::history::Sizes;
use tickwheel_store::lease::{Outcome, Reaped, Settlement, Verdict};
use tickwheel_store::setup::{Eviction, Server};
use tickwheel_store::wheel::{Claim, Gauges, TurnCounts};
use tickwheel_store::{Counters, Hearing};

use super::definitions as names;

/// A store operation failed.
pub(crate) fn store_error(error: &tickwheel_store::Error) {
    use tickwheel_store::Error;
    let kind = match error {
        Error::Partly { cause, .. } => return store_error(cause),
        Error::Unavailable { .. } => "unavailable",
        Error::Exhausted { .. } | Error::Full(_) => "exhausted",
        Error::Unconfirmed { .. } => "unconfirmed",
        Error::Invalid(_) => "invalid",
        Error::Conflict(_) => "conflict",
        Error::Changed { .. } => "changed",
        Error::NotFound { .. } => "not_found",
        Error::Contract { .. } => "contract",
        Error::Damaged { .. } => "damaged",
        Error::Unusable(_) => "unusable",
    };
    counter!(names::STORE_ERRORS.name, "kind" => kind).increment(1);
}

fn shown(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Keys of the cluster that have another type than they should, as the last heartbeat found.
pub(crate) fn damaged_keys(count: usize) {
    gauge!(names::DAMAGED_KEYS.name).set(shown(u64::try_from(count).unwrap_or(u64::MAX)));
}

/// The counters that scripts keep were read.
pub(crate) fn kept_in_redis(counters: Counters) {
    gauge!(names::PUT_ASIDE.name).set(shown(counters.put_aside));
    gauge!(names::ASIDES_DROPPED.name).set(shown(counters.asides_dropped));
    gauge!(names::DEAD_DROPPED.name).set(shown(counters.dead_dropped));
    gauge!(names::FOLLOWERS_UNTOLD.name).set(shown(counters.followers_untold));
    gauge!(names::COUNTERS_RESET.name).set(shown(counters.reset));
    for (kind, count) in [
        ("logs", counters.logs_dropped),
        ("results", counters.results_dropped),
    ] {
        gauge!(names::HISTORY_DROPPED.name, "kind" => kind).set(shown(count));
    }
}

/// What the history takes, in all partitions.
pub(crate) fn history(sizes: Sizes) {
    for (kind, bytes) in [
        ("logs", sizes.logs),
        ("results", sizes.results),
        ("dead", sizes.dead),
        ("events", sizes.events),
    ] {
        gauge!(names::HISTORY_BYTES.name, "kind" => kind).set(shown(bytes));
    }
}

/// How many wake channels are heard.
pub(crate) fn wake_channels(hearing: Hearing) {
    let Hearing {
        subscribed,
        expected,
    } = hearing;
    let states = [
        ("subscribed", subscribed),
        ("missing", expected - subscribed),
    ];
    for (state, channels) in states {
        gauge!(names::WAKE_CHANNELS.name, "state" => state).set(shown(channels as u64));
    }
}

/// So many contexts of a group wait for its limits.
pub(crate) fn waiting_for_limits(group: &GroupName, contexts: u64) {
    gauge!(names::LIMIT_WAITING.name, "group" => label(group.as_str())).set(shown(contexts));
}

/// The settings of Redis were looked at.
pub(crate) fn server(server: &Server, eviction: Eviction) {
    let misconfigured = !server.misconfigured(eviction).is_empty();
    gauge!(names::REDIS_UNFIT.name).set(if misconfigured { 1.0 } else { 0.0 });
}

/// Contexts were taken in.
pub(crate) fn submitted(contexts: usize) {
    counter!(names::SUBMITTED.name).increment(contexts as u64);
}

/// What the partitions hold that this tracker turns.
pub(crate) fn held(gauges: Gauges) {
    gauge!(names::WHEEL_ENTRIES.name).set(shown(gauges.entries));
    gauge!(names::OVERDUE.name).set(shown(gauges.overdue));
    gauge!(names::OLDEST_OVERDUE.name).set(gauges.oldest.as_secs_f64());
    gauge!(names::BACKLOG.name).set(shown(gauges.waiting));
    gauge!(names::RUNNING.name).set(shown(gauges.running));
    gauge!(names::DEAD.name).set(shown(gauges.dead));
}

/// So many partitions cannot be turned.
pub(crate) fn stuck(partitions: usize) {
    gauge!(names::PARTITION_STUCK.name).set(shown(partitions as u64));
}

/// An item of a worker could not be read.
pub(crate) fn item_refused(kind: &'static str) {
    counter!(names::ITEMS_REFUSED.name, "kind" => kind).increment(1);
}

/// Values of a worker were left out.
pub(crate) fn values_dropped(kind: &'static str, values: usize) {
    if values > 0 {
        counter!(names::VALUES_DROPPED.name, "kind" => kind).increment(values as u64);
    }
}

/// A turn decided due times.
pub(crate) fn turned(counts: &TurnCounts) {
    if counts.unread > 0 {
        counter!(names::OFFERS_UNREAD.name).increment(counts.unread);
    }
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
pub(crate) fn took_over() {
    counter!(names::TAKEOVERS.name).increment(1);
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

/// The certificate that is served is good until then.
pub(crate) fn tls_expires(at: u64) {
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact")]
    gauge!(names::TLS_EXPIRES.name).set(at as f64);
}

/// Whether the files of `[tls]` hold what cannot be served.
pub(crate) fn tls_unfit(unfit: bool) {
    gauge!(names::TLS_UNFIT.name).set(f64::from(u8::from(unfit)));
}

/// Somebody was refused by what its token says.
pub(crate) fn refused_access(reason: &'static str) {
    counter!(names::ACCESS_REFUSED.name, "reason" => reason).increment(1);
}

/// Somebody of this class asked for more than it may.
pub(crate) fn refused_quota(class: &'static str, of: &'static str) {
    counter!(names::QUOTA_REFUSED.name, "class" => class, "of" => of).increment(1);
}

/// Events of the audit are in the log alone.
pub(crate) fn audit_lost(events: usize) {
    let events = u64::try_from(events).unwrap_or(u64::MAX);
    counter!(names::AUDIT_LOST.name).increment(events);
}

/// Groups that gauges name; the workers of further ones are shown together.
const GROUPS_MAX: usize = 100;
/// The name of the further ones; no group can have it.
const OTHERS: &str = "(other)";

/// The groups that gauges name: a series cannot be taken back, so a name keeps its place.
static NAMED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The label of a group.
fn label(group: &str) -> String {
    let mut named = NAMED.lock();
    if !named.contains(group) {
        if named.len() >= GROUPS_MAX {
            return OTHERS.to_owned();
        }
        named.insert(group.to_owned());
    }
    group.to_owned()
}

/// How the workers of one group do.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GroupFigures {
    pub(crate) workers: u64,
    /// Permits.
    pub(crate) free: u64,
    /// Permits.
    pub(crate) busy: u64,
}

/// The workers connected now.
pub(crate) fn workers(by_group: &BTreeMap<GroupName, GroupFigures>) {
    // Those that are gone have none.
    let named = NAMED.lock().clone();
    let known = named.into_iter().chain([OTHERS.to_owned()]);
    let mut by_label: BTreeMap<String, GroupFigures> = known
        .map(|label| (label, GroupFigures::default()))
        .collect();
    for (group, figures) in by_group {
        let sum = by_label.entry(label(group.as_str())).or_default();
        sum.workers += figures.workers;
        sum.free += figures.free;
        sum.busy += figures.busy;
    }
    for (group, figures) in by_label {
        gauge!(names::WORKERS.name, "group" => group.clone()).set(shown(figures.workers));
        gauge!(names::PERMITS.name, "group" => group.clone(), "state" => "free")
            .set(shown(figures.free));
        gauge!(names::PERMITS.name, "group" => group, "state" => "busy").set(shown(figures.busy));
    }
}

/// A round of a task of the tracker is over: so many calls were answered, and so many were not.
pub(crate) fn round(task: &'static str, done: u64, failed: u64) {
    counter!(names::ROUNDS.name, "task" => task).increment(1);
    for (result, calls) in [("done", done), ("failed", failed)] {
        counter!(names::ROUND_CALLS.name, "task" => task, "result" => result).increment(calls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(names: impl Iterator<Item = String>) -> BTreeMap<GroupName, GroupFigures> {
        let one = GroupFigures {
            workers: 1,
            free: 3,
            busy: 1,
        };
        names.map(|name| (name.parse().unwrap(), one)).collect()
    }

    #[test]
    fn what_is_heard_and_what_stands_still_has_its_value() {
        let recorder = crate::metrics::recorder().unwrap();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            wake_channels(Hearing {
                subscribed: 13,
                expected: 16,
            });
            stuck(2);
            for failed in [0, 3] {
                round("heartbeat", 1, failed);
            }
        });
        let text = handle.render();
        for line in [
            "tickwheel_wake_channels{state=\"subscribed\"} 13",
            "tickwheel_wake_channels{state=\"missing\"} 3",
            "tickwheel_partition_stuck 2",
            "tickwheel_rounds_total{task=\"heartbeat\"} 2",
            "tickwheel_round_calls_total{task=\"heartbeat\",result=\"failed\"} 3",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in {text}");
        }
        metrics::with_local_recorder(&recorder, || {
            wake_channels(Hearing {
                subscribed: 16,
                expected: 16,
            });
            stuck(0);
        });
        let text = handle.render();
        assert!(text.contains("tickwheel_wake_channels{state=\"missing\"} 0"));
        assert!(text.contains("tickwheel_partition_stuck 0"));
    }

    #[test]
    fn gauges_of_groups_are_bounded_and_what_is_gone_is_zero() {
        let recorder = crate::metrics::recorder().unwrap();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            workers(&groups(["alpha".to_owned()].into_iter()));
            workers(&groups((0..3_000).map(|number| format!("g{number}"))));
        });
        let text = handle.render();
        let workers = |line: &&str| line.starts_with("tickwheel_workers{");
        let series: Vec<&str> = text.lines().filter(workers).collect();
        assert_eq!(series.len(), GROUPS_MAX + 1);
        assert!(series.contains(&"tickwheel_workers{group=\"alpha\"} 0"));
        assert!(series.contains(&"tickwheel_workers{group=\"g0\"} 1"));
        let others = format!("tickwheel_workers{{group=\"{OTHERS}\"}} 2901");
        assert!(series.contains(&others.as_str()), "{series:?}");
        assert!(text.contains("tickwheel_permits{group=\"g0\",state=\"free\"} 3"));
    }
}
