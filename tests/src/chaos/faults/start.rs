//! Nobody there to work, and a store that another version wrote.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_proto::v1::{ContextState, Submission};

use super::pass;
use crate::chaos::case::Case;
use crate::chaos::stage::Plan;
use crate::harness::jobs::submission;
use crate::harness::{TrackerOptions, WorkerOptions, until, wall_ms};

const LIMIT: Duration = Duration::from_secs(20);

/// Contexts for a group without a worker, and later with one that has a single permit.
pub(crate) async fn f47(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    let lonely = |ms: u64| Submission {
        group: "lonely".to_owned(),
        ..submission("sleep", ms)
    };
    let ids = stage
        .client(0)?
        .submit((0..20).map(|_| lonely(100)).collect())
        .await?;
    ids.iter().for_each(|id| stage.load.add(id));
    pass(2_500).await;
    let mut reason = String::new();
    for id in &ids {
        let context = stage.client(0)?.context(id).await?;
        let waits = context.state() == ContextState::Ready && context.attempt == 0;
        case.expect(waits && !context.waiting_reason.is_empty(), || {
            format!(
                "{id} is {}, attempt {}, because {:?}",
                context.state().as_str_name(),
                context.attempt,
                context.waiting_reason
            )
        });
        reason = context.waiting_reason;
    }
    case.note("reason_without_a_worker", reason);
    let options = WorkerOptions {
        group: "lonely".to_owned(),
        permits: 1,
        ..WorkerOptions::default()
    };
    case.mark();
    let came = wall_ms();
    stage.add_worker(options).await?;
    let busy = until("one waits for a permit", LIMIT, async || {
        let last = ids.last().map_or("", String::as_str);
        let context = stage.client(0)?.context(last).await?;
        ensure!(
            context.state() == ContextState::Ready && context.waiting_reason.contains("permit"),
            "it is {} because {:?}",
            context.state().as_str_name(),
            context.waiting_reason
        );
        Ok(context.waiting_reason)
    })
    .await?;
    case.note("reason_without_a_permit", busy);
    let runs = until("all have run", LIMIT, async || {
        let runs = stage.rig.book.read()?;
        let own = runs.into_iter().filter(|run| ids.contains(&run.context));
        let own: Vec<_> = own.collect();
        ensure!(own.len() >= ids.len(), "{} have", own.len());
        Ok(own)
    })
    .await?;
    let first = runs.iter().map(|run| run.start_ms).min().unwrap_or(0);
    case.recovered(first.saturating_sub(came));
    case.expect(runs.iter().all(|run| run.attempt == 1), || {
        "waiting used up attempts".to_owned()
    });
    case.judge(&mut stage).await?;
    Ok(())
}

/// The schema of the store is newer, or older, than the program.
pub(crate) async fn f55(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    case.mark();
    let mut wire = stage.rig.redis.wire().await?;
    let schema = wire.command(&["HGET", "{tw}:meta", "schema"]).await?.text();
    for schema in ["99", "0", "x"] {
        wire.command(&["HSET", "{tw}:meta", "schema", schema])
            .await?;
        let started = stage.rig.tracker_with(&TrackerOptions::default()).await;
        let said = started.map_or_else(|error| format!("{error:#}"), |_| "it started".to_owned());
        let clear = said.contains(&format!("schema {schema}")) && said.contains("version");
        case.expect(clear, || {
            format!("a tracker of another schema said: {said}")
        });
        let first = said.lines().find(|line| line.contains("schema"));
        case.note("it_says", first.unwrap_or_default());
    }
    wire.command(&["HSET", "{tw}:meta", "schema", &schema])
        .await?;
    let again = stage.rig.tracker_with(&TrackerOptions::default()).await;
    case.expect(again.is_ok(), || {
        "a tracker of the schema did not start".to_owned()
    });
    drop(again);
    case.judge(&mut stage).await?;
    Ok(())
}
