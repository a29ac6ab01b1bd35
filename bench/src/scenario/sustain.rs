//! Contexts that come due at a fixed rate while others are submitted, whatever the answers take: where the lateness comes from.
//!
//! The arrivals are an open loop: each call is sent when its time has come, also when earlier ones have not been answered.

mod claims;

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;
use tickwheel_proto::v1::Submission;
use tickwheel_proto::v1::submission::When;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::args::Options;
use crate::caller::{self, Trackers};
use crate::floor;
use crate::report::{self, Line, Spread, count, round};
use crate::rig::Rig;
use claims::{Follower, Split};

/// A context is submitted this long before it is due.
const LEAD_MS: u64 = 1_000;
/// Between two submit calls.
const TICK: Duration = Duration::from_millis(10);
const TICKS_PER_SECOND: usize = 100;

pub(crate) async fn run(options: &Options) -> Result<Value> {
    let seconds = options.seconds.unwrap_or(20);
    let rate = options.rate.max(1);
    let jobs = rate * usize::try_from(seconds)?;
    let mut rig = Rig::start(options).await?;
    rig.start_workers().await?;
    let follower = Follower::start(&rig.redis, options.partitions).await?;
    let first = rig.redis.now_ms().await? + LEAD_MS;
    rig.say(&format!("{rate} contexts per second for {seconds} s"));
    rig.redis.forget_long_calls().await?;
    let before = rig.read().await?;
    let behind = arrive(&rig.trackers, (rate, jobs), |number| {
        let due = first + (number * 1000 / rate) as u64;
        caller::context(number, options.body, When::AtMs(due))
    })
    .await?;
    rig.crew.settle(jobs as u64).await?;
    let after = rig.read().await?;
    let claims = follower.finish().await?;
    let costs = rig.costs(&before, &after, count(jobs)).await?;
    let starts = rig.finish().await?;
    let split = Split::of(&starts, &claims);
    let mut line = Line::new("sustain");
    line.put("rate", rate);
    line.put("jobs_per_s", round(count(jobs) / report::span_s(&starts)));
    line.put_spread(&Spread::lateness(&starts)?);
    for (name, values) in split.parts() {
        let spread = Spread::of(values.iter().copied())?;
        line.put(&format!("{name}_p50_ms"), spread.ms(0.5));
        line.put(&format!("{name}_p99_ms"), spread.ms(0.99));
    }
    line.put("split_contexts", split.contexts());
    line.put("calls_behind_ms", report::millis(behind));
    line.put_all(costs);
    line.put("early", report::early(&starts));
    line.put_checks(jobs, &starts);
    let server = (&rig.redis, options.partitions);
    floor::put(&mut line, server, (jobs, floor::Floor::drain_us)).await?;
    rig.redis.leave().await?;
    Ok(line.done())
}

/// Sends the calls at their times; answers by how many microseconds the latest was sent too late.
async fn arrive(
    trackers: &Trackers,
    (rate, jobs): (usize, usize),
    make: impl Fn(usize) -> Submission,
) -> Result<u64> {
    let clients = trackers.connect_all().await?;
    let mut calls = JoinSet::new();
    let (began, mut behind) = (Instant::now(), 0);
    let (mut sent, mut tick) = (0, 0_u32);
    let mut clients = clients.iter().cycle();
    while sent < jobs {
        let at = began + TICK * tick;
        tokio::time::sleep_until(at).await;
        behind = behind.max(u64::try_from(at.elapsed().as_micros())?);
        tick += 1;
        let until = jobs.min(rate * usize::try_from(tick)? / TICKS_PER_SECOND);
        let contexts: Vec<Submission> = (sent..until).map(&make).collect();
        sent = until;
        let Some(client) = clients.next().cloned() else {
            continue;
        };
        if !contexts.is_empty() {
            calls.spawn(async move {
                let expected = contexts.len();
                let answer = client.submit_all(contexts).await?;
                let accepted = answer.len();
                ensure!(accepted == expected, "{accepted} of {expected} accepted");
                anyhow::Ok(())
            });
        }
    }
    while let Some(call) = calls.join_next().await {
        call??;
    }
    Ok(behind)
}
