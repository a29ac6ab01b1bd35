//! Submission of delayed contexts, by gRPC or by HTTP; every one must lie in the wheel afterwards.

use anyhow::Result;
use serde_json::Value;
use tickwheel_proto::v1::submission::When;

use crate::args::{Options, Over};
use crate::report::{Line, count, round};
use crate::rig::Rig;
use crate::{caller, floor, web};

pub(crate) async fn run(options: &Options) -> Result<Value> {
    let jobs = options.jobs.unwrap_or(200_000);
    let rig = Rig::start(options).await?;
    rig.say(&format!(
        "submitting {jobs} delayed contexts in batches of {}",
        options.batch
    ));
    tokio::time::sleep(super::REST).await;
    let before = rig.read().await?;
    let spread = match options.over {
        Over::Grpc => {
            caller::submit(&rig.trackers, (jobs, options), |number| {
                caller::context(number, options.body, When::DelayMs(super::FAR_MS))
            })
            .await?
        }
        Over::Http => web::submit(&rig.trackers, (jobs, options)).await?,
    };
    let after = rig.read().await?;
    let lying = rig.redis.sum("zcard", "wheel", options.partitions).await?;
    let lying = usize::try_from(lying)?;
    let mut line = Line::new("submit");
    let seconds = (after.at - before.at).as_secs_f64();
    line.put("jobs_per_s", round(count(jobs) / seconds));
    line.put_all(rig.costs(&before, &after, count(jobs)).await?);
    let bytes = (after.redis.memory - before.redis.memory) / count(jobs);
    line.put("bytes_per_job", round(bytes));
    // How long a caller waited for the answer to one batch.
    line.put_spread(&spread);
    line.put("lost", jobs.saturating_sub(lying));
    line.put("duplicates", lying.saturating_sub(jobs));
    let server = (&rig.redis, options.partitions);
    floor::put(&mut line, server, (jobs, |floor| floor.create.us)).await?;
    rig.redis.leave().await?;
    Ok(line.done())
}
