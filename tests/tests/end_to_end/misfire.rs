//! Due times that come during an outage of all trackers: each misfire policy leaves its own ledger.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_core::job::{JobSpec, Misfire, MisfirePolicy, Overlap};
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict, Reason};
use tickwheel_core::partition::{PartitionCount, partition_of};
use tickwheel_tests::harness::jobs::{cron, every, job};
use tickwheel_tests::harness::wire::Wire;
use tickwheel_tests::harness::{Registered, Small, until, until_clock, wall_ms};
use tickwheel_tests::ledger::Story;

const LIMIT: Duration = Duration::from_secs(20);
const PERIOD_MS: u64 = 100;
/// More than a busy machine is late without an outage.
const TOLERANCE_MS: u64 = 2_000;
const WINDOW_MS: u64 = 4_000;
const OUTAGE_MS: u64 = 6_000;

/// What a ledger of an outage looks like.
#[derive(Debug, PartialEq, Eq)]
struct Golden {
    /// Due times that fired later than the tolerance.
    late: usize,
    /// Due times that did not fire, by reason, in the order of the ledger.
    missed: Vec<(Reason, u64)>,
}

fn golden(records: &[LedgerRecord]) -> Golden {
    let late = records
        .iter()
        .filter(|record| record.verdict == LedgerVerdict::Fired && lateness(record) > TOLERANCE_MS)
        .count();
    let mut missed: Vec<(Reason, u64)> = Vec::new();
    for record in records
        .iter()
        .filter(|record| record.verdict == LedgerVerdict::Missed)
    {
        let Some(reason) = record.reason else {
            continue;
        };
        match missed.last_mut() {
            Some((last, count)) if *last == reason => *count += record.count,
            _ => missed.push((reason, record.count)),
        }
    }
    Golden { late, missed }
}

fn lateness(record: &LedgerRecord) -> u64 {
    record
        .decided_ms
        .map_or(0, |decided| decided.ms_since(record.from))
}

fn misfire(policy: MisfirePolicy, limit: u32, catch_up_window_ms: Option<u64>) -> Misfire {
    Misfire {
        policy,
        limit,
        tolerance_ms: TOLERANCE_MS,
        catch_up_window_ms,
    }
}

/// The reasons, and whether the number of due times that each stands for lies in its range.
fn ensure_missed(
    story: &Story,
    expected: &[(Reason, std::ops::Range<u64>)],
    late: std::ops::Range<usize>,
) -> Result<()> {
    let golden = golden(&story.records);
    let reasons = golden.missed.len() == expected.len()
        && golden
            .missed
            .iter()
            .zip(expected)
            .all(|((reason, count), (wanted, range))| reason == wanted && range.contains(count));
    ensure!(
        reasons && late.contains(&golden.late),
        "{}: {golden:?}, expected {expected:?} and {late:?} late",
        story.spec.name
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_policy_leaves_its_own_ledger() -> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let jobs = [
        ("skip", misfire(MisfirePolicy::Skip, 1, None)),
        ("fire-once", misfire(MisfirePolicy::FireOnce, 1, None)),
        ("fire-all", misfire(MisfirePolicy::FireAll, 3, None)),
        (
            "window",
            misfire(MisfirePolicy::FireAll, 100, Some(WINDOW_MS)),
        ),
    ];
    let spec = |(name, misfire)| {
        Ok(JobSpec {
            misfire,
            overlap: Overlap::Parallel(200),
            ..job(name, "ok", every(PERIOD_MS))?
        })
    };
    let specs = jobs.into_iter().map(spec).collect::<Result<Vec<_>>>()?;
    let jobs = Registered::apply(&mut small.client, specs).await?;
    small.client.fired("window", 5, LIMIT).await?;
    small
        .outage(async { until_clock(wall_ms() + OUTAGE_MS).await })
        .await?;
    let back = wall_ms();
    for spec in jobs.specs() {
        until("the job goes on", LIMIT, async || {
            let records = small.client.ledger(spec.name.as_str()).await?;
            ensure!(
                records
                    .last()
                    .is_some_and(|record| record.from.as_u64() > back),
                "it ends with {:?}",
                records.last()
            );
            Ok(())
        })
        .await?;
    }
    let stories = jobs.check(&small.rig).await?;
    // The outage is as long as said or, on a busy machine, longer.
    let least = (OUTAGE_MS - TOLERANCE_MS) / PERIOD_MS - 1;
    let far = 10 * least;
    ensure_missed(&stories[0], &[(Reason::MisfireSkip, least..far)], 0..1)?;
    ensure_missed(
        &stories[1],
        &[(Reason::MisfireCollapsed, least - 1..far)],
        1..2,
    )?;
    ensure_missed(&stories[2], &[(Reason::MisfireLimit, least - 3..far)], 3..4)?;
    let old = (OUTAGE_MS - WINDOW_MS) / PERIOD_MS - 1;
    let kept = usize::try_from((WINDOW_MS - TOLERANCE_MS) / PERIOD_MS)?;
    ensure_missed(
        &stories[3],
        &[(Reason::CatchUpWindow, old..far)],
        kept - 1..kept + 2,
    )?;
    let oldest = stories[3]
        .records
        .iter()
        .filter(|record| record.verdict == LedgerVerdict::Fired)
        .map(lateness)
        .max();
    ensure!(
        oldest.is_some_and(|oldest| oldest <= WINDOW_MS),
        "one fired {oldest:?} ms late, outside of the window"
    );
    small.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cron_job_whose_plan_ran_out_in_the_outage_fires_its_newest_missed_due_time() -> Result<()>
{
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let spec = JobSpec {
        misfire: misfire(MisfirePolicy::FireOnce, 1, None),
        ..job("cron", "ok", cron("* * * * * *"))?
    };
    let jobs = Registered::apply(&mut small.client, vec![spec]).await?;
    small.client.fired("cron", 1, LIMIT).await?;
    let snapshot = small.rig.snapshot().await?;
    let planned = snapshot.job("cron").map_or("", |job| job.field("plan"));
    let last = planned
        .split(' ')
        .next_back()
        .and_then(|due| due.parse::<u64>().ok())
        .unwrap_or(0);
    // A plan that is too long to wait for is cut short by hand: the job has due times behind it, as any cron job has.
    let (cut, next) = (
        wall_ms() + 3_000,
        small.client.job("cron").await?.next_due_ms.unwrap_or(0),
    );
    ensure!(next > 0 && last > next, "next {next}, plan `{planned}`");
    let (port, partitions) = (small.rig.redis.port(), small.rig.store.partitions());
    small
        .outage(async {
            cut_plan(port, partitions, planned, cut).await.ok();
            until_clock(cut + 4_500).await;
        })
        .await?;
    let back = wall_ms();
    until("the job goes on", LIMIT, async || {
        let records = small.client.ledger("cron").await?;
        ensure!(
            records
                .last()
                .is_some_and(|record| record.from.as_u64() > back + 1_000),
            "it ends with {:?}",
            records.last()
        );
        Ok(())
    })
    .await?;
    let stories = jobs.check(&small.rig).await?;
    let missed: u64 = golden(&stories[0].records)
        .missed
        .iter()
        .map(|(_, count)| count)
        .sum();
    let late = golden(&stories[0].records).late;
    ensure!(
        late == 1 && missed >= 3,
        "{late} fired late, {missed} were missed: {:?}",
        stories[0].records
    );
    Ok(())
}

/// Forgets the planned due times behind `last`.
async fn cut_plan(port: u16, partitions: PartitionCount, planned: &str, last: u64) -> Result<()> {
    let kept: Vec<&str> = planned
        .split(' ')
        .take_while(|due| due.parse::<u64>().is_ok_and(|due| due <= last))
        .collect();
    let number = partition_of("default/cron", partitions);
    let key = format!("{{tw:{number}}}:job:default/cron");
    Wire::connect(port)
        .await?
        .command(&["HSET", &key, "plan", &kept.join(" ")])
        .await?;
    Ok(())
}
