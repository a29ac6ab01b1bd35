//! Jobs that each fire every second: no due time may be missing or doubled.
//!
//! Registering and firing are bounded in time: where the cluster falls behind, the run ends all the same, and what has not started by then
//! is counted as missed.

use std::time::Duration;

use anyhow::{Result, bail};
use futures::StreamExt;
use serde_json::Value;
use tickwheel_proto::v1::{JobSpec, Overlap, Trigger, overlap, trigger};
use tokio::time::Instant;

use crate::args::Options;
use crate::caller::Trackers;
use crate::floor;
use crate::report::{self, Line, Spread, count, round};
use crate::rig::Rig;

/// Due times of the first seconds are left out: the jobs have just been registered.
const WARM_UP_MS: u64 = 2_000;
/// A due time that has not started this long after the last one is missed.
const GRACE_MS: u64 = 2_000;
/// Jobs of one call, and calls on the way at once.
const BATCH: usize = 500;
const CALLS: usize = 8;
/// Registering is given up after this.
const REGISTERED_WITHIN: Duration = Duration::from_secs(120);

pub(crate) async fn run(options: &Options) -> Result<Value> {
    let jobs = options.jobs.unwrap_or(10_000);
    let seconds = options.seconds.unwrap_or(30);
    let mut rig = Rig::start(options).await?;
    rig.start_workers().await?;
    // Registering 4,000 jobs per second is slow; where it is slower still, the first of them fire meanwhile, which is no harm.
    let anchor = rig.redis.now_ms().await? + 2_000 + (jobs as u64) / 4;
    rig.say(&format!("registering {jobs} jobs, each every second"));
    let asked = Instant::now();
    register(&rig.trackers, jobs, anchor).await?;
    let registering = asked.elapsed().as_secs_f64();
    let now = rig.redis.now_ms().await?;
    // Whole seconds of the anchor's grid, in each of which each job has exactly one due time.
    let late = now.saturating_sub(anchor).div_ceil(1000) * 1000;
    let from = anchor + late + WARM_UP_MS;
    let to = from + seconds * 1000;
    super::sleep_until_ms(now, from).await;
    rig.redis.forget_long_calls().await?;
    let before = rig.read().await?;
    rig.say(&format!("firing for {seconds} s"));
    super::sleep_until_ms(rig.redis.now_ms().await?, to).await;
    let after = rig.read().await?;
    super::sleep_until_ms(rig.redis.now_ms().await?, to + GRACE_MS).await;
    let expected = jobs * usize::try_from(seconds)?;
    let costs = rig.costs(&before, &after, count(expected)).await?;
    let starts = rig.finish().await?;
    let cut_off = (to + GRACE_MS) * 1000;
    let inside: Vec<_> = starts
        .iter()
        .filter(|start| (from..to).contains(&start.due_ms) && start.at_us <= cut_off)
        .copied()
        .collect();
    let mut line = Line::new("recurring");
    let fires = round(count(inside.len()) / count(usize::try_from(seconds.max(1))?));
    line.put("jobs", jobs);
    line.put("fires_per_s", fires);
    line.put("jobs_per_s", fires);
    line.put("registering_s", round(registering));
    line.put_spread(&Spread::lateness(&inside)?);
    line.put_all(costs);
    let missed = expected.saturating_sub(report::distinct(&inside));
    line.put("missed", missed);
    line.put("lost", missed);
    line.put("duplicates", report::duplicates(&inside));
    line.put("early", report::early(&inside));
    let server = (&rig.redis, options.partitions);
    floor::put(&mut line, server, (expected, floor::Floor::drain_us)).await?;
    rig.redis.leave().await?;
    Ok(line.done())
}

async fn register(trackers: &Trackers, jobs: usize, anchor: u64) -> Result<()> {
    let clients = trackers.connect_all().await?;
    let starts: Vec<usize> = (0..jobs).step_by(BATCH).collect();
    let calls = starts.into_iter().zip(clients.iter().cycle());
    let calls = calls.map(|(start, client)| {
        let client = client.clone();
        let numbers = start..jobs.min(start + BATCH);
        let jobs: Vec<JobSpec> = numbers.map(|number| spec(number, anchor)).collect();
        async move { client.apply(jobs).await }
    });
    let mut answers = futures::stream::iter(calls).buffer_unordered(CALLS);
    let all = async {
        let mut done = 0;
        while let Some(answer) = answers.next().await {
            answer?;
            done += BATCH;
        }
        anyhow::Ok(done)
    };
    match tokio::time::timeout(REGISTERED_WITHIN, all).await {
        Ok(registered) => registered.map(|_| ()),
        Err(_) => bail!(
            "{jobs} jobs are not registered within {} s",
            REGISTERED_WITHIN.as_secs()
        ),
    }
}

fn spec(number: usize, anchor: u64) -> JobSpec {
    let rate = trigger::FixedRate {
        period_ms: 1000,
        anchor_ms: Some(anchor + (number as u64 % 1000)),
    };
    JobSpec {
        name: format!("bench/every-second-{number}"),
        group: "bench".to_owned(),
        handler: "noop".to_owned(),
        trigger: Some(Trigger {
            kind: Some(trigger::Kind::FixedRate(rate)),
        }),
        overlap: Some(Overlap {
            policy: overlap::Policy::Parallel.into(),
            limit: 10,
        }),
        ..JobSpec::default()
    }
}
