//! Signs of life of workers, in calls of a bounded size.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_proto::v1::Resource;
use tickwheel_store::roster::{ReportedResource, WorkerReport, WorkerSign};
use tokio::time::Instant;

use crate::sessions::Session;

/// Workers written in one call: the script's bound.
const WORKERS_MAX: usize = 1_000;
/// Bytes of the reports of one call, so that it takes Redis some milliseconds at most.
const REPORTS_BYTES_MAX: usize = 262_144;
/// The same of one beat: a thousand workers with a thousand handlers are signed for at once, and reported of one after the other.
const REPORTED_MAX: usize = 4 * REPORTS_BYTES_MAX;
/// Calls of one beat. With more workers than they carry, beats take turns: signs are valid for three of them.
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

/// The signs of those that were heard of lately, beginning with the session at `from`; and where the next beat begins, so that all are
/// signed for, and then reported of, when one beat does not carry them.
pub(super) fn calls(
    sessions: &[Arc<Session>],
    from: usize,
    fresh: Fresh,
) -> (Vec<Vec<WorkerSign>>, usize) {
    let (before, behind) = sessions.split_at(from.min(sessions.len()));
    let mut calls: Vec<Vec<WorkerSign>> = vec![Vec::new()];
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
        if let Some(sign) = sign_of(session, fresh, may_report) {
            let more = sign.report.as_ref().map_or(0, WorkerReport::bytes);
            (bytes, reported) = (bytes + more, reported + more);
            if let Some(call) = calls.last_mut() {
                call.push(sign);
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

/// The sign of a worker that calls this tracker its home and was heard of lately, with its report when that is due and there is room.
fn sign_of(
    session: &Session,
    Fresh { now, within }: Fresh,
    may_report: bool,
) -> Option<WorkerSign> {
    let mut beat = session.beat();
    if !beat.home || beat.at.is_none_or(|at| now.duration_since(at) > within) {
        return None;
    }
    let due = may_report
        && beat
            .written
            .is_none_or(|written| now.duration_since(written) >= REPORT_EVERY);
    let report = due.then(|| {
        beat.written = Some(now);
        let hello = &session.hello;
        let report = beat.report.unwrap_or_default();
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
    Some(WorkerSign {
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
    use tickwheel_proto::v1::Beat;

    use super::*;
    use crate::sessions::stand_in;

    fn homes(count: usize, handlers: &[&str]) -> Vec<Arc<Session>> {
        let one = |number| {
            let session = stand_in(&format!("w{number:05}"), "g", handlers, 1);
            session.heard(Beat {
                home: true,
                ..Beat::default()
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

    fn workers(calls: &[Vec<WorkerSign>]) -> BTreeSet<WorkerId> {
        let signs = calls.iter().flatten();
        signs.map(|sign| sign.worker.clone()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn every_worker_is_signed_for_in_each_beat_even_beyond_one_call() {
        let sessions = homes(1_200, &["h"]);
        for _ in 0..3 {
            let (calls, next) = calls(&sessions, 0, fresh());
            assert_eq!((calls.len(), next), (2, 0));
            assert_eq!(workers(&calls).len(), 1_200);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn beats_take_turns_where_one_does_not_carry_all() {
        let sessions = homes(CALLS_MAX * WORKERS_MAX + 500, &["h"]);
        let (first, next) = calls(&sessions, 0, fresh());
        let (second, _) = calls(&sessions, next, fresh());
        assert!(
            first
                .iter()
                .chain(&second)
                .all(|call| call.len() <= WORKERS_MAX)
        );
        assert_eq!(first.len(), CALLS_MAX);
        let mut signed = workers(&first);
        signed.append(&mut workers(&second));
        assert_eq!(signed.len(), sessions.len());
    }

    #[tokio::test(start_paused = true)]
    async fn long_reports_are_spread_over_calls_and_beats_and_keep_nobody_from_being_signed_for() {
        let long: Vec<String> = (0..250).map(|n| format!("{n:0>128}")).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let sessions = homes(100, &long);
        let (mut reported, mut from) = (Vec::new(), 0);
        // More than two reports of each are due in that time.
        for beat in 0..12 {
            let (calls, next) = calls(&sessions, from, fresh());
            assert_eq!(workers(&calls).len(), 100, "beat {beat}");
            let size = |call: &Vec<WorkerSign>| {
                let reports = call.iter().filter_map(|sign| sign.report.as_ref());
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
            let signs = calls.iter().flatten().filter(|sign| sign.report.is_some());
            reported.extend(signs.map(|sign| sign.worker.clone()));
            from = next;
            tokio::time::advance(Duration::from_secs(1)).await;
            for session in &sessions {
                session.heard(Beat {
                    home: true,
                    ..Beat::default()
                });
            }
        }
        let once: BTreeSet<_> = reported[..100].iter().collect();
        assert_eq!(once.len(), 100, "everybody, before anybody comes again");
        assert!(reported.len() > 150, "{}", reported.len());
    }
}
