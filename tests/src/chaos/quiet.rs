//! The second phase of every fault: what is left behind when all seems well again.
//!
//! After the repair nothing happens for a while, so that no load visits the partitions by itself. Then come late customers: contexts on
//! every partition, and a job of each trigger kind. A tracker that went deaf, a connection that leaks, a loop that logs its failure again and
//! again, a record left in the wrong place: under load none of them shows.

mod customers;
mod logs;
mod usage;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_store::check::Pace;

use super::case::Case;
use super::faults::pass;
use super::stage::Stage;
use super::verdict::percentile;
use crate::harness::{WorkerOptions, until};
use logs::Logs;
pub use usage::Usage;

/// Nothing is submitted, and nothing is due, for so long.
pub const SILENCE: Duration = Duration::from_secs(20);
/// From its due time until it is given to a worker, 99 of 100 late customers. What is not optimised is slower by itself: there it is only
/// that nobody is forgotten.
const LATE_P99_MAX_MS: u64 = if cfg!(debug_assertions) { 250 } else { 50 };
/// A full look that never rests: the cluster has nothing else to do.
const FAST: Pace = Pace { rest: 0.0 };
const LIMIT: Duration = Duration::from_secs(10);

/// Lets the cluster fall silent, sends the late customers, and notes every way in which it is not what it was before the fault.
///
/// # Errors
/// When the cluster does not answer any more.
pub async fn hold(case: &mut Case, stage: &mut Stage) -> Result<()> {
    staff(stage).await?;
    let logs = Logs::here(stage.rig.dir())?;
    tokio::time::sleep(SILENCE).await;
    for missing in deaf(stage).await? {
        case.fail(missing);
    }
    let late = customers::serve(case, stage).await?;
    let (p99, max) = (percentile(&late, 99), percentile(&late, 100));
    case.note("quiet_late_p99_ms", p99);
    case.note("quiet_late_max_ms", max);
    case.expect(p99 <= LATE_P99_MAX_MS, || {
        format!("after the silence, {} contexts were given out p99 {p99} ms, at most {max} ms after their due time", late.len())
    });
    for repeated in logs.repeated(stage.rig.dir())? {
        case.fail(format!("logged again and again in the silence: {repeated}"));
    }
    let before = stage.usage;
    let after = until("connections are as before", LIMIT, async || {
        let after = Usage::of(&stage.rig, &stage.tracker_pids()).await?;
        let more = before.exceeded_by(&after);
        ensure!(more.is_none(), "{}", more.unwrap_or_default());
        Ok(after)
    })
    .await;
    match after {
        Ok(after) => case.note("quiet_tracker_mib", after.tracker_kib / 1024),
        Err(more) => case.fail(format!("{more:#}")),
    }
    let checked = stage.rig.store.check(FAST).await?;
    let mut findings = checked.findings;
    findings.retain(|finding| !case.tolerated.contains(&finding.invariant()));
    case.expect(findings.is_empty(), || {
        format!("store check after the silence: {findings:#?}")
    });
    Ok(())
}

/// Somebody has to serve the customers: where the fault left no worker, one comes.
async fn staff(stage: &mut Stage) -> Result<()> {
    let mut alive = 0;
    for worker in &mut stage.workers {
        alive += usize::from(worker.process.is_running() && worker.group == "default");
    }
    if alive == 0 {
        stage.add_worker(WorkerOptions::default()).await?;
    }
    // Streams that broke are taken up again.
    pass(1_000).await;
    Ok(())
}

/// Partitions whose wake messages not every tracker hears.
async fn deaf(stage: &mut Stage) -> Result<Vec<String>> {
    let trackers = stage.live_trackers();
    let mut wire = stage.rig.redis.wire().await?;
    let mut missing = Vec::new();
    for partition in 0..stage.rig.options.partitions {
        let channel = format!("{{tw:{partition}}}:wake");
        let counted = wire.command(&["PUBSUB", "SHARDNUMSUB", &channel]).await?;
        let heard = counted
            .list()
            .pop()
            .context("a count of subscribers")?
            .text();
        if heard != trackers.to_string() {
            missing.push(format!(
                "wake messages of partition {partition} are heard by {heard} of {trackers} trackers"
            ));
        }
    }
    Ok(missing)
}
