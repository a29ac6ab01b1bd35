//! What goes on while processes die: jobs of every kind, and one tracker and some workers that live on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use parking_lot::Mutex;
use tickwheel_core::id::JobName;
use tickwheel_core::job::{AfterOn, ContextOptions, JobSpec, Overlap, Trigger};
use tickwheel_core::ledger::LedgerVerdict;
use tickwheel_core::partition::{PartitionCount, partition_of};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_store::job::Plan;
use tickwheel_tests::harness::jobs::{
    after, cron, delay, delayed, every, job, job_of, submission, tries, with_options,
};
use tickwheel_tests::harness::registered::no_problems;
use tickwheel_tests::harness::rig::{TrackerProcess, WorkerProcess};
use tickwheel_tests::harness::{Client, Registered, Rig, WorkerOptions, wall_ms};
use tickwheel_tests::ledger::{self, Story};

const LIMIT: Duration = Duration::from_secs(45);
/// Shorter than the sleeping handlers, so that leases are prolonged.
const LEASE_MS: u64 = 1_200;
const SLEEP_MS: u64 = 1_000;
/// Of one job, before the load ends.
const FIRINGS: usize = 10;
/// Nothing fires before all jobs are registered, so that followers see every end.
const HEAD_START_MS: u64 = 1_500;

/// Partitions of the cluster.
pub(crate) const PARTITIONS: u16 = 16;
/// A group with one permit for two trackers: some of what is sent to it is refused.
pub(crate) const TIGHT: &str = "tight";
/// A group of which two may run at once, over all partitions.
pub(crate) const CAPPED: &str = "capped";

/// The cluster that lives on.
pub(crate) struct Load {
    /// Only one, so that the others find something to do.
    pub(crate) trackers: Vec<TrackerProcess>,
    _workers: Vec<WorkerProcess>,
    jobs: Registered,
    confirmed: Mutex<Vec<String>>,
    /// Jobs that were registered with a plan that soon runs out, and their first due times.
    planned: Mutex<Vec<(JobSpec, u64)>>,
    /// Jobs that are run by hand, one in each partition and each with a follower, so that whatever a tracker owns it has ends to tell of.
    by_hand: Vec<String>,
    /// How often one of them was asked to run.
    asked: AtomicUsize,
}

fn options() -> ContextOptions {
    ContextOptions {
        lease_ms: LEASE_MS,
        ..tries(20, 100)
    }
}

/// The job that follows the first one; applying it again changes nothing.
pub(crate) fn follower() -> Result<JobSpec> {
    Ok(JobSpec {
        overlap: Overlap::Parallel(500),
        options: options(),
        ..job("then-0", "ok", after("steady-0", AfterOn::Ended)?)?
    })
}

/// A name for each partition that the partition's job has.
fn names_by_partition() -> Result<Vec<String>> {
    let count = PartitionCount::new(PARTITIONS)?;
    let named = |partition| {
        let names = (0..10_000).filter_map(|number| JobName::new(format!("hand-{number}")).ok());
        let mut there = names.filter(|name| partition_of(name.as_str(), count) == partition);
        let name = there.next().context("a name for each partition")?;
        Ok(name.as_str().to_owned())
    };
    count.partitions().map(named).collect()
}

fn specs(start_at: Option<TimestampMs>, by_hand: &[String]) -> Result<Vec<JobSpec>> {
    let mut specs = Vec::new();
    for number in 0..16_u64 {
        let (handler, argument) = match number % 4 {
            0 => ("fail", 1),
            1 => ("sleep", 100),
            _ => ("ok", number),
        };
        let trigger = match number % 4 {
            2 => delay(150),
            3 => cron("* * * * * *"),
            _ => every(250 + 10 * number),
        };
        let overlap = [Overlap::Discard, Overlap::Queue(50), Overlap::Parallel(50)];
        let spec = job_of(&format!("steady-{number}"), handler, argument, trigger)?;
        specs.push(JobSpec {
            overlap: overlap
                .into_iter()
                .nth(usize::try_from(number % 3)?)
                .unwrap_or_default(),
            options: options(),
            start_at,
            ..spec
        });
    }
    for number in 1..8 {
        let upstream = format!("steady-{}", number * 2);
        specs.push(JobSpec {
            overlap: Overlap::Parallel(500),
            options: options(),
            ..job(
                &format!("then-{number}"),
                "ok",
                after(&upstream, AfterOn::Ended)?,
            )?
        });
    }
    specs.push(follower()?);
    for name in by_hand {
        let triggers = [
            (name.clone(), Trigger::Manual),
            (format!("{name}-then"), after(name, AfterOn::Ended)?),
        ];
        for (name, trigger) in triggers {
            specs.push(JobSpec {
                overlap: Overlap::Parallel(500),
                options: options(),
                ..job(&name, "ok", trigger)?
            });
        }
    }
    Ok(specs)
}

impl Load {
    pub(crate) async fn begin(rig: &Rig) -> Result<Self> {
        let trackers = rig.trackers(1).await?;
        let tight = WorkerOptions {
            group: TIGHT.to_owned(),
            permits: 1,
            ..WorkerOptions::default()
        };
        let capped = WorkerOptions {
            group: CAPPED.to_owned(),
            ..WorkerOptions::default()
        };
        let workers = vec![
            rig.worker(&trackers, WorkerOptions::default()).await?,
            rig.worker(&trackers, tight).await?,
            rig.worker(&trackers, capped).await?,
        ];
        let mut client = rig.client(trackers.first().context("a tracker")?).await?;
        let two_at_once = v1::Limit {
            concurrency: Some(2),
            rate: None,
        };
        let limits = v1::GroupLimits {
            group: CAPPED.to_owned(),
            all: Some(two_at_once),
            ..v1::GroupLimits::default()
        };
        client.raw.set_limits(limits).await?;
        let start_at = Some(TimestampMs::new(wall_ms() + HEAD_START_MS));
        let by_hand = names_by_partition()?;
        let jobs = Registered::apply(&mut client, specs(start_at, &by_hand)?).await?;
        Ok(Self {
            trackers,
            _workers: workers,
            jobs,
            confirmed: Mutex::default(),
            planned: Mutex::default(),
            by_hand,
            asked: AtomicUsize::new(0),
        })
    }

    /// Registers a job whose due times are soon used up, so that whoever turns its partition plans it.
    pub(crate) async fn add_short_plan(&self, rig: &Rig, name: &str) -> Result<()> {
        let spec = JobSpec {
            options: options(),
            ..job(name, "ok", cron("* * * * * *"))?
        };
        let now = rig.store.time().await?.as_u64();
        let first = TimestampMs::new(now - now % 1_000 + 1_000);
        let plan = Plan {
            dues: vec![first, first.plus_ms(1_000)],
            end: false,
        };
        let applied = rig.store.apply_job(&spec, &plan).await?;
        ensure!(applied.next_due == Some(first), "{applied:?}");
        self.planned.lock().push((spec, first.as_u64()));
        Ok(())
    }

    /// More than `group`, the tight or the capped one, can run at once, for every tracker to send there.
    pub(crate) async fn ask_too_much(
        &self,
        client: &mut Client,
        group: &str,
    ) -> Result<(), tonic::Status> {
        for _ in 0..4 {
            let context = v1::Submission {
                group: group.to_owned(),
                ..with_options(submission("sleep", 20), options())
            };
            // Each call goes to another partition.
            let ids = client.submit(vec![context.clone(), context]).await?;
            self.confirmed.lock().extend(ids);
        }
        Ok(())
    }

    /// Asks a tracker for everything that callers ask for. An error is no failure: it dies in the middle.
    pub(crate) async fn ask(&self, client: &mut Client) -> Result<(), tonic::Status> {
        let mut contexts = Vec::new();
        for number in 0..6_u64 {
            let handler = if number == 0 { "fail" } else { "ok" };
            let context = delayed(submission(handler, 1), Duration::from_millis(number * 30));
            contexts.push(with_options(context, options()));
        }
        contexts.push(with_options(submission("sleep", SLEEP_MS), options()));
        contexts.push(delayed(submission("ok", 1), Duration::from_secs(3_600)));
        let ids = client.submit(contexts).await?;
        let far = ids.last().cloned().unwrap_or_default();
        self.confirmed.lock().extend(ids);
        let turn = self.asked.fetch_add(1, Ordering::Relaxed);
        if let Some(name) = self.by_hand.get(turn % self.by_hand.len()) {
            client.run(name).await?;
        }
        client.cancel(&far).await?;
        let again = follower().map_err(|wrong| tonic::Status::internal(wrong.to_string()))?;
        client.apply(&[again]).await?;
        Ok(())
    }

    /// Ends the load, and checks everything.
    pub(crate) async fn end(self, rig: &Rig) -> Result<serde_json::Value> {
        let mut client = rig
            .client(self.trackers.first().context("a tracker")?)
            .await?;
        client.fired("steady-1", FIRINGS, LIMIT).await?;
        let planned = std::mem::take(&mut *self.planned.lock());
        let planned_specs = planned.iter().map(|(spec, _)| spec);
        for spec in self.jobs.specs().chain(planned_specs) {
            client.pause(spec.name.as_str()).await?;
        }
        let snapshot = rig.drained(LIMIT).await?;
        let mut stories = self.jobs.check_quiet(rig, &snapshot).await?;
        for (spec, first) in planned {
            let job = snapshot.job(spec.name.as_str()).context("a planned job")?;
            let records = job.ledger.clone();
            let story = Story::new(spec, Some(first), records, job, rig.store.partitions());
            no_problems(&ledger::check(&story))?;
            stories.push(story);
        }
        let confirmed = std::mem::take(&mut *self.confirmed.lock());
        let (mut far, mut blamed) = (0, 0);
        for id in &confirmed {
            let context = client.context(id).await?;
            let state = context.state();
            if state == v1::ContextState::Scheduled {
                // Its caller died before it cancelled it.
                far += 1;
                continue;
            }
            let ended = [v1::ContextState::Succeeded, v1::ContextState::Cancelled];
            // Trackers die one after the other: on a busy machine a context may lose three leases in a row, and is taken for the cause.
            let unlucky =
                state == v1::ContextState::Failed && context.error.contains("its lease ran out");
            blamed += usize::from(unlucky);
            ensure!(unlucky || ended.contains(&state), "{id} is {state:?}");
        }
        ensure!(
            20 * blamed <= confirmed.len(),
            "{blamed} of {} contexts lost every lease",
            confirmed.len()
        );
        let records = stories.iter().flat_map(|story| &story.records);
        let fired = records
            .filter(|record| record.verdict == LedgerVerdict::Fired)
            .count();
        ensure!(
            fired > 10 * FIRINGS && confirmed.len() > 50,
            "{fired} firings and {} contexts are no load",
            confirmed.len()
        );
        let runs = rig.book.read()?;
        Ok(serde_json::json!({
            "fired": fired,
            "submitted": confirmed.len(),
            "not_due": far,
            "runs": runs.len(),
            "reruns": runs.iter().filter(|run| run.attempt > 1).count(),
            "lost": 0,
            "same_fence_twice": 0,
        }))
    }
}
