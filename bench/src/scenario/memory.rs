//! Bytes in Redis of one delayed context.

use anyhow::Result;
use serde_json::Value;
use tickwheel_proto::v1::submission::When;

use crate::args::Options;
use crate::report::{Line, count, round};
use crate::rig::Rig;
use crate::{caller, floor};

pub(crate) async fn run(options: &Options) -> Result<Value> {
    let jobs = options.jobs.unwrap_or(1_000_000);
    let rig = Rig::start(options).await?;
    rig.say(&format!(
        "{jobs} delayed contexts with bodies of {} bytes",
        options.body
    ));
    let before = rig.read().await?;
    caller::submit(&rig.trackers, (jobs, options), |number| {
        let when = When::DelayMs(super::FAR_MS + number as u64);
        caller::context(number, options.body, when)
    })
    .await?;
    let after = rig.read().await?;
    let lying = rig.redis.sum("zcard", "wheel", options.partitions).await?;
    let bytes = (after.redis.memory - before.redis.memory) / count(jobs);
    let mut line = Line::new("memory");
    line.put("bytes_per_job", round(bytes));
    line.put("body_bytes", options.body);
    line.put_all(rig.costs(&before, &after, count(jobs)).await?);
    line.put("lost", jobs.saturating_sub(usize::try_from(lying)?));
    let server = (&rig.redis, options.partitions);
    floor::put(&mut line, server, (jobs, |floor| floor.create.us)).await?;
    rig.redis.leave().await?;
    Ok(line.done())
}
