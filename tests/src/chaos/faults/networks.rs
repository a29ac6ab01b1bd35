//! Partitions between a tracker and Redis, and between a worker and one tracker.

use anyhow::Result;

use super::{attempts, pass};
use crate::chaos::case::Case;
use crate::chaos::stage::{Plan, Stage};
use crate::harness::jobs::{submission, with_options};
use crate::harness::proxy::Mode;

const CUT_MS: u64 = 14_000;

/// Handlers that run through the whole partition.
async fn long_ones(stage: &Stage) -> Result<()> {
    let contexts = (0..30)
        .map(|_| with_options(submission("sleep", CUT_MS + 2_000), attempts(3)))
        .collect();
    let ids = stage.client(1)?.submit(contexts).await?;
    ids.iter().for_each(|id| stage.load.add(id));
    stage.ran(30).await
}

/// The first tracker keeps its workers and loses Redis.
pub(crate) async fn f27(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    long_ones(&stage).await?;
    case.mark();
    stage.node(0)?.back.set(Mode::Stall);
    pass(CUT_MS - 4_000).await;
    let (ready, _) = stage.http(0, "/readyz").await?;
    case.expect(ready == 503, || {
        format!("a tracker without redis answers {ready} to /readyz")
    });
    pass(4_000).await;
    stage.node(0)?.back.set(Mode::Pass);
    pass(4_000).await;
    case.judge(&mut stage).await?;
    let (reruns, late) = (case.figures().reruns, case.figures().late_max_ms);
    case.expect(reruns == 0, || format!("{reruns} contexts ran again"));
    case.expect(late <= 4_500, || {
        format!("a context started {late} ms late")
    });
    Ok(())
}

/// One worker loses one of three trackers.
pub(crate) async fn f28(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    long_ones(&stage).await?;
    let pid = stage.worker(0)?.process.pid().unwrap_or(0);
    case.mark();
    stage.node(0)?.front.set_for(pid, Some(Mode::Stall));
    pass(CUT_MS).await;
    stage.node(0)?.front.set_for(pid, None);
    pass(2_000).await;
    case.judge(&mut stage).await?;
    let (reruns, late) = (case.figures().reruns, case.figures().late_max_ms);
    case.expect(reruns == 0, || format!("{reruns} contexts ran again"));
    case.expect(late <= 4_500, || {
        format!("a context started {late} ms late")
    });
    Ok(())
}
