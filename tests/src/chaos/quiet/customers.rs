//! The late customers: contexts on every partition, and a job of each trigger kind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::job::{AfterOn, JobSpec, Overlap, Trigger};
use tickwheel_proto::v1::Submission;
use tickwheel_store::record::EndState;

use super::super::case::Case;
use super::super::faults::pass;
use super::super::stage::Stage;
use crate::harness::jobs::{after, cron, delay, delayed, every, job, once, submission};
use crate::harness::wire::Wire;
use crate::harness::{Client, Registered, Snapshot, until};

/// Contexts of each partition.
const EACH: usize = 6;
/// Contexts of one call.
const BATCH: usize = 100;
/// From the submission to the first due time: long enough that nobody has a reason to look but the wake message.
const DELAY_MS: u64 = 1_500;
/// What is due is due over so long, so that lateness is not that of a herd.
const SPREAD_MS: u64 = 1_000;
const LIMIT: Duration = Duration::from_secs(75);
/// A snapshot of a long history holds Redis for 100 ms and more. None is taken until what is due should long have been given out.
const UNDISTURBED_MS: u64 = 500;

/// Serves all of them; answers how late each was given to its worker, in ms after its due time, ascending. Redis' clock counts.
///
/// # Errors
/// When one is refused, or does not end.
pub(super) async fn serve(case: &mut Case, stage: &mut Stage) -> Result<Vec<u64>> {
    let mut client = stage.client(stage.first_live()?)?;
    let ids = submit(&mut client, stage.rig.options.partitions).await?;
    pass(DELAY_MS + SPREAD_MS + UNDISTURBED_MS).await;
    let mut late = waited(stage, &ids).await?;
    late.extend(triggers(case, stage, &mut client).await?);
    late.sort_unstable();
    Ok(late)
}

/// Submits until every partition has its contexts.
async fn submit(client: &mut Client, partitions: u16) -> Result<BTreeSet<String>> {
    let (mut ids, mut each) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
    let enough = |each: &BTreeMap<String, usize>| {
        each.len() == usize::from(partitions) && each.values().all(|count| *count >= EACH)
    };
    for _ in 0..50 {
        if enough(&each) {
            return Ok(ids);
        }
        let one = |number: usize| {
            let spread = SPREAD_MS * u64::try_from(number).unwrap_or(0) / 100;
            delayed(
                submission("ok", 1),
                Duration::from_millis(DELAY_MS + spread),
            )
        };
        let batch: Vec<Submission> = (0..BATCH).map(one).collect();
        for id in client.submit(batch).await? {
            let partition = id.split('.').next().unwrap_or_default().to_owned();
            *each.entry(partition).or_default() += 1;
            ids.insert(id);
        }
    }
    anyhow::bail!("after 50 calls, the partitions have {each:?}")
}

/// Waits until all have succeeded.
async fn waited(stage: &Stage, ids: &BTreeSet<String>) -> Result<Vec<u64>> {
    until("the late customers are served", LIMIT, async || {
        let snapshot = stage.rig.snapshot().await?;
        let late: Vec<u64> = succeeded(&snapshot, |id| ids.contains(id)).collect();
        ensure!(
            late.len() >= ids.len(),
            "{} of {} are",
            late.len(),
            ids.len()
        );
        Ok(late)
    })
    .await
}

fn succeeded(snapshot: &Snapshot, whose: impl Fn(&str) -> bool) -> impl Iterator<Item = u64> {
    let settled = snapshot.partitions.iter().flat_map(|part| &part.settled);
    settled
        .filter(move |end| end.state == EndState::Succeeded && whose(end.id.as_str()))
        .map(|end| {
            let claimed = end.claimed.unwrap_or(end.ended);
            claimed.as_u64().saturating_sub(end.id.due().as_u64())
        })
}

/// One job of each trigger kind fires, and its ledger is complete.
async fn triggers(case: &mut Case, stage: &Stage, client: &mut Client) -> Result<Vec<u64>> {
    let now = redis_ms(&mut stage.rig.redis.wire().await?).await?;
    let parallel = |spec: JobSpec| JobSpec {
        overlap: Overlap::Parallel(10),
        ..spec
    };
    let fires = [
        (parallel(job("quiet/cron", "ok", cron("* * * * * *"))?), 2),
        (parallel(job("quiet/rate", "ok", every(500))?), 3),
        (job("quiet/delay", "ok", delay(300))?, 3),
        (
            job(
                "quiet/second",
                "ok",
                Trigger::FixedDelay { delay_ms: 1_000 },
            )?,
            2,
        ),
        (job("quiet/once", "ok", once(now + 2_000))?, 1),
        (job("quiet/api", "ok", Trigger::Manual)?, 1),
        (
            job("quiet/after", "ok", after("quiet/api", AfterOn::Ended)?)?,
            1,
        ),
    ];
    let specs = fires.iter().map(|(spec, _)| spec.clone()).collect();
    let registered = Registered::apply(client, specs).await?;
    client.run("quiet/api").await?;
    for (spec, count) in &fires {
        client.fired(spec.name.as_str(), *count, LIMIT).await?;
    }
    // A job that has nothing left to fire cannot be paused.
    for (spec, _) in fires
        .iter()
        .filter(|(spec, _)| spec.name.as_str() != "quiet/once")
    {
        client.pause(spec.name.as_str()).await?;
    }
    pass(UNDISTURBED_MS).await;
    let snapshot = stage.rig.drained(LIMIT).await?;
    for problem in crate::ledger::check_all(&registered.stories(&stage.rig, &snapshot)?) {
        case.fail(format!("after the silence: {problem}"));
    }
    let timed = [
        "quiet/cron",
        "quiet/rate",
        "quiet/delay",
        "quiet/second",
        "quiet/once",
    ];
    let of_timed = |id: &str| {
        id.split_once('@')
            .is_some_and(|(_, job)| timed.contains(&job))
    };
    let late = succeeded(&snapshot, of_timed).collect();
    // A job that others follow goes behind them.
    for (spec, _) in fires.iter().rev() {
        client.delete(spec.name.as_str()).await?;
    }
    Ok(late)
}

/// Redis' clock: some faults move it away from everybody else's.
async fn redis_ms(wire: &mut Wire) -> Result<u64> {
    let time: Vec<u64> = wire
        .command(&["TIME"])
        .await?
        .list()
        .into_iter()
        .map(|part| Ok(part.text().parse()?))
        .collect::<Result<_>>()?;
    let [seconds, micros] = time.as_slice() else {
        return Err(anyhow::anyhow!("{time:?}")).context("the time of Redis");
    };
    Ok(seconds * 1_000 + micros / 1_000)
}
