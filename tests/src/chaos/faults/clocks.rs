//! Clocks that are off, and clocks that jump.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tickwheel_core::invariant::Invariant;
use tickwheel_core::job::{JobSpec, Misfire, MisfirePolicy, Overlap};
use tickwheel_core::ledger::LedgerVerdict;

use super::{attempts, pass};
use crate::chaos::case::Case;
use crate::chaos::stage::Plan;
use crate::harness::clock_shim::ClockShim;
use crate::harness::jobs::{every, job, submission, with_options};
use crate::harness::{Launch, Registered, WorkerOptions, until};

const HOUR: Duration = Duration::from_secs(3_600);
const LIMIT: Duration = Duration::from_secs(30);

/// One tracker an hour ahead, one an hour behind, one right.
pub(crate) async fn f29(case: &mut Case) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let ahead = ClockShim::build(dir.path(), "ahead").await?;
    let behind = ClockShim::build(dir.path(), "behind").await?;
    ahead.set(HOUR, Duration::ZERO)?;
    behind.set(Duration::ZERO, HOUR)?;
    let plan = Plan {
        environments: vec![ahead.environment(), behind.environment()],
        tolerance_ms: 1_000,
        ..Plan::default()
    };
    let mut stage = case.stage(plan).await?;
    case.mark();
    pass(4_000).await;
    // Both clocks jump the other way while the trackers run.
    ahead.set(Duration::ZERO, HOUR)?;
    behind.set(HOUR, Duration::ZERO)?;
    pass(4_000).await;
    let snapshot = case.judge(&mut stage).await?;
    let missed = snapshot
        .jobs()
        .flat_map(|(_, job)| &job.ledger)
        .filter(|record| record.verdict == LedgerVerdict::Missed)
        .count();
    case.note("misfires", missed);
    case.expect(missed == 0, || format!("{missed} due times were missed"));
    let late = case.figures().late_max_ms;
    case.expect(late <= 1_000, || {
        format!("a context started {late} ms late")
    });
    Ok(())
}

/// The machine of Redis jumps an hour ahead, back, and ahead again; its workers' clocks follow, so that starts can be compared.
pub(crate) async fn f30(case: &mut Case) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let clock = ClockShim::build(dir.path(), "redis").await?;
    let environment = clock.environment();
    let plan = Plan {
        worker: WorkerOptions {
            environment: environment.clone(),
            ..WorkerOptions::default()
        },
        launch: Launch {
            environment,
            ..Launch::default()
        },
        tolerance_ms: 5_000,
        ..Plan::default()
    };
    // What was claimed before the clock went back was due after the instant it shows now.
    case.tolerated = vec![Invariant::W10];
    let mut stage = case.stage(plan).await?;
    let contexts = (0..20)
        .map(|_| with_options(submission("cancel_aware", 14_000), attempts(5)))
        .collect();
    let ids = stage.client(0)?.submit(contexts).await?;
    ids.iter().for_each(|id| stage.load.add(id));
    stage.ran(20).await?;
    pass(1_500).await;
    clock.set(HOUR, Duration::ZERO)?;
    pass(6_000).await;
    clock.set(Duration::ZERO, Duration::ZERO)?;
    pass(3_000).await;
    clock.set(HOUR, Duration::ZERO)?;
    pass(1_000).await;
    case.judge(&mut stage).await?;
    let told = stage.rig.book.told()?.len();
    case.note("false_lease_losses", told);
    case.expect(told == 0, || {
        format!("{told} handlers were told that they lost their lease")
    });
    Ok(())
}

/// Jobs by what they do about late due times, and how many of these fire.
const POLICIES: [(&str, MisfirePolicy, u32); 3] = [
    ("skipping", MisfirePolicy::Skip, 0),
    ("collapsing", MisfirePolicy::FireOnce, 1),
    ("repeating", MisfirePolicy::FireAll, 50),
];

fn by_policy() -> Result<Vec<JobSpec>> {
    let one = |(name, policy, limit): (&str, MisfirePolicy, u32)| {
        let misfire = Misfire {
            policy,
            limit: limit.max(1),
            ..Misfire::default()
        };
        Ok(JobSpec {
            misfire,
            overlap: Overlap::Parallel(100),
            ..job(name, "ok", every(60_000))?
        })
    };
    POLICIES.into_iter().map(one).collect()
}

/// Eight hours pass while everything but Redis is down: 480 due times of each job.
pub(crate) async fn f33(case: &mut Case) -> Result<()> {
    const DOWN: Duration = Duration::from_secs(8 * 3_600);
    let dir = tempfile::tempdir()?;
    let clock = ClockShim::build(dir.path(), "redis").await?;
    let environment = clock.environment();
    let plan = Plan {
        trackers: 2,
        workers: 1,
        worker: WorkerOptions {
            environment: environment.clone(),
            ..WorkerOptions::default()
        },
        rate: 0,
        jobs: false,
        launch: Launch {
            environment,
            ..Launch::default()
        },
        ..Plan::default()
    };
    let mut stage = case.stage(plan).await?;
    stage.jobs = Some(Registered::apply(&mut stage.client(0)?, by_policy()?).await?);
    for at in 0..2 {
        stage.node(at)?.tracker.process.kill().await?;
    }
    stage.worker(0)?.kill().await?;
    clock.set(DOWN, Duration::ZERO)?;
    for at in 0..2 {
        stage.restart_tracker(at).await?;
    }
    stage.replace_worker(0).await?;
    for (name, _, expected) in POLICIES {
        let fired = until("the job goes on", LIMIT, async || {
            let ledger = stage.client(0)?.ledger(name).await?;
            let missed = ledger
                .iter()
                .any(|record| record.verdict == LedgerVerdict::Missed);
            let fired = ledger
                .iter()
                .filter(|record| record.verdict == LedgerVerdict::Fired)
                .count();
            (missed && fired >= usize::try_from(expected)?)
                .then_some(fired)
                .context("it does not")
        })
        .await?;
        case.note(&format!("{name}_fired"), fired);
        // The due time of the minute in which they come back may be on time.
        let most = usize::try_from(expected)? + 1;
        case.expect(fired <= most, || format!("{name} fired {fired} times"));
    }
    case.judge(&mut stage).await?;
    Ok(())
}
