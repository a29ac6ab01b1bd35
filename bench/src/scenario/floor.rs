//! What this machine's Redis can do at best with the same primitive operations.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::args::Options;
use crate::floor::{self, Cost};
use crate::redis::Redis;
use crate::report::{Line, round};
use crate::rig::Dir;

pub(crate) async fn run(options: &Options) -> Result<Value> {
    let jobs = options.jobs.unwrap_or(100_000);
    let dir = Dir::new()?;
    let redis = Redis::start(dir.path(), options).await?;
    let floor = floor::measure(&redis, jobs, options.partitions).await?;
    let floor = floor.context("the floor is measured on one server, not on a Redis Cluster")?;
    let mut line = Line::new("floor");
    let mut put = |name: &str, cost: Cost| {
        line.put(&format!("{name}_us_per_job"), cost.us);
        line.put(&format!("{name}_per_s"), cost.per_s);
    };
    put("create", floor.create);
    put("pop", floor.pop);
    put("settle", floor.settle);
    line.put("drain_us_per_job", round(floor.drain_us()));
    line.put("jobs_per_s", round(floor.drain_per_s()));
    redis.leave().await?;
    Ok(line.done())
}
