//! Start lateness of contexts spread evenly over random milliseconds.

use anyhow::Result;
use serde_json::Value;
use tickwheel_proto::v1::submission::When;

use crate::args::Options;
use crate::report::{self, Line, Spread, count, round};
use crate::rig::Rig;
use crate::{caller, floor};

/// From now to the first due time: submitting takes a part of it.
pub(crate) const LEAD_MS: u64 = 3_000;

pub(crate) async fn run(options: &Options) -> Result<Value> {
    let seconds = options.seconds.unwrap_or(10);
    let jobs = options.jobs.unwrap_or(5_000);
    let mut rig = Rig::start(options).await?;
    rig.start_workers().await?;
    let first = rig.redis.now_ms().await? + LEAD_MS;
    rig.say(&format!("{jobs} contexts over {seconds} s"));
    caller::submit(&rig.trackers, (jobs, options), |number| {
        let due = first + scattered(number as u64) % (seconds * 1000).max(1);
        caller::context(number, options.body, When::AtMs(due))
    })
    .await?;
    rig.redis.forget_long_calls().await?;
    let before = rig.read().await?;
    super::sleep_until_ms(rig.redis.now_ms().await?, first).await;
    rig.crew.settle(jobs as u64).await?;
    let after = rig.read().await?;
    let costs = rig.costs(&before, &after, count(jobs)).await?;
    let starts = rig.finish().await?;
    let mut line = Line::new("precision");
    line.put("jobs_per_s", round(count(jobs) / report::span_s(&starts)));
    line.put_spread(&Spread::lateness(&starts)?);
    line.put_all(costs);
    line.put("early", report::early(&starts));
    line.put_checks(jobs, &starts);
    let server = (&rig.redis, options.partitions);
    floor::put(&mut line, server, (jobs, floor::Floor::drain_us)).await?;
    rig.redis.leave().await?;
    Ok(line.done())
}

/// A number that looks random and is the same in each run: one round of splitmix64. The drivers of peers need no other: their due times
/// come from here too.
pub(crate) fn scattered(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 31)
}
