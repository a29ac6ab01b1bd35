//! Redis commands of a cluster in which everything is far in the future.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tickwheel_proto::v1::submission::When;

use crate::args::Options;
use crate::caller;
use crate::report::{Line, count, round};
use crate::rig::Rig;

pub(crate) async fn run(options: &Options) -> Result<Value> {
    let jobs = options.jobs.unwrap_or(100_000);
    let seconds = options.seconds.unwrap_or(60);
    let mut rig = Rig::start(options).await?;
    rig.start_workers().await?;
    caller::submit(&rig.trackers, (jobs, options), |number| {
        caller::context(number, options.body, When::DelayMs(super::FAR_MS))
    })
    .await?;
    tokio::time::sleep(super::REST).await;
    rig.say(&format!("idle for {seconds} s"));
    rig.redis.forget_long_calls().await?;
    let before = rig.read().await?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let after = rig.read().await?;
    let span = (after.at - before.at).as_secs_f64();
    let commands = before.redis.commands_until(&after.redis);
    let percent = |from: f64, to: f64| round((to - from) * 100.0 / span);
    let mut line = Line::new("idle");
    let each = commands / span / count(options.trackers);
    line.put("redis_commands_per_s_per_tracker", round(each));
    line.put(
        "redis_cpu_percent",
        percent(before.redis.cpu, after.redis.cpu),
    );
    line.put(
        "tracker_cpu_percent",
        percent(before.tracker_cpu, after.tracker_cpu),
    );
    line.put(
        "worker_cpu_percent",
        percent(before.worker_cpu, after.worker_cpu),
    );
    line.put("longest_script_us", rig.redis.longest_us().await?);
    line.put("peak_rss_mib", round(rig.peak_rss_mib()));
    rig.redis.leave().await?;
    Ok(line.done())
}
