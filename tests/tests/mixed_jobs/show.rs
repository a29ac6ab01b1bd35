//! One show: a cluster, its thousand jobs, and what is checked when they have ended.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::job::Trigger;
use tickwheel_core::ledger::LedgerVerdict;
use tickwheel_proto::v1;
use tickwheel_tests::bins;
use tickwheel_tests::harness::registered::no_problems;
use tickwheel_tests::harness::rig::{TrackerProcess, WorkerProcess};
use tickwheel_tests::harness::{
    Client, Registered, Rig, RigOptions, Run, Snapshot, WorkerOptions, until_clock, wall_ms,
};
use tickwheel_tests::invariants;
use tickwheel_tests::ledger::{Story, check_all};
use tokio::task::JoinHandle;

use crate::jobs::{Span, specs};

const LIMIT: Duration = Duration::from_secs(60);
/// Registration takes a few seconds; nothing fires before it is done, so that followers see every end.
const HEAD_START_MS: u64 = 6_000;

/// A cluster with its jobs.
pub(crate) struct Show {
    pub(crate) rig: Rig,
    pub(crate) trackers: Vec<TrackerProcess>,
    pub(crate) workers: Vec<WorkerProcess>,
    span: Span,
    jobs: Registered,
    calls: JoinHandle<u64>,
}

/// What came of it, after all checks.
pub(crate) struct Outcome {
    pub(crate) stories: Vec<Story>,
    pub(crate) runs: Vec<Run>,
    snapshot: Snapshot,
    calls: u64,
}

pub(crate) fn worker_options() -> WorkerOptions {
    WorkerOptions {
        permits: 128,
        ..WorkerOptions::default()
    }
}

impl Show {
    /// Starts three trackers and two workers, and registers the jobs, which fire for `seconds`. Where `durable`, Redis keeps what it has over restarts,
    /// and knows trackers as the user that is shipped.
    pub(crate) async fn begin(seconds: u64, durable: bool) -> Result<Option<Self>> {
        let options = RigOptions {
            partitions: 16,
            durable,
            as_user: durable,
            ..RigOptions::default()
        };
        let Some(rig) = Rig::start(Some(bins!()), options).await? else {
            return Ok(None);
        };
        let trackers = rig.trackers(3).await?;
        let mut workers = Vec::new();
        for _ in 0..2 {
            workers.push(rig.worker(&trackers, worker_options()).await?);
        }
        let mut client = client_of_first(&rig, &trackers).await?;
        let start = wall_ms() + HEAD_START_MS;
        let span = Span {
            start,
            end: start + 1_000 * seconds,
        };
        let jobs = Registered::apply(&mut client, specs(span)?).await?;
        ensure!(
            wall_ms() < span.start,
            "registering took longer than {HEAD_START_MS} ms"
        );
        let api = jobs.specs().filter(|spec| spec.trigger == Trigger::Manual);
        let api = api.map(|spec| spec.name.to_string()).collect();
        let calls = tokio::spawn(call_api_jobs(client, api, span.end));
        Ok(Some(Self {
            rig,
            trackers,
            workers,
            span,
            jobs,
            calls,
        }))
    }

    /// Waits until so many percent of the span are over.
    pub(crate) async fn until_percent(&self, percent: u64) {
        until_clock(self.span.start + (self.span.end - self.span.start) * percent / 100).await;
    }

    /// Waits for the end of the span, pauses whatever fires by itself, waits until everything has ended, and checks everything.
    pub(crate) async fn end(self) -> Result<Outcome> {
        until_clock(self.span.end).await;
        let calls = self.calls.await?;
        let mut client = client_of_first(&self.rig, &self.trackers).await?;
        pause_all(&mut client, &self.jobs).await?;
        let snapshot = self.rig.drained(LIMIT).await?;
        let runs = self.rig.book.read()?;
        let stories = self.jobs.stories(&self.rig, &snapshot)?;
        no_problems(&check_all(&stories))?;
        invariants::require(&invariants::all(&snapshot, &runs))?;
        ensure_readable(&mut client, &stories).await?;
        ensure_everything_ran(&stories)?;
        let refused = self.rig.redis.refused().await?;
        ensure!(refused.is_empty(), "Redis refused: {refused:?}");
        Ok(Outcome {
            stories,
            runs,
            snapshot,
            calls,
        })
    }
}

async fn client_of_first(rig: &Rig, trackers: &[TrackerProcess]) -> Result<Client> {
    rig.client(trackers.first().context("a tracker")?).await
}

/// Runs `api` jobs one after the other until the end of the span; a call that fails is made again, under the same key.
async fn call_api_jobs(mut client: Client, jobs: Vec<String>, end: u64) -> u64 {
    let mut calls = 0;
    let mut cycle = jobs.iter().cycle();
    while wall_ms() < end {
        let Some(name) = cycle.next().cloned() else {
            break;
        };
        let dedup_key = format!("call-{calls}");
        let request = v1::RunJobRequest {
            name,
            dedup_key,
            ..v1::RunJobRequest::default()
        };
        while client.raw.run_job(request.clone()).await.is_err() && wall_ms() < end {
            until_clock(wall_ms() + 100).await;
        }
        calls += 1;
        until_clock(wall_ms() + 20).await;
    }
    calls
}

async fn pause_all(client: &mut Client, jobs: &Registered) -> Result<()> {
    let timed = |trigger: &Trigger| !matches!(trigger, Trigger::Manual | Trigger::After { .. });
    for spec in jobs.specs().filter(|spec| timed(&spec.trigger)) {
        let name = spec.name.as_str();
        let finished = client.job(name).await?.state() == v1::JobState::Finished;
        if !finished && let Err(status) = client.pause(name).await {
            // It finished meanwhile.
            ensure!(
                status.code() == tonic::Code::FailedPrecondition,
                "{status:?}"
            );
        }
    }
    Ok(())
}

/// The ledgers as a caller reads them are those in Redis.
async fn ensure_readable(client: &mut Client, stories: &[Story]) -> Result<()> {
    for story in stories {
        let name = story.spec.name.as_str();
        let read = client.ledger(name).await?;
        ensure!(
            read == story.complete_records(),
            "{name}: the API shows another ledger than Redis has"
        );
    }
    Ok(())
}

/// Followers run only when their upstreams end as they want.
fn ensure_everything_ran(stories: &[Story]) -> Result<()> {
    let follows = |story: &&Story| matches!(story.spec.trigger, Trigger::After { .. });
    let idle = stories
        .iter()
        .filter(|story| story.runs.is_empty() && !follows(story));
    let idle: Vec<&str> = idle.map(|story| story.spec.name.as_str()).collect();
    ensure!(
        idle.is_empty(),
        "{} jobs never ran, say {:?}",
        idle.len(),
        idle.first()
    );
    Ok(())
}

impl Outcome {
    /// Milliseconds from the death of a worker to the next attempt of each context that ran on it.
    pub(crate) fn recoveries(&self, worker: &str) -> Vec<u64> {
        let lost = self
            .runs
            .iter()
            .filter(|run| run.worker == worker && run.outcome == "killed");
        let next = |lost: &Run| {
            let mut later = self.runs.iter().filter(|run| run.context == lost.context);
            let next = later.find(|run| run.attempt > lost.attempt)?;
            Some(next.start_ms.saturating_sub(lost.end_ms?))
        };
        lost.filter_map(next).collect()
    }

    /// Starts of contexts that had ended before: only a worker that was frozen makes them, and they are refused.
    pub(crate) fn late_starts(&self) -> Vec<&Run> {
        let settled = self.stories.iter().flat_map(|story| &story.runs);
        let ended: BTreeMap<&str, u64> = settled
            .map(|run| (run.id.as_str(), run.ended.as_u64()))
            .collect();
        let late = |run: &&Run| {
            ended
                .get(run.context.as_str())
                .is_some_and(|end| *end < run.start_ms)
        };
        self.runs.iter().filter(late).collect()
    }

    /// How late the scheduled due times without jitter were decided, sorted.
    fn lateness(&self) -> Vec<u64> {
        let steady = self
            .stories
            .iter()
            .filter(|story| story.spec.jitter_ms == 0);
        let records = steady.flat_map(|story| &story.records);
        let fired = records.filter(|record| record.context_id.is_none());
        let fired = fired.filter(|record| record.verdict == LedgerVerdict::Fired);
        let late = fired.filter_map(|record| Some(record.decided_ms?.ms_since(record.from)));
        let mut late: Vec<u64> = late.collect();
        late.sort_unstable();
        late
    }

    /// Whether the machine kept up with the jobs: on one that does not, times say nothing.
    pub(crate) fn kept_up(&self) -> bool {
        let late = self.lateness();
        late.get(late.len() / 2).is_some_and(|median| *median <= 20)
    }

    /// One line of figures.
    pub(crate) fn summary(&self, recovery: &[u64]) -> serde_json::Value {
        let records = |verdict| {
            let all = self.stories.iter().flat_map(|story| &story.records);
            let such = all.filter(|record| record.verdict == verdict);
            such.map(|record| record.count).sum::<u64>()
        };
        let late = self.lateness();
        let at = |permille: usize| late.get(late.len().saturating_sub(1) * permille / 1_000);
        serde_json::json!({
            "jobs": self.stories.len(),
            "fired": records(LedgerVerdict::Fired),
            "skipped": records(LedgerVerdict::Skipped),
            "missed": records(LedgerVerdict::Missed),
            "api_calls": self.calls,
            "runs": self.runs.len(),
            "reruns": self.runs.iter().filter(|run| run.attempt > 1).count(),
            "lost_with_worker": recovery.len(),
            "recovery_max_ms": recovery.iter().max(),
            "decided_p50_ms": at(500),
            "decided_p99_ms": at(990),
            "decided_max_ms": late.last(),
            "late_starts": self.late_starts().len(),
            "stale": self.snapshot.stat("stale"),
            "reaped": self.snapshot.stat("reaped"),
            "gaps": 0,
            "doubles": 0,
            "attempts_twice": 0,
        })
    }
}
