//! Faults that leave everything green: a subscriber that lost its connection, a password that changed, a loop that stands still.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_proto::v1::ContextState;

use super::{attempts, pass};
use crate::chaos::case::Case;
use crate::chaos::stage::{Plan, Stage};
use crate::harness::jobs::{submission, with_options};
use crate::harness::{WorkerOptions, until, wall_ms};

const LIMIT: Duration = Duration::from_secs(30);
/// Handlers start again within this.
const RESUME_MAX_MS: u64 = 3_000;

/// Connections that hear wake messages are killed, again and again, and once while the first are being made anew.
pub(crate) async fn f56(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let mut wire = stage.rig.redis.wire().await?;
    for gap in [0, 50, 400, 2_000, 2_000] {
        pass(gap).await;
        case.mark();
        let killed = wire.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).await?;
        let killed: u64 = killed.text().parse()?;
        case.expect(gap < 1_000 || killed >= 3, || {
            format!("{killed} connections were there to be killed, of three trackers")
        });
    }
    case.judge(&mut stage).await?;
    let reruns = case.figures().reruns;
    case.expect(reruns == 0, || format!("{reruns} contexts ran again"));
    Ok(())
}

/// The password changes under the trackers, every connection breaks, and it changes back.
pub(crate) async fn f58(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let mut wire = stage.rig.redis.wire().await?;
    for away_ms in [1_000, 6_000] {
        case.mark();
        wire.command(&["CONFIG", "SET", "requirepass", "another"])
            .await?;
        for kind in ["normal", "pubsub"] {
            wire.command(&["CLIENT", "KILL", "TYPE", kind]).await?;
        }
        pass(away_ms).await;
        if away_ms > 5_000 {
            for at in 0..stage.nodes.len() {
                let (ready, _) = stage.http(at, "/readyz").await?;
                case.expect(ready == 503, || {
                    format!("without the password, /readyz of tracker {at} answers {ready}")
                });
            }
        }
        wire.command(&["CONFIG", "SET", "requirepass", ""]).await?;
        resumed(case, &stage).await?;
        pass(1_500).await;
    }
    case.judge(&mut stage).await?;
    Ok(())
}

async fn resumed(case: &mut Case, stage: &Stage) -> Result<()> {
    let since = wall_ms();
    let start = until("handlers start again", LIMIT, async || {
        let runs = stage.rig.book.read()?;
        let next = runs.iter().map(|run| run.start_ms).find(|ms| *ms > since);
        next.context("none has")
    })
    .await?;
    let took = start - since;
    case.recovered(took);
    case.expect(took <= RESUME_MAX_MS, || {
        format!("handlers started again only after {took} ms")
    });
    Ok(())
}

/// Nothing of a tracker's program goes on for three seconds, while the system takes what is sent to it.
pub(crate) async fn f61(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    for at in 0..stage.nodes.len() {
        case.mark();
        stage.node(at)?.tracker.process.signal("USR1").await?;
        pass(5_000).await;
    }
    case.judge(&mut stage).await?;
    let latest = case.figures().late_max_ms;
    case.expect(latest <= 4_000, || format!("a start was {latest} ms late"));
    Ok(())
}

/// A handler computes for five seconds on the only thread of its worker.
pub(crate) async fn f62(case: &mut Case) -> Result<()> {
    const BLOCKED_MS: u64 = 5_000;
    let mut stage = case.stage(Plan::default()).await?;
    let options = WorkerOptions {
        group: "blocking".to_owned(),
        permits: 4,
        threads: 1,
        ..WorkerOptions::default()
    };
    stage.add_worker(options).await?;
    let mut context = with_options(submission("blocked", BLOCKED_MS), attempts(2));
    context.group = "blocking".to_owned();
    case.mark();
    let id = stage.client(0)?.submit_one(context).await?;
    stage.load.add(&id);
    let ended = until("it ends", LIMIT, async || {
        let context = stage.client(0)?.context(&id).await?;
        let over = matches!(
            context.state(),
            ContextState::Failed | ContextState::Succeeded
        );
        ensure!(over, "it is {}", context.state().as_str_name());
        Ok(context)
    })
    .await?;
    case.note("its_error", ended.error.clone());
    case.expect(ended.state() == ContextState::Failed, || {
        "its worker was silent for longer than its lease, and it succeeded".to_owned()
    });
    case.expect(ended.error.contains("docs/guides/blocking.md"), || {
        format!(
            "the failure does not say what may be wrong: {}",
            ended.error
        )
    });
    case.judge(&mut stage).await?;
    Ok(())
}
