//! Workers that die, drain, freeze, hang; and handlers that take them along.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_proto::v1::ContextState;

use super::{attempts, pass};
use crate::chaos::case::Case;
use crate::chaos::stage::{Plan, Stage};
use crate::harness::jobs::{submission, with_options};
use crate::harness::proxy::Mode;
use crate::harness::{WorkerOptions, until, wall_ms};

const LIMIT: Duration = Duration::from_secs(40);
const LEASE_MS: u64 = 10_000;
/// A worker whose stream broke: its contexts run elsewhere within this.
const BROKEN_MAX_MS: u64 = 3_000;

/// Submits contexts that are checked with the rest, and waits until the handlers run.
async fn running(stage: &Stage, handler: &str, ms: u64, count: usize) -> Result<Vec<String>> {
    let contexts = (0..count)
        .map(|_| with_options(submission(handler, ms), attempts(5)))
        .collect();
    let ids = stage.client(0)?.submit(contexts).await?;
    ids.iter().for_each(|id| stage.load.add(id));
    until("its handlers run", LIMIT, async || {
        let runs = stage.rig.book.read()?;
        let running = ids
            .iter()
            .filter(|id| runs.iter().any(|run| run.context == **id))
            .count();
        ensure!(running == count, "{running} of {count} run");
        Ok(())
    })
    .await?;
    Ok(ids)
}

fn expect_recovered(case: &mut Case, limit: u64) {
    let worst = case.figures().recovery_max_ms;
    case.expect(worst <= limit, || {
        format!("a context ran again after {worst} ms, at most {limit} are allowed")
    });
}

/// In the middle of handlers.
pub(crate) async fn f07(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    for at in 0..2 {
        running(&stage, "sleep", 2_000, 20).await?;
        case.mark();
        stage.worker(at)?.kill().await?;
        pass(3_500).await;
        stage.replace_worker(at).await?;
        pass(500).await;
    }
    case.judge(&mut stage).await?;
    let reruns = case.figures().reruns;
    case.expect(reruns > 0, || "no handler died with its worker".to_owned());
    expect_recovered(case, BROKEN_MAX_MS);
    Ok(())
}

/// Each worker is told to leave while its handlers run.
pub(crate) async fn f08(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let mut slowest = 0;
    for at in 0..2 {
        running(&stage, "sleep", 1_500, 20).await?;
        let asked = case.mark();
        let process = &mut stage.worker(at)?.process;
        process.signal("TERM").await?;
        let status = process.ended(Duration::from_secs(15)).await?;
        slowest = slowest.max(wall_ms() - asked);
        case.expect(status.success(), || format!("a worker ended with {status}"));
        stage.replace_worker(at).await?;
        pass(1_000).await;
    }
    case.note("slowest_drain_ms", slowest);
    case.judge(&mut stage).await?;
    let (reruns, late) = (case.figures().reruns, case.figures().late_max_ms);
    case.expect(reruns == 0, || format!("{reruns} contexts ran again"));
    case.expect(late <= 1_500, || {
        format!("a context started {late} ms late")
    });
    Ok(())
}

/// Cut off from every tracker without a word; its process goes on.
pub(crate) async fn f09(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let ids = running(&stage, "cancel_aware", 14_000, 16).await?;
    // Until they are announced, and hold running leases.
    pass(1_500).await;
    let name = stage.worker(0)?.process.name().to_owned();
    let cut = case.mark();
    stage.cut_worker(0, Some(Mode::Stall))?;
    let book = stage.rig.book.clone();
    let mine: Vec<String> = book
        .read()?
        .into_iter()
        .filter(|run| run.worker == name && ids.contains(&run.context))
        .map(|run| run.context)
        .collect();
    ensure!(
        !mine.is_empty(),
        "nothing ran on the worker that was cut off"
    );
    let (mut detected, mut overlap) = (0, 0);
    for id in &mine {
        let second = until("it runs elsewhere", LIMIT, async || {
            let runs = book.of(id)?;
            let second = runs.into_iter().find(|run| run.worker != name);
            second.context("it does not")
        })
        .await?;
        detected = detected.max(second.start_ms.saturating_sub(cut));
        case.recovered(second.start_ms.saturating_sub(cut));
        let told = until("the first attempt is told", LIMIT, async || {
            let told = book.told()?;
            let told = told
                .into_iter()
                .find(|told| told.context == *id && told.worker == name);
            told.context("it was not told")
        })
        .await?;
        case.expect(told.reason == "Fenced", || {
            format!("{id} was told {}", told.reason)
        });
        overlap = overlap.max(told.ms.saturating_sub(second.start_ms));
    }
    case.note("elsewhere_after_ms", detected);
    case.note("overlap_ms", overlap);
    case.expect(detected <= LEASE_MS + 1_000, || {
        format!("its contexts ran elsewhere only after {detected} ms")
    });
    stage.cut_worker(0, None)?;
    pass(3_000).await;
    case.judge(&mut stage).await?;
    Ok(())
}

/// Stopped until its leases are over, then let go.
pub(crate) async fn f10(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let ids = running(&stage, "cancel_aware", 30_000, 16).await?;
    pass(1_500).await;
    let name = stage.worker(0)?.process.name().to_owned();
    let mine: Vec<String> = stage
        .rig
        .book
        .read()?
        .into_iter()
        .filter(|run| run.worker == name && ids.contains(&run.context))
        .map(|run| run.context)
        .collect();
    ensure!(!mine.is_empty(), "nothing ran on the worker that froze");
    case.mark();
    stage.worker(0)?.freeze().await?;
    until("its contexts run elsewhere", LIMIT, async || {
        let runs = stage.rig.book.read()?;
        let again = |id: &&String| {
            runs.iter()
                .any(|run| run.context == **id && run.worker != name)
        };
        let again = mine.iter().filter(again).count();
        ensure!(again == mine.len(), "{again} of {} do", mine.len());
        Ok(())
    })
    .await?;
    let thawed = wall_ms();
    stage.worker(0)?.process.signal("CONT").await?;
    let told = until("every handler is told", LIMIT, async || {
        let told = stage.rig.book.told()?;
        let fenced = |id: &&String| {
            told.iter()
                .any(|told| told.context == **id && told.worker == name && told.reason == "Fenced")
        };
        let count = mine.iter().filter(fenced).count();
        ensure!(count == mine.len(), "{count} of {} are", mine.len());
        Ok(wall_ms())
    })
    .await?;
    case.note("told_after_ms", told - thawed);
    case.expect(told - thawed <= 2_000, || {
        format!("handlers were told {} ms after the thaw", told - thawed)
    });
    for id in &ids {
        stage.client(0)?.cancel(id).await?;
    }
    case.judge(&mut stage).await?;
    expect_recovered(case, LEASE_MS + 1_000);
    Ok(())
}

/// On a worker with few permits, many times.
pub(crate) async fn f11(case: &mut Case) -> Result<()> {
    const PERMITS: usize = 4;
    let worker = WorkerOptions {
        permits: u32::try_from(PERMITS)?,
        ..WorkerOptions::default()
    };
    let plan = Plan {
        trackers: 1,
        workers: 1,
        worker,
        rate: 0,
        jobs: false,
        ..Plan::default()
    };
    let mut stage = case.stage(plan).await?;
    case.mark();
    let panicking = (0..3 * PERMITS).map(|_| with_options(submission("panic", 99), attempts(2)));
    let mut client = stage.client(0)?;
    let ids = client.submit(panicking.collect()).await?;
    for id in &ids {
        stage.load.add(id);
        let context = ended(&stage, id).await?;
        case.expect(context.state() == ContextState::Failed, || {
            format!("{id} is {}", context.state().as_str_name())
        });
        let told = context.error.contains("panic") && context.error.len() <= 4_096;
        case.expect(told, || format!("{id} says {:?}", context.error));
    }
    running(&stage, "sleep", 300, PERMITS).await?;
    let report = stage.rig.store.list_workers(None).await?;
    case.note("workers_alive", report.len());
    case.judge(&mut stage).await?;
    Ok(())
}

/// The end of a context, waited for across calls.
async fn ended(stage: &Stage, id: &str) -> Result<tickwheel_proto::v1::Context> {
    until("the context ends", LIMIT, async || {
        let context = stage.client(0)?.context(id).await?;
        ensure!(
            context.ended_ms > 0,
            "it is {}",
            context.state().as_str_name()
        );
        Ok(context)
    })
    .await
}

/// It holds its thread, so that nothing can stop it.
pub(crate) async fn f12(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let mut options = attempts(1);
    options.timeout_ms = Some(1_000);
    case.mark();
    let began = wall_ms();
    let context = with_options(submission("blocked", 12_000), options);
    let id = stage.client(0)?.submit_one(context).await?;
    stage.load.add(&id);
    let context = ended(&stage, &id).await?;
    case.expect(context.state() == ContextState::TimedOut, || {
        format!("{id} is {}", context.state().as_str_name())
    });
    let took = context.ended_ms.saturating_sub(began);
    case.note("ended_after_ms", took);
    case.expect(took <= 3_500, || format!("it ended after {took} ms"));
    case.judge(&mut stage).await?;
    Ok(())
}

/// A handler that ends its process, on five workers, with attempts enough to end them all.
pub(crate) async fn f13(case: &mut Case) -> Result<()> {
    let plan = Plan {
        workers: 6,
        ..Plan::default()
    };
    let mut stage = case.stage(plan).await?;
    case.mark();
    let context = with_options(submission("abort", 0), attempts(50));
    let id = stage.client(0)?.submit_one(context).await?;
    stage.load.add(&id);
    let mut dead = Vec::new();
    let context = until("the context ends", LIMIT, async || {
        for at in 0..6 {
            let process = &mut stage.worker(at)?.process;
            let name = process.name().to_owned();
            let gone = process.ended(Duration::ZERO).await.is_ok();
            if gone && !dead.contains(&at) {
                // Its runs end with it, as with a kill.
                stage.rig.book.worker_gone(&name);
                dead.push(at);
            }
        }
        let context = stage.client(0)?.context(&id).await?;
        ensure!(context.ended_ms > 0, "attempt {}", context.attempt);
        Ok(context)
    })
    .await?;
    case.note("workers_killed", dead.len());
    case.note("its_error", context.error.clone());
    case.expect(dead.len() <= 3, || format!("{} workers died", dead.len()));
    case.expect(context.state() == ContextState::Failed, || {
        format!("it is {}", context.state().as_str_name())
    });
    let snapshot = case.judge(&mut stage).await?;
    let kept = snapshot
        .partitions
        .iter()
        .flat_map(|partition| &partition.dead)
        .any(|(_, dead)| dead.settled.id.as_str() == id);
    case.expect(kept, || "it is not among the dead".to_owned());
    Ok(())
}
