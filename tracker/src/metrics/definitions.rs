//! Every metric of a tracker: its name, kind, unit and description. The names are part of the public interface.
//!
//! Labels are words of a small set (an outcome, a group, a script), never a job or a context: each of their values is a time series.

use metrics::Unit;

/// How a metric's value moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// As a monitoring system sees it.
    pub name: &'static str,
    /// How its value moves.
    pub kind: Kind,
    /// What its value counts.
    pub unit: Unit,
    /// One sentence, with the labels in braces.
    pub help: &'static str,
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric {
        name,
        kind: Kind::Counter,
        unit: Unit::Count,
        help,
    }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric {
        name,
        kind: Kind::Gauge,
        unit: Unit::Count,
        help,
    }
}

const fn seconds(name: &'static str, help: &'static str) -> Metric {
    Metric {
        name,
        kind: Kind::Histogram,
        unit: Unit::Seconds,
        help,
    }
}

/// Due time to claim, by Redis' clock.
pub const FIRE_LAG: Metric = seconds(
    "tickwheel_fire_lag_seconds",
    "From the due time of a context to its first claim.",
);
/// Turn to hand-over.
pub const DISPATCH: Metric = seconds(
    "tickwheel_dispatch_seconds",
    "From the beginning of the turn that claimed a context to its place on a worker's stream.",
);
/// Arrival to end.
pub const RUN: Metric = seconds(
    "tickwheel_run_seconds",
    "From the arrival of an attempt at its worker to the end of its handler {outcome}.",
);
/// Contexts taken in.
pub const SUBMITTED: Metric = counter(
    "tickwheel_submitted_total",
    "Contexts accepted from callers.",
);
/// Contexts handed out.
pub const DISPATCHED: Metric = counter("tickwheel_dispatched_total", "Attempts handed to workers.");
/// Attempts settled.
pub const RUNS: Metric = counter(
    "tickwheel_runs_total",
    "Attempts that were settled {outcome}.",
);
/// Attempts that will be followed by another.
pub const RETRIES: Metric = counter(
    "tickwheel_retries_total",
    "Attempts that were followed by a place in the wheel for the next one.",
);
/// Due times that did not fire because they were late.
pub const MISFIRES: Metric = counter(
    "tickwheel_misfires_total",
    "Due times that were missed; the ledger of each job tells why.",
);
/// Due times that did not fire because of the job's own rules.
pub const SKIPPED: Metric = counter(
    "tickwheel_skipped_total",
    "Due times that were skipped; the ledger of each job tells why.",
);
/// Leases that expired.
pub const LEASE_LOST: Metric = counter(
    "tickwheel_lease_lost_total",
    "Attempts whose lease expired and was reaped.",
);
/// Frames of attempts that are no longer the newest.
pub const STALE_REPORTS: Metric = counter(
    "tickwheel_stale_reports_total",
    "Reports of an older attempt, which were refused.",
);
/// Frames of attempts that another worker holds.
pub const FOREIGN_REPORTS: Metric = counter(
    "tickwheel_foreign_reports_total",
    "Reports of attempts that another worker holds, which were refused {kind}.",
);
/// Contexts that a worker refused.
pub const REJECTED: Metric = counter(
    "tickwheel_rejected_total",
    "Contexts that a worker refused and that were routed again {reason}.",
);
/// Items of workers that could not be read.
pub const ITEMS_REFUSED: Metric = counter(
    "tickwheel_items_refused_total",
    "Settlements, renewals, rejections, pages and notes of workers that could not be read {kind}.",
);
/// Values of workers that were left out.
pub const VALUES_DROPPED: Metric = counter(
    "tickwheel_worker_values_dropped_total",
    "Figures of workers that are no numbers, and resources that their Hellos did not name {kind=figure|resource}.",
);
/// Offers that turns left out.
pub const OFFERS_UNREAD: Metric = counter(
    "tickwheel_offers_unread_total",
    "Offers of workers, and placements, that a turn could not read and left out.",
);
/// What is in the wheel.
pub const WHEEL_ENTRIES: Metric = gauge(
    "tickwheel_wheel_entries",
    "Entries of the wheel, due times of jobs and contexts that wait for theirs, in the partitions that this tracker turns.",
);
/// What is late.
pub const OVERDUE: Metric = gauge(
    "tickwheel_overdue",
    "Entries of the wheel whose time has come and that no turn took yet, in the partitions that this tracker turns.",
);
/// How late.
pub const OLDEST_OVERDUE: Metric = Metric {
    name: "tickwheel_oldest_overdue_seconds",
    kind: Kind::Gauge,
    unit: Unit::Seconds,
    help: "How long ago the time of the first overdue entry came, in the partitions that this tracker turns.",
};
/// What waits for permits.
pub const BACKLOG: Metric = gauge(
    "tickwheel_backlog",
    "Contexts that wait for permits, of about 64 queues of each partition that this tracker turns.",
);
/// What runs.
pub const RUNNING: Metric = gauge(
    "tickwheel_running",
    "Contexts that workers hold, in the partitions that this tracker turns.",
);
/// What ended without success.
pub const DEAD: Metric = gauge(
    "tickwheel_dead",
    "Contexts that ended without success and are kept, in the partitions that this tracker turns.",
);
/// Partitions that cannot be turned.
pub const PARTITION_STUCK: Metric = gauge(
    "tickwheel_partition_stuck",
    "Partitions whose turns by this tracker have failed for ten seconds or longer.",
);
/// Log lines that were not written.
pub const NOTES_DROPPED: Metric = counter(
    "tickwheel_notes_dropped_total",
    "Log lines dropped because too many writes waited.",
);
/// Records that were put aside.
pub const PUT_ASIDE: Metric = gauge(
    "tickwheel_records_put_aside",
    "Records that no script could use, ever, in the whole cluster; the quarantine keys have the newest.",
);
/// Keys of wrong types that were deleted.
pub const ASIDES_DROPPED: Metric = gauge(
    "tickwheel_asides_dropped",
    "Keys of wrong types that had made room for ours and were deleted for newer ones, ever, in the whole cluster.",
);
/// Dead contexts that were forgotten.
pub const DEAD_DROPPED: Metric = gauge(
    "tickwheel_dead_dropped",
    "Dead contexts that were forgotten because there were too many, ever, in the whole cluster.",
);
/// Ends that followers of other namespaces did not hear of.
pub const FOLLOWERS_UNTOLD: Metric = gauge(
    "tickwheel_followers_untold",
    "Ends that followers of other namespaces were not told of because `followed_by` does not name theirs, ever, in the whole cluster.",
);
/// Keys of a wrong type.
pub const DAMAGED_KEYS: Metric = gauge(
    "tickwheel_cluster_keys_damaged",
    "Keys of the cluster (roster, limits, groups) that had another type than they should at the last heartbeat.",
);
/// Counters in Redis that began anew.
pub const COUNTERS_RESET: Metric = gauge(
    "tickwheel_counters_reset",
    "Counters in Redis that began anew because something else than a number lay there, ever, in the whole cluster.",
);
/// Jumps of Redis' clock to an earlier time.
pub const CLOCK_REGRESSED: Metric = counter(
    "tickwheel_clock_regressed_total",
    "Times at which Redis' clock showed an earlier time than before.",
);
/// Partitions whose first tracker did not do its work.
pub const TAKEOVERS: Metric = counter(
    "tickwheel_takeovers_total",
    "Times at which a partition was overdue by a second and this tracker, which does not rank first for it, turned it.",
);
/// Wake channels.
pub const WAKE_CHANNELS: Metric = gauge(
    "tickwheel_wake_channels",
    "Wake channels, one for each partition {state=subscribed|missing}; what is submitted while one is missing is found a second late.",
);
/// Connections for wake messages that heard nothing.
pub const WAKE_DEAF: Metric = counter(
    tickwheel_store::WAKE_DEAF,
    "Connections for wake messages that did not hear what was published, and were replaced.",
);
/// What ended contexts left.
pub const HISTORY_BYTES: Metric = Metric {
    unit: Unit::Bytes,
    ..gauge(
        "tickwheel_history_bytes",
        "Bytes that ended contexts take in Redis, over all partitions {kind=logs|results|dead|events}; events: at most.",
    )
};
/// What made room.
pub const HISTORY_DROPPED: Metric = gauge(
    "tickwheel_history_dropped",
    "Logs and results that made room for newer ones since the cluster was created {kind=logs|results}.",
);
/// Live workers.
pub const WORKERS: Metric = gauge(
    "tickwheel_workers",
    "Workers connected to this tracker {group}.",
);
/// Permits of live workers.
pub const PERMITS: Metric = gauge(
    "tickwheel_permits",
    "Permits of the connected workers {group, state=free|busy}.",
);
/// What waits for limits.
pub const LIMIT_WAITING: Metric = gauge(
    "tickwheel_limit_waiting",
    "Contexts that are known to wait for a limit of their group or of their key, in the partitions that this tracker turns {group}.",
);
/// Time in Redis and on the way to it.
pub const SCRIPT: Metric = seconds(
    tickwheel_store::SCRIPT_SECONDS,
    "Time of a script call as its caller sees it {script}.",
);
/// Failed calls.
pub const STORE_ERRORS: Metric = counter(
    "tickwheel_store_errors_total",
    "Store operations that failed {kind}.",
);
/// Answered calls of the scheduler service.
pub const GRPC: Metric = seconds(
    "tickwheel_grpc_seconds",
    "Time to answer a call {method, code}.",
);
/// Answers to requests of programs.
pub const HTTP: Metric = seconds(
    "tickwheel_http_seconds",
    "Time to answer a request of the HTTP API, or of xcron {operation, status}.",
);
/// Connections that peers lost by what they did.
pub const CONNECTIONS_CLOSED: Metric = counter(
    "tickwheel_connections_closed_total",
    "Connections of gRPC that were closed because there are too many, or of what their peer did; of both listeners for handshakes of TLS {reason=full|address|silent|flood|stuck|handshake}.",
);
/// Whoever was not believed, or asked for more than it may have.
pub const ACCESS_REFUSED: Metric = counter(
    "tickwheel_access_refused_total",
    "Calls and streams that were refused by what their token says, and streams that were ended by it {reason}.",
);
/// Whoever asked for more than it may.
pub const QUOTA_REFUSED: Metric = counter(
    "tickwheel_quota_refused_total",
    "Calls that were refused because there were too many of them, or of what they bring {class, of}.",
);
/// What was done and is not written down.
pub const AUDIT_LOST: Metric = counter(
    "tickwheel_audit_lost_total",
    "Events of the audit that Redis did not take; the log has them.",
);
/// What a tracker does again and again.
pub const ROUNDS: Metric = counter(
    "tickwheel_rounds_total",
    "Rounds of what a tracker does again and again {task}.",
);
/// What it called for that.
pub const ROUND_CALLS: Metric = counter(
    "tickwheel_round_calls_total",
    "Calls of these rounds, by whether they were answered {task, result=done|failed}.",
);
/// Whether Redis may hold a store.
pub const REDIS_UNFIT: Metric = gauge(
    "tickwheel_redis_unfit",
    "1 while the settings of redis lose jobs: it evicts keys, or is too old.",
);
/// Until when the certificate is good.
pub const TLS_EXPIRES: Metric = Metric {
    name: "tickwheel_tls_certificate_expires_timestamp_seconds",
    kind: Kind::Gauge,
    unit: Unit::Seconds,
    help: "When the certificate that is served expires, in seconds since 1970.",
};
/// Whether a new certificate could not be taken up.
pub const TLS_UNFIT: Metric = gauge(
    "tickwheel_tls_unfit",
    "1 while the files of [tls] hold what cannot be served; the certificate before is served on.",
);
/// Always 1.
pub const BUILD_INFO: Metric = gauge(
    "tickwheel_build_info",
    "The version that runs {version}; always 1.",
);

/// All of them, in the order of a context's way.
pub const ALL: [Metric; 53] = [
    FIRE_LAG,
    DISPATCH,
    RUN,
    SUBMITTED,
    DISPATCHED,
    RUNS,
    RETRIES,
    MISFIRES,
    SKIPPED,
    LEASE_LOST,
    STALE_REPORTS,
    FOREIGN_REPORTS,
    REJECTED,
    ITEMS_REFUSED,
    VALUES_DROPPED,
    OFFERS_UNREAD,
    WHEEL_ENTRIES,
    OVERDUE,
    OLDEST_OVERDUE,
    BACKLOG,
    RUNNING,
    DEAD,
    PARTITION_STUCK,
    NOTES_DROPPED,
    PUT_ASIDE,
    ASIDES_DROPPED,
    DEAD_DROPPED,
    FOLLOWERS_UNTOLD,
    COUNTERS_RESET,
    DAMAGED_KEYS,
    HISTORY_BYTES,
    HISTORY_DROPPED,
    CLOCK_REGRESSED,
    TAKEOVERS,
    WAKE_CHANNELS,
    WAKE_DEAF,
    WORKERS,
    PERMITS,
    LIMIT_WAITING,
    SCRIPT,
    STORE_ERRORS,
    GRPC,
    HTTP,
    CONNECTIONS_CLOSED,
    ACCESS_REFUSED,
    QUOTA_REFUSED,
    AUDIT_LOST,
    ROUNDS,
    ROUND_CALLS,
    REDIS_UNFIT,
    TLS_EXPIRES,
    TLS_UNFIT,
    BUILD_INFO,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_prefixed_and_end_in_their_unit() {
        let names: BTreeSet<&str> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            assert!(metric.name.starts_with("tickwheel_"), "{}", metric.name);
            match metric.kind {
                Kind::Counter => assert!(metric.name.ends_with("_total"), "{}", metric.name),
                Kind::Histogram => assert!(metric.name.ends_with("_seconds"), "{}", metric.name),
                Kind::Gauge => assert!(!metric.name.ends_with("_total"), "{}", metric.name),
            }
            assert!(metric.help.ends_with('.'), "{}", metric.name);
        }
    }
}
