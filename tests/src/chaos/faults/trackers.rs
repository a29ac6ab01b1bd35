//! Trackers that die, stop, freeze and race.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::pass;
use crate::chaos::case::Case;
use crate::chaos::stage::{Plan, Stage};
use crate::harness::jobs::submission;
use crate::harness::proxy::Mode;
use crate::harness::{WorkerOptions, until, wall_ms};

/// Nothing starts later than this because a tracker died.
const LATE_MAX_MS: u64 = 1_500;
const STOP_LIMIT: Duration = Duration::from_secs(10);

async fn kill(case: &mut Case, stage: &mut Stage, at: usize) -> Result<()> {
    let node = stage.node(at)?;
    // What the tracker had sent and nobody read dies with it.
    case.mark();
    node.tracker.process.kill().await?;
    node.front.set(Mode::Reset);
    pass(50).await;
    stage.node(at)?.front.set(Mode::Pass);
    Ok(())
}

fn expect_on_time(case: &mut Case) {
    let late = case.figures().late_max_ms;
    case.expect(late <= LATE_MAX_MS, || {
        format!("a context started {late} ms late, at most {LATE_MAX_MS} are allowed")
    });
}

/// Its frames are held up before it dies, so that contexts are claimed and no worker has heard of them.
pub(crate) async fn f01(case: &mut Case) -> Result<()> {
    let plan = Plan {
        rate: 200,
        ..Plan::default()
    };
    let mut stage = case.stage(plan).await?;
    for round in 0..3 {
        let at = round % 3;
        stage.node(at)?.front.set(Mode::StallReplies);
        pass(150).await;
        kill(case, &mut stage, at).await?;
        pass(2_000).await;
        stage.restart_tracker(at).await?;
        pass(1_500).await;
    }
    case.judge(&mut stage).await?;
    expect_on_time(case);
    Ok(())
}

/// It dies while handlers run that it gave out a moment ago; nobody else has heard of them yet.
pub(crate) async fn f02(case: &mut Case) -> Result<()> {
    let plan = Plan {
        rate: 50,
        ..Plan::default()
    };
    let mut stage = case.stage(plan).await?;
    for at in 0..3 {
        let mut client = stage.client((at + 1) % 3)?;
        let ids = client
            .submit((0..40).map(|_| submission("sleep", 900)).collect())
            .await?;
        ids.iter().for_each(|id| stage.load.add(id));
        stage.ran(40).await?;
        case.mark();
        stage.node(at)?.tracker.process.kill().await?;
        pass(2_500).await;
        stage.restart_tracker(at).await?;
        pass(1_000).await;
    }
    case.judge(&mut stage).await?;
    expect_on_time(case);
    let reruns = case.figures().reruns;
    case.expect(reruns == 0, || format!("{reruns} contexts ran again"));
    Ok(())
}

/// Two hundred workers in two processes, with many handlers running.
pub(crate) async fn f03(case: &mut Case) -> Result<()> {
    const WORKERS: u32 = 200;
    let worker = WorkerOptions {
        copies: WORKERS / 2,
        permits: 50,
        ..WorkerOptions::default()
    };
    let plan = Plan {
        trackers: 2,
        worker,
        ..Plan::default()
    };
    let mut stage = case.stage(plan).await?;
    until(
        "all workers are known",
        Duration::from_secs(30),
        async || {
            let known = stage.rig.store.list_workers(None).await?.len();
            ensure!(u32::try_from(known)? >= WORKERS, "{known} are");
            Ok(())
        },
    )
    .await?;
    let mut client = stage.client(1)?;
    let before = stage.rig.book.read()?.len();
    for _ in 0..2 {
        let ids = client
            .submit((0..1_000).map(|_| submission("sleep", 6_000)).collect())
            .await?;
        ids.iter().for_each(|id| stage.load.add(id));
    }
    stage.ran(2_000).await?;
    let killed = case.mark();
    stage.node(0)?.tracker.process.kill().await?;
    stage.restart_tracker(0).await?;
    let restarted = wall_ms();
    until(
        "all workers are back",
        Duration::from_secs(30),
        async || {
            let (_, text) = stage.http(0, "/metrics").await?;
            let gauge = text
                .lines()
                .find_map(|line| line.strip_prefix("tickwheel_workers{group=\"default\"}"))
                .unwrap_or("0")
                .trim();
            ensure!(gauge == WORKERS.to_string(), "{gauge} are connected");
            Ok(())
        },
    )
    .await?;
    case.note("workers_back_ms", wall_ms() - restarted);
    case.note("restart_ms", restarted - killed);
    case.note("handlers_running", stage.rig.book.read()?.len() - before);
    case.judge(&mut stage).await?;
    let reruns = case.figures().reruns;
    case.expect(reruns == 0, || format!("{reruns} contexts ran again"));
    Ok(())
}

/// Each tracker in turn, twice, under load.
pub(crate) async fn f04(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let mut slowest = 0;
    for round in 0..6 {
        let at = round % 3;
        let asked = case.mark();
        let process = &mut stage.node(at)?.tracker.process;
        process.signal("TERM").await?;
        let status = process.ended(STOP_LIMIT).await?;
        slowest = slowest.max(wall_ms() - asked);
        case.expect(status.success(), || {
            format!("a tracker ended with {status}")
        });
        stage.restart_tracker(at).await?;
        pass(800).await;
    }
    case.note("slowest_exit_ms", slowest);
    case.judge(&mut stage).await?;
    expect_on_time(case);
    let reruns = case.figures().reruns;
    case.expect(reruns == 0, || format!("{reruns} contexts ran again"));
    Ok(())
}

/// Frozen for more than twice its dispatch lease, with claims in its hands.
pub(crate) async fn f05(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    for at in 0..2 {
        case.mark();
        stage.node(at)?.tracker.process.signal("STOP").await?;
        pass(5_000).await;
        stage.node(at)?.tracker.process.signal("CONT").await?;
        pass(2_000).await;
    }
    case.judge(&mut stage).await?;
    let late = case.figures().late_max_ms;
    case.expect(late <= 4_000, || {
        format!("a context started {late} ms late")
    });
    Ok(())
}

/// Four trackers, twenty thousand contexts at one instant.
pub(crate) async fn f06(case: &mut Case) -> Result<()> {
    const COUNT: usize = 20_000;
    let worker = WorkerOptions {
        permits: 500,
        ..WorkerOptions::default()
    };
    let plan = Plan {
        trackers: 4,
        worker,
        rate: 0,
        ..Plan::default()
    };
    let mut stage = case.stage(plan).await?;
    let due = wall_ms() + 4_000;
    let mut client = stage.client(0)?;
    for _ in 0..COUNT / 1_000 {
        let one = || {
            let mut context = submission("ok", 1);
            context.when = Some(tickwheel_proto::v1::submission::When::AtMs(due));
            context
        };
        let ids = client.submit((0..1_000).map(|_| one()).collect()).await?;
        ids.iter().for_each(|id| stage.load.add(id));
    }
    crate::harness::until_clock(due).await;
    let began = case.mark();
    until("all have run", Duration::from_secs(60), async || {
        let runs = stage.rig.book.read()?.len();
        ensure!(runs >= COUNT, "{runs} have");
        Ok(())
    })
    .await?;
    case.note("drained_after_ms", wall_ms() - began);
    let mut shares = Vec::new();
    for at in 0..4 {
        let (_, text) = stage.http(at, "/metrics").await?;
        let handed = text
            .lines()
            .find_map(|line| line.strip_prefix("tickwheel_dispatched_total "));
        let handed: u64 = handed.unwrap_or("0").trim().parse()?;
        shares.push(handed);
    }
    case.note("handed_out_by_each", shares);
    case.judge(&mut stage).await?;
    let reruns = case.figures().reruns;
    case.expect(reruns == 0, || format!("{reruns} contexts ran again"));
    Ok(())
}
