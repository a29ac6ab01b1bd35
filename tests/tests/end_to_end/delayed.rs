//! Contexts submitted with a delay fire when they are due, and a cancelled one never does.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::harness::jobs::{delayed, submission};
use tickwheel_tests::harness::{Small, until};

const COUNT: u64 = 10_000;
/// Nothing is due while contexts are being submitted and cancelled, also on a machine that others use.
const HEAD_START_MS: u64 = 15_000;
const SPREAD_MS: u64 = 6_000;
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_thousand_delayed_contexts_nine_thousand_fire_and_the_cancelled_thousand_do_not()
-> Result<()> {
    let Some(mut small) = Small::start().await? else {
        return Ok(());
    };
    let mut ids = Vec::new();
    for first in (0..COUNT).step_by(1_000) {
        let delay = |number: u64| Duration::from_millis(HEAD_START_MS + number * SPREAD_MS / COUNT);
        let batch = (first..first + 1_000)
            .map(|number| delayed(submission("ok", number), delay(number)))
            .collect();
        ids.extend(small.client.submit(batch).await?);
    }
    let distinct: BTreeSet<&String> = ids.iter().collect();
    ensure!(
        distinct.len() == ids.len() && ids.len() == 10_000,
        "{} ids, {} of them distinct",
        ids.len(),
        distinct.len()
    );
    let cancelled: BTreeSet<&String> = ids.iter().step_by(10).collect();
    for id in &cancelled {
        let answer = small.client.cancel(id).await?;
        ensure!(answer.state() == ContextState::Cancelled, "{answer:?}");
    }
    let expected = ids.len() - cancelled.len();
    until("nine thousand have run", LIMIT, async || {
        let runs = small.rig.book.read()?.len();
        ensure!(runs >= expected, "{runs} of {expected}");
        Ok(())
    })
    .await?;
    small.rig.drained(LIMIT).await?;
    let runs = small.rig.book.read()?;
    let started: BTreeSet<&String> = runs.iter().map(|run| &run.context).collect();
    let both = started.intersection(&cancelled).count();
    ensure!(
        runs.len() == expected && started.len() == expected && both == 0,
        "{} runs of {}, {both} of cancelled ones",
        runs.len(),
        started.len()
    );
    for id in cancelled.iter().step_by(100) {
        ensure!(
            small.client.context(id).await?.state() == ContextState::Cancelled,
            "{id}"
        );
    }
    small.rig.check().await
}
