//! Broadcast, static sharding and indexed completions: who runs which part, what makes the whole succeed, and what a lost worker changes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::id::HandlerName;
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_core::model::{Allocation, Broadcast, Indexed, Model, ShardItem, Sharding, Success};
use tickwheel_proto::v1::{Context, ContextState, ListSubtasksRequest, SubtaskView};
use tickwheel_tests::bins;
use tickwheel_tests::harness::fan::PartSeen;
use tickwheel_tests::harness::jobs::{job_of, tries};
use tickwheel_tests::harness::rig::{TrackerProcess, WorkerProcess};
use tickwheel_tests::harness::{Client, Rig, RigOptions, Run, WorkerOptions, until};

const LIMIT: Duration = Duration::from_secs(60);

/// A job that runs when asked to, whose parts take so many ms and are tried once.
fn split(handler: &str, ms: u64, model: Model) -> Result<JobSpec> {
    Ok(JobSpec {
        model,
        options: tries(1, 10),
        subtask: tries(1, 10),
        ..job_of("parts", handler, ms, Trigger::Manual)?
    })
}

fn sharding(items: &[&str]) -> Result<Model> {
    let items: Result<Vec<ShardItem>, _> = items.iter().map(|item| item.parse()).collect();
    Ok(Model::Sharding(Sharding {
        items: items?,
        allocation: Allocation::Average,
    }))
}

fn indexed(completions: u64, parallelism: u32) -> Indexed {
    Indexed {
        completions,
        parallelism,
        max_failed: None,
        success: None,
    }
}

/// Registers the job and runs it once; the root's id.
async fn run(client: &mut Client, spec: JobSpec) -> Result<String> {
    let name = spec.name.to_string();
    client.apply(&[spec]).await?;
    Ok(client.run(&name).await?.id)
}

async fn ended(client: &mut Client, id: &str) -> Result<Context> {
    until("the root has ended", LIMIT, async || {
        let context = client.end_of(id).await?;
        ensure!(context.ended_ms > 0, "{context:?}");
        Ok(context)
    })
    .await
}

async fn workers(
    rig: &Rig,
    trackers: &[TrackerProcess],
    count: usize,
) -> Result<Vec<WorkerProcess>> {
    let mut workers = Vec::new();
    for _ in 0..count {
        workers.push(rig.worker(trackers, WorkerOptions::default()).await?);
    }
    // As the cluster orders them.
    workers.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(workers)
}

/// Waits until so many parts run.
async fn parts_run(rig: &Rig, count: usize) -> Result<()> {
    until(&format!("{count} parts run"), LIMIT, async || {
        let runs = rig.book.read()?;
        let running = runs.iter().filter(|run| run.end_ms.is_none()).count();
        ensure!(running >= count, "{running} do");
        Ok(())
    })
    .await
}

/// The part in the id of a subtask.
fn number(run: &Run) -> u64 {
    let (_, behind) = run.context.split_once('~').unwrap_or_default();
    let part = behind.split('@').next().unwrap_or_default();
    part.rsplit('.')
        .next()
        .unwrap_or_default()
        .parse()
        .unwrap_or(u64::MAX)
}

/// Which parts each worker ran, by its name.
fn by_worker(runs: &[Run]) -> BTreeMap<&str, BTreeSet<u64>> {
    let mut parts: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for run in runs {
        parts.entry(&run.worker).or_default().insert(number(run));
    }
    parts
}

/// The parts of a run that has ended, all of which have succeeded.
async fn kept_parts(client: &mut Client, root: &str) -> Result<Vec<SubtaskView>> {
    let request = ListSubtasksRequest {
        context_id: root.to_owned(),
        limit: 100,
        ..ListSubtasksRequest::default()
    };
    let page = client.raw.list_subtasks(request).await?.into_inner();
    let fan = page.fan.unwrap_or_default();
    ensure!(fan.ended && fan.succeeded == fan.total, "{fan:?}");
    assert_eq!(page.subtasks.len() as u64, fan.total);
    Ok(page.subtasks)
}

/// Of each part it is known which worker ran it, and what it returned.
async fn parts_are_read(client: &mut Client, rig: &Rig, root: &str) -> Result<()> {
    let parts = kept_parts(client, root).await?;
    let total = u64::try_from(parts.len())?;
    let runs = rig.book.read()?;
    for part in &parts {
        let run = runs.iter().find(|run| run.context == part.id);
        let run = run.with_context(|| format!("{} did not run", part.id))?;
        let worker = format!("{}-", run.worker);
        ensure!(part.worker.starts_with(&worker), "{part:?} ran on {worker}");
        ensure!(part.claimed_ms > 0 && part.ended_ms >= part.claimed_ms);
        let seen: PartSeen = serde_json::from_slice(&part.body)?;
        assert_eq!((seen.index, seen.total), (number(run), total));
        assert_eq!(part.result_bytes, part.body.len() as u64);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_live_worker_runs_a_broadcast_once() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let _workers = workers(&rig, &trackers, 3).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let all = Model::Broadcast(Broadcast::default());
    let id = run(&mut client, split("part", 1_000, all.clone())?).await?;
    parts_run(&rig, 3).await?;
    // Who joins now takes part in the next one.
    let _late = rig.worker(&trackers, WorkerOptions::default()).await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Succeeded, "{context:?}");
    let runs = rig.book.read()?;
    assert_eq!((runs.len(), by_worker(&runs).len()), (3, 3));
    let next = run(&mut client, split("part", 1, all)?).await?;
    let context = ended(&mut client, &next).await?;
    ensure!(context.state() == ContextState::Succeeded, "{context:?}");
    let runs = rig.book.read()?;
    assert_eq!((runs.len(), by_worker(&runs).len()), (7, 4));
    rig.drained(LIMIT).await?;
    parts_are_read(&mut client, &rig, &id).await?;
    parts_are_read(&mut client, &rig, &next).await?;
    rig.check().await
}

/// The part of a lost worker fails and is run nowhere else; a quorum may do without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_part_of_a_lost_worker_is_nobodys() -> Result<()> {
    for (quorum, state) in [
        (None, ContextState::Failed),
        (Some(3), ContextState::Succeeded),
    ] {
        let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
            return Ok(());
        };
        let trackers = rig.trackers(2).await?;
        let mut workers = workers(&rig, &trackers, 4).await?;
        let mut client = rig.client(&trackers[0]).await?;
        let model = Model::Broadcast(Broadcast { quorum });
        let id = run(&mut client, split("part", 3_000, model)?).await?;
        parts_run(&rig, 4).await?;
        workers[1].kill().await?;
        let context = ended(&mut client, &id).await?;
        ensure!(context.state() == state, "{context:?}");
        let runs = rig.book.read()?;
        assert_eq!((runs.len(), by_worker(&runs).len()), (4, 4));
        rig.drained(LIMIT).await?;
        rig.check().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quorum_above_the_workers_fails_with_both_numbers() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let _workers = workers(&rig, &trackers, 2).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let model = Model::Broadcast(Broadcast { quorum: Some(3) });
    let id = run(&mut client, split("part", 1, model)?).await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Failed, "{context:?}");
    ensure!(
        context.error.contains("model.broadcast.quorum")
            && context.error.contains("which is 2 now (given: 3)"),
        "{context:?}"
    );
    ensure!(rig.book.read()?.is_empty(), "something ran");
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_waits_for_a_worker_and_says_so() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let model = Model::Broadcast(Broadcast::default());
    let id = run(&mut client, split("part", 1, model)?).await?;
    until("it waits with its reason", LIMIT, async || {
        let context = client.context(&id).await?;
        ensure!(
            context.state() == ContextState::Ready && !context.waiting_reason.is_empty(),
            "{context:?}"
        );
        Ok(())
    })
    .await?;
    let _worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Succeeded, "{context:?}");
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_are_dealt_out_as_the_table_says() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let workers = workers(&rig, &trackers, 3).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let items: Vec<String> = (0..10).map(|index| format!("{index}=p{index}")).collect();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let spec = JobSpec {
        reduce: Some(HandlerName::new("parts")?),
        ..split("part", 10, sharding(&items)?)?
    };
    let id = run(&mut client, spec).await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Succeeded, "{context:?}");
    // The reduce answers with what each part knew of itself.
    let seen: Vec<PartSeen> = serde_json::from_slice(&context.result)?;
    let part = |index| PartSeen {
        index,
        total: 10,
        parameter: format!("p{index}"),
    };
    let expected: Vec<PartSeen> = (0..10).map(part).collect();
    assert_eq!(seen, expected);
    let runs: Vec<Run> = rig.book.read()?;
    let runs: Vec<Run> = runs
        .into_iter()
        .filter(|run| run.handler == "part")
        .collect();
    assert_eq!(runs.len(), 10);
    let owned = by_worker(&runs);
    let table: [&[u64]; 3] = [&[0, 1, 2, 9], &[3, 4, 5], &[6, 7, 8]];
    for (worker, items) in workers.iter().zip(table) {
        let owned = owned.get(worker.process.name());
        assert_eq!(
            owned,
            Some(&items.iter().copied().collect()),
            "{}",
            worker.id
        );
    }
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_unfinished_items_of_a_lost_worker_are_done_by_others() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let mut workers = workers(&rig, &trackers, 3).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let items = ["0", "1", "2", "3", "4", "5", "6", "7", "8"];
    let spec = JobSpec {
        subtask: tries(3, 10),
        ..split("part", 3_000, sharding(&items)?)?
    };
    let id = run(&mut client, spec).await?;
    parts_run(&rig, 9).await?;
    let mut lost = workers.remove(0);
    lost.kill().await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Succeeded, "{context:?}");
    let runs = rig.book.read()?;
    assert_eq!(runs.len(), 12);
    let mut again: Vec<u64> = runs.iter().skip(9).map(number).collect();
    again.sort_unstable();
    assert_eq!(again, [0, 1, 2]);
    ensure!(
        runs.iter()
            .skip(9)
            .all(|run| run.worker != lost.process.name()),
        "{runs:?}"
    );
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_fails_is_tried_again_alone() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let _workers = workers(&rig, &trackers, 3).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let spec = JobSpec {
        subtask: tries(2, 10),
        ..split("part_once_bad", 10, Model::Broadcast(Broadcast::default()))?
    };
    let id = run(&mut client, spec).await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Succeeded, "{context:?}");
    let runs = rig.book.read()?;
    assert_eq!(runs.len(), 4);
    let of_one: BTreeSet<&str> = runs
        .iter()
        .filter(|run| number(run) == 1)
        .map(|run| run.worker.as_str())
        .collect();
    assert_eq!(of_one.len(), 1, "{runs:?}");
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_index_succeeds_once_and_so_many_run_at_once() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let _workers = workers(&rig, &trackers, 2).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let id = run(
        &mut client,
        split("part", 50, Model::Indexed(indexed(10, 3)))?,
    )
    .await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Succeeded, "{context:?}");
    let runs = rig.book.read()?;
    let numbers: BTreeSet<u64> = runs.iter().map(number).collect();
    assert_eq!((runs.len(), numbers), (10, (0..10).collect()));
    let at = |ms: u64| {
        let inside = |run: &&Run| run.start_ms <= ms && run.end_ms.is_none_or(|end| end > ms);
        runs.iter().filter(inside).count()
    };
    let peak = runs.iter().map(|run| at(run.start_ms)).max();
    ensure!(peak.is_some_and(|peak| peak <= 3), "{peak:?} ran at once");
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_indexes_are_borne_up_to_their_number() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let _workers = workers(&rig, &trackers, 1).await?;
    let mut client = rig.client(&trackers[0]).await?;
    // Of ten indexes five fail.
    for (max_failed, state) in [
        (Some(5), ContextState::Succeeded),
        (Some(2), ContextState::Failed),
        (None, ContextState::Failed),
    ] {
        let model = Indexed {
            max_failed,
            ..indexed(10, 1)
        };
        let before = rig.book.read()?.len();
        let id = run(&mut client, split("even_part", 1, Model::Indexed(model))?).await?;
        let context = ended(&mut client, &id).await?;
        ensure!(context.state() == state, "{max_failed:?}: {context:?}");
        let ran = rig.book.read()?.len() - before;
        match max_failed {
            // The third failure is index 5: what comes after it does not begin.
            Some(2) => ensure!(ran < 10, "{ran} ran"),
            _ => assert_eq!(ran, 10),
        }
    }
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_success_rule_stops_the_rest() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let _workers = workers(&rig, &trackers, 1).await?;
    let mut client = rig.client(&trackers[0]).await?;
    for rule in [
        Success {
            indexes: vec![0],
            count: None,
        },
        Success {
            indexes: Vec::new(),
            count: Some(2),
        },
    ] {
        let before = rig.book.read()?.len();
        let model = Indexed {
            success: Some(rule),
            ..indexed(100, 2)
        };
        let id = run(&mut client, split("part", 20, Model::Indexed(model))?).await?;
        let context = ended(&mut client, &id).await?;
        ensure!(context.state() == ContextState::Succeeded, "{context:?}");
        let ran = rig.book.read()?.len() - before;
        ensure!(ran < 50, "{ran} of 100 ran");
    }
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_model_may_not_be_is_refused_with_field_rule_and_value() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let mut spec = split("part", 1, sharding(&["0=a", "0=b"])?)?;
    spec.reduce = Some(HandlerName::new("count")?);
    spec.subtask.retry.max_attempts = 0;
    let refused = client.apply(&[spec]).await.expect_err("it is refused");
    let text = refused.message().to_owned();
    for part in ["model.sharding.items[1]", "subtask.retry.max_attempts"] {
        ensure!(text.contains(part), "{text}");
    }
    let mut alone = split("part", 1, Model::Standalone)?;
    alone.reduce = Some(HandlerName::new("count")?);
    let refused = client.apply(&[alone]).await.expect_err("it is refused");
    ensure!(
        refused.message().contains("a reduce without a map"),
        "{refused}"
    );
    let huge = Model::Indexed(indexed(10_000_001, 1));
    let refused = client
        .apply(&[split("part", 1, huge)?])
        .await
        .expect_err("it is refused");
    ensure!(
        refused
            .message()
            .contains("is 1..=10000000 (given: 10000001)"),
        "{refused}"
    );
    rig.check().await
}

/// What the second attempt would be split into stood in the job.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_of_a_deleted_job_is_not_split_again_and_ends() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let _workers = workers(&rig, &trackers, 1).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let spec = JobSpec {
        options: tries(2, 10),
        ..split("even_part", 400, Model::Indexed(indexed(2, 2)))?
    };
    let name = spec.name.to_string();
    let id = run(&mut client, spec).await?;
    parts_run(&rig, 2).await?;
    client.delete(&name).await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Failed, "{context:?}");
    ensure!(context.error.contains("deleted"), "{context:?}");
    rig.drained(LIMIT).await?;
    rig.check().await
}
