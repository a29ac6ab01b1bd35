//! Queued no-op contexts: from the first start to the last settlement in Redis.

use anyhow::Result;
use serde_json::Value;
use tickwheel_proto::v1::submission::When;

use crate::args::Options;
use crate::report::{self, Line, Spread, count, round};
use crate::rig::Rig;
use crate::{caller, floor};

pub(crate) async fn run(options: &Options) -> Result<Value> {
    let jobs = options.jobs.unwrap_or(100_000);
    let mut rig = Rig::start(options).await?;
    rig.say(&format!("queueing {jobs} contexts"));
    caller::limit(&rig.trackers, options).await?;
    caller::submit(&rig.trackers, (jobs, options), |number| {
        let context = caller::context(number, options.body, When::DelayMs(0));
        let context = caller::routed(context, options.routing.as_deref());
        caller::keyed(context, number, options.keys)
    })
    .await?;
    tokio::time::sleep(super::REST).await;
    rig.redis.forget_long_calls().await?;
    let before = rig.read().await?;
    rig.say("draining");
    rig.start_workers().await?;
    let settled = rig.crew.settle(jobs as u64).await?;
    let after = rig.read().await?;
    let held = rig.redis.sum("hlen", "held", options.partitions).await?;
    let waiting = rig
        .redis
        .sum("zcard", "backlog", options.partitions)
        .await?;
    let costs = rig.costs(&before, &after, count(jobs)).await?;
    let starts = rig.finish().await?;
    let seconds = report::until_s(&starts, settled);
    let mut line = Line::new("drain");
    if let Some(routing) = &options.routing {
        line.put("routing", routing.as_str());
    }
    line.put("jobs_per_s", round(count(jobs) / seconds.max(0.001)));
    line.put("seconds", round(seconds));
    // When contexts started, from the first of them on.
    line.put_spread(&Spread::from_first(&starts)?);
    line.put_all(costs);
    line.put_checks(jobs, &starts);
    // What is still held or queued is not settled, whether it has started or not.
    let left = usize::try_from(held + waiting)?;
    line.put(
        "lost",
        jobs.saturating_sub(report::distinct(&starts)) + left,
    );
    let server = (&rig.redis, options.partitions);
    floor::put(&mut line, server, (jobs, floor::Floor::drain_us)).await?;
    rig.redis.leave().await?;
    Ok(line.done())
}
