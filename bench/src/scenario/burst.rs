//! Contexts all due at one instant: how long until the last one has started.

use anyhow::Result;
use serde_json::Value;
use tickwheel_proto::v1::submission::When;

use crate::args::Options;
use crate::report::{self, Line, Spread, count, round};
use crate::rig::Rig;
use crate::{caller, floor};

/// From now to the instant: submitting takes a part of it.
const LEAD_MS: u64 = 4_000;

/// The instant at which `jobs` submitted now are all due: 25,000 per second are taken in meanwhile.
pub(crate) fn instant(now: u64, jobs: usize) -> u64 {
    now + LEAD_MS + (jobs as u64) / 25
}

pub(crate) async fn run(options: &Options) -> Result<Value> {
    let jobs = options.jobs.unwrap_or(100_000);
    let mut rig = Rig::start(options).await?;
    rig.start_workers().await?;
    let due = instant(rig.redis.now_ms().await?, jobs);
    rig.say(&format!("{jobs} contexts due at {due}"));
    caller::submit(&rig.trackers, (jobs, options), |number| {
        caller::context(number, options.body, When::AtMs(due))
    })
    .await?;
    rig.redis.forget_long_calls().await?;
    let before = rig.read().await?;
    let now = rig.redis.now_ms().await?;
    anyhow::ensure!(now < due, "submitting took until after the instant");
    super::sleep_until_ms(now, due).await;
    rig.crew.settle(jobs as u64).await?;
    let after = rig.read().await?;
    let costs = rig.costs(&before, &after, count(jobs)).await?;
    let starts = rig.finish().await?;
    let spread = Spread::lateness(&starts)?;
    let last = spread.max_ms();
    let mut line = Line::new("burst");
    line.put("last_start_s", round(last / 1000.0));
    line.put("jobs_per_s", round(count(jobs) * 1000.0 / last.max(1.0)));
    line.put_spread(&spread);
    line.put_all(costs);
    line.put_checks(jobs, &starts);
    line.put("early", report::early(&starts));
    let server = (&rig.redis, options.partitions);
    floor::put(&mut line, server, (jobs, floor::Floor::drain_us)).await?;
    rig.redis.leave().await?;
    Ok(line.done())
}
