//! Heartbeats of workers, in calls of a bounded size.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_proto::v1::Resource;
use tickwheel_store::roster::{ReportedResource, WorkerHeartbeat, WorkerReport};
use tokio::time::Instant;

use crate::sessions::Session;

/// Workers written in one call: the script's bound.
const WORKERS_MAX: usize = 1_000;
/// Bytes of the reports of one call, so that it takes Redis some milliseconds at most.
const REPORTS_BYTES_MAX: usize = 262_144;
/// The same of one heartbeat: a thousand workers with a thousand handlers have one at once, and are reported of one after
/// the other.
const REPORTED_MAX: usize = 4 * REPORTS_BYTES_MAX;
/// Calls of one heartbeat. With more workers than they carry, heartbeats take turns: each is valid for three of them.
const CALLS_MAX: usize = 16;
/// A worker's figures are written at least this often, so that they do not expire, and at most this often.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// Who was heard of lately.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fresh {
    pub(super) now: Instant,
    /// Before it.
    pub(super) within: Duration,
}

/// The heartbeats of those that were heard of lately, beginning with the session at `from`; and where the next call begins, so that all
/// have one, and are then reported of, when one call does not carry them.
pub(super) fn calls(
    sessions: &[Arc<Session>],
    from: usize,
    fresh: Fresh,
) -> (Vec<Vec<WorkerHeartbeat>>, usize) {
    let (before, behind) = sessions.split_at(from.min(sessions.len()));
    let mut calls: Vec<Vec<WorkerHeartbeat>> = vec![Vec::new()];
    let (mut bytes, mut reported, mut looked) = (0, 0, 0);
    let mut last_reported = None;
    for session in behind.iter().chain(before) {
        let full = calls.last().is_some_and(|call| call.len() >= WORKERS_MAX);
        if full || bytes >= REPORTS_BYTES_MAX {
            if calls.len() == CALLS_MAX {
                break;
            }
            calls.push(Vec::new());
            bytes = 0;
        }
        looked += 1;
        let may_report = reported < REPORTED_MAX;
        if may_report {
            last_reported = Some(looked);
        }
        if let Some(heartbeat) = heartbeat_of(session, fresh, may_report) {
            let more = heartbeat.report.as_ref().map_or(0, WorkerReport::bytes);
            (bytes, reported) = (bytes + more, reported + more);
            if let Some(call) = calls.last_mut() {
                call.push(heartbeat);
            }
        }
    }
    let done = if looked < sessions.len() {
        looked
    } else {
        last_reported.unwrap_or(looked)
    };
    let next = if done < sessions.len() {
        (from + done) % sessions.len()
    } else {
        0
    };
    (calls, next)
}

/// The heartbeat of a worker whose primary tracker is this one, and that was heard of lately; with its report when that is due and there
/// is room.
fn heartbeat_of(
    session: &Session,
    Fresh { now, within }: Fresh,
    may_report: bool,
) -> Option<WorkerHeartbeat> {
    let mut heartbeat = session.heartbeat();
    if !heartbeat.primary
        || heartbeat
            .at
            .is_none_or(|at| now.duration_since(at) > within)
    {
        return None;
    }
    let due = may_report
        && heartbeat
            .written
            .is_none_or(|written| now.duration_since(written) >= REPORT_EVERY);
    let report = due.then(|| {
        heartbeat.written = Some(now);
        let hello = &session.hello;
        let report = heartbeat.report.unwrap_or_default();
        WorkerReport {
            handlers: Arc::clone(session.handlers().names()),
            permits: hello.permits,
            tags: hello.tags.clone(),
            host: hello.host.clone(),
            version: hello.sdk_version.clone(),
            running: report.running,
            cpu_load: report.cpu_load,
            memory_used: report.memory_used,
            memory_total: report.memory_total,
            cpus: report.cpus,
            load: report.load,
            resources: resources(session),
        }
    });
    Some(WorkerHeartbeat {
        worker: session.worker.clone(),
        group: session.group.clone(),
        report,
    })
}

fn resources(session: &Session) -> Vec<ReportedResource> {
    let reported = |one: Resource| ReportedResource {
        name: one.name,
        used: one.used,
        total: one.total,
        reserved: one.reserved,
    };
    session.resources().into_iter().map(reported).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tickwheel_core::id::WorkerId;
    use tickwheel_proto::v1::Heartbeat;

    use super::*;
    use crate::sessions::transport;

    fn primaries(count: usize, handlers: &[&str]) -> Vec<Arc<Session>> {
        let one = |number| {
            let session = transport(&format!("w{number:05}"), "g", handlers, 1);
            session.heard(Heartbeat {
                primary: true,
                ..Heartbeat::default()
            });
            session
        };
        (0..count).map(one).collect()
    }

    fn fresh() -> Fresh {
        Fresh {
            now: Instant::now(),
            within: Duration::from_secs(2),
        }
    }

    fn workers(calls: &[Vec<WorkerHeartbeat>]) -> BTreeSet<WorkerId> {
        let heartbeats = calls.iter().flatten();
        heartbeats
            .map(|heartbeat| heartbeat.worker.clone())
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn every_worker_is_written_in_each_heartbeat_even_beyond_one_call() {
        let sessions = primaries(1_200, &["h"]);
        for _ in 0..3 {
            let (calls, next) = calls(&sessions, 0, fresh());
            assert_eq!((calls.len(), next), (2, 0));
            assert_eq!(workers(&calls).len(), 1_200);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn beats_take_turns_where_one_does_not_carry_all() {
        let sessions = primaries(CALLS_MAX * WORKERS_MAX + 500, &["h"]);
        let (first, next) = calls(&sessions, 0, fresh());
        let (second, _) = calls(&sessions, next, fresh());
        assert!(
            first
                .iter()
                .chain(&second)
                .all(|call| call.len() <= WORKERS_MAX)
        );
        assert_eq!(first.len(), CALLS_MAX);
        let mut written = workers(&first);
        written.append(&mut workers(&second));
        assert_eq!(written.len(), sessions.len());
    }

    #[tokio::test(start_paused = true)]
    async fn long_reports_are_spread_over_calls_and_heartbeats_and_keep_nobody_from_being_signed_for()
     {
        let long: Vec<String> = (0..250).map(|n| format!("{n:0>128}")).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let sessions = primaries(100, &long);
        let (mut reported, mut from) = (Vec::new(), 0);
        // More than two reports of each are due in that time.
        for heartbeat in 0..12 {
            let (calls, next) = calls(&sessions, from, fresh());
            assert_eq!(workers(&calls).len(), 100, "heartbeat {heartbeat}");
            let size = |call: &Vec<WorkerHeartbeat>| {
                let reports = call
                    .iter()
                    .filter_map(|heartbeat| heartbeat.report.as_ref());
                reports.map(WorkerReport::bytes).sum::<usize>()
            };
            let sizes: Vec<usize> = calls.iter().map(size).collect();
            assert!(
                sizes.iter().all(|size| *size < REPORTS_BYTES_MAX + 40_000),
                "{sizes:?}"
            );
            assert!(
                sizes.iter().sum::<usize>() < REPORTED_MAX + 40_000,
                "{sizes:?}"
            );
            let heartbeats = calls
                .iter()
                .flatten()
                .filter(|heartbeat| heartbeat.report.is_some());
            reported.extend(heartbeats.map(|heartbeat| heartbeat.worker.clone()));
            from = next;
            tokio::time::advance(Duration::from_secs(1)).await;
            for session in &sessions {
                session.heard(Heartbeat {
                    primary: true,
                    ..Heartbeat::default()
                });
            }
        }
        let once: BTreeSet<_> = reported[..100].iter().collect();
        assert_eq!(once.len(), 100, "everybody, before anybody comes again");
        assert!(reported.len() > 150, "{}", reported.len());
    }
}
