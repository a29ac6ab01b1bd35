//! One context that maps into many subtasks, and a reduce that reads the result of each: every result is counted once, by the reduce itself.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use serde_json::Value;
use tickwheel_client::Repeat;
use tickwheel_proto::v1::{
    Context, ContextOptions, ContextState, Retry, Submission, WaitContextRequest,
};
use tokio::time::Instant;

use crate::args::Options;
use crate::caller::Trackers;
use crate::children::mapreduce::{MAP, REDUCE, Reduced, key_of};
use crate::floor;
use crate::report::{Line, count, round};
use crate::rig::Rig;

/// Permits where the call names none: what a worker is given that mostly waits.
const PERMITS: u32 = 64;
/// One wait for the end; there may be several.
const WAIT_MS: u64 = 60_000;

pub(crate) async fn run(options: &Options) -> Result<Value> {
    let subtasks = options.subtasks.unwrap_or(1_000_000);
    let mut options = options.clone();
    options.permits.get_or_insert(PERMITS);
    let mut rig = Rig::start(&options).await?;
    rig.start_workers().await?;
    tokio::time::sleep(super::REST).await;
    rig.redis.forget_long_calls().await?;
    let (before, memory) = (rig.read().await?, rig.memory());
    rig.say(&format!("mapping {subtasks} subtasks"));
    let asked = Instant::now();
    let root = submit(&rig.trackers, subtasks).await?;
    let ended = wait(&rig.trackers, &root).await?;
    let seconds = asked.elapsed().as_secs_f64();
    let (after, grown) = (rig.read().await?, rig.memory().grown_since(&memory));
    ensure!(
        ended.state() == ContextState::Succeeded,
        "the root ended as {:?}: {}",
        ended.state(),
        ended.error
    );
    let reduced: Reduced =
        serde_json::from_slice(&ended.result).context("the result of the reduce")?;
    let mut left = 0;
    for (command, key) in [("hlen", "held"), ("zcard", "backlog"), ("hlen", "fans")] {
        left += rig.redis.sum(command, key, options.partitions).await?;
    }
    let costs = rig.costs(&before, &after, count(subtasks)).await?;
    let starts = rig.finish().await?;
    let runs = |handler: &str| {
        let key = key_of(handler);
        starts.iter().filter(|start| start.key == key).count()
    };
    let mut line = Line::new("mapreduce");
    line.put("subtasks", subtasks);
    line.put("seconds", round(seconds));
    line.put("jobs_per_s", round(count(subtasks) / seconds.max(0.001)));
    line.put("rss_growth_mib", round(grown.trackers + grown.workers));
    line.put("tracker_rss_growth_mib", round(grown.trackers));
    line.put("worker_rss_growth_mib", round(grown.workers));
    line.put_all(costs);
    let left = usize::try_from(left)?;
    line.put("lost", subtasks.saturating_sub(reduced.succeeded) + left);
    let twice = reduced.results - reduced.distinct;
    line.put("duplicates", twice + runs(REDUCE).saturating_sub(1));
    line.put("failed", reduced.failed);
    line.put("map_attempts", runs(MAP));
    line.put("reduces", runs(REDUCE));
    ensure!(
        reduced.sum == sum_below(subtasks),
        "the sum of the results is {}, not that of the items: {line:?}",
        reduced.sum
    );
    let server = (&rig.redis, options.partitions);
    floor::put(&mut line, server, (subtasks, floor::Floor::drain_us)).await?;
    rig.redis.leave().await?;
    Ok(line.done())
}

async fn submit(trackers: &Trackers, subtasks: usize) -> Result<String> {
    let client = trackers.connect().await?;
    let root = Submission {
        group: "bench".to_owned(),
        handler: MAP.to_owned(),
        body: Bytes::copy_from_slice(&(subtasks as u64).to_le_bytes()),
        options: Some(ContextOptions {
            retry: Some(Retry {
                max_attempts: 1,
                ..Retry::default()
            }),
            ..ContextOptions::default()
        }),
        ..Submission::default()
    };
    let root = client.submit_all([root]).await?.into_iter().next();
    Ok(root.context("no context was made")?.id)
}

/// Until the context has ended.
async fn wait(trackers: &Trackers, id: &str) -> Result<Context> {
    let client = trackers.connect().await?;
    let mut known = (0, Instant::now());
    loop {
        let request = WaitContextRequest {
            id: id.to_owned(),
            timeout_ms: WAIT_MS,
        };
        let context = client
            .call(Repeat::Harmless, request, async |mut api, r| {
                api.wait_context(r).await
            })
            .await?;
        if context.ended_ms > 0 {
            return Ok(context);
        }
        let ended = context
            .fan
            .as_ref()
            .map_or(0, |fan| fan.succeeded + fan.failed);
        if ended != known.0 {
            known = (ended, Instant::now());
        }
        ensure!(
            known.1.elapsed().as_secs() < 2 * WAIT_MS / 1_000,
            "nothing moves: {context:?}"
        );
    }
}

fn sum_below(items: usize) -> u64 {
    let items = items as u64;
    items * items.saturating_sub(1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_the_items() {
        assert_eq!(sum_below(0), 0);
        assert_eq!(sum_below(5), 10);
    }
}
