//! Map and map-reduce: each subtask counts once, the reduce runs once, whoever dies.

mod limited;

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tickwheel_proto::v1::{self, ContextState, FanProgress};
use tickwheel_tests::bins;
use tickwheel_tests::harness::fan::{Counted, Mapping};
use tickwheel_tests::harness::jobs::{tries, with_options};
use tickwheel_tests::harness::{Client, Rig, RigOptions, Run, WorkerOptions, until};

const LIMIT: Duration = Duration::from_secs(60);

/// Subtasks of the tests in which somebody dies; `TICKWHEEL_FAN_SUBTASKS` says another number.
fn many() -> Result<u64> {
    match std::env::var("TICKWHEEL_FAN_SUBTASKS") {
        Ok(number) => Ok(number.parse()?),
        Err(_) => Ok(20_000),
    }
}

fn mapping(items: u64, leaf: &str) -> Mapping {
    Mapping {
        items,
        leaf: leaf.to_owned(),
        reduce: "count".to_owned(),
        ..Mapping::default()
    }
}

/// A root with one attempt.
fn root(mapping: &Mapping) -> Result<v1::Submission> {
    let root = v1::Submission {
        handler: "map".to_owned(),
        body: serde_json::to_vec(mapping)?.into(),
        ..v1::Submission::default()
    };
    Ok(with_options(root, tries(1, 10)))
}

async fn ended(client: &mut Client, id: &str) -> Result<v1::Context> {
    until("the root has ended", LIMIT, async || {
        let context = client.end_of(id).await?;
        ensure!(context.ended_ms > 0, "{context:?}");
        Ok(context)
    })
    .await
}

fn counted(context: &v1::Context) -> Result<Counted> {
    ensure!(context.state() == ContextState::Succeeded, "{context:?}");
    Ok(serde_json::from_slice(&context.result)?)
}

/// All of the numbers below, each once.
fn all_of(items: u64) -> Counted {
    Counted {
        succeeded: items,
        failed: 0,
        distinct: items,
        sum: items * (items - 1) / 2,
    }
}

async fn progress(
    client: &mut Client,
    id: &str,
    what: &str,
    enough: impl Fn(&FanProgress) -> bool,
) -> Result<FanProgress> {
    until(what, LIMIT, async || {
        let fan = client.context(id).await?.fan.context("no subtasks yet")?;
        ensure!(enough(&fan), "{fan:?}");
        Ok(fan)
    })
    .await
}

fn runs_of<'a>(runs: &'a [Run], handler: &str) -> Vec<&'a Run> {
    runs.iter().filter(|run| run.handler == handler).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reduce_sees_each_result_once_and_the_failed_ones_too() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let _first = rig.worker(&trackers, WorkerOptions::default()).await?;
    let _second = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    // 7, 107, … 907 fail for good.
    let id = client.submit_one(root(&mapping(1_000, "seventh"))?).await?;
    let context = ended(&mut client, &id).await?;
    let expected = Counted {
        succeeded: 990,
        failed: 10,
        distinct: 1_000,
        sum: 999 * 1_000 / 2 - (0..10).map(|n| n * 100 + 7).sum::<u64>(),
    };
    assert_eq!(counted(&context)?, expected);
    let runs = rig.book.read()?;
    assert_eq!(runs_of(&runs, "count").len(), 1);
    assert_eq!(runs_of(&runs, "seventh").len(), 1_000);
    rig.drained(LIMIT).await?;
    failed_parts_are_read(&mut client, &id, &runs).await?;
    rig.check().await
}

/// Which parts of a run failed, where and why, is known when it has ended.
async fn failed_parts_are_read(client: &mut Client, root: &str, runs: &[Run]) -> Result<()> {
    let request = v1::ListSubtasksRequest {
        context_id: root.to_owned(),
        state: "failed".to_owned(),
        limit: 100,
        page_token: String::new(),
    };
    let page = client.raw.list_subtasks(request).await?.into_inner();
    let fan = page.fan.context("no counts")?;
    assert_eq!((fan.failed, fan.running, fan.waiting), (10, 0, 0));
    let mut failed: Vec<&str> = page.subtasks.iter().map(|part| part.id.as_str()).collect();
    failed.sort_unstable();
    let mut expected: Vec<String> = (0..10)
        .map(|n| root.to_owned() + "~" + &(n * 100 + 7).to_string())
        .collect();
    expected.sort_unstable();
    assert_eq!(failed, expected);
    for part in &page.subtasks {
        let ran = runs.iter().find(|run| run.context == part.id);
        let worker = format!("{}-", ran.context("it ran nowhere")?.worker);
        ensure!(part.worker.starts_with(&worker), "{part:?} ran on {worker}");
        ensure!(part.attempt == 1 && !part.error.is_empty(), "{part:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_must_succeed_a_failed_subtask_leaves_no_reduce() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let _worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let strict = Mapping {
        all_must_succeed: true,
        ..mapping(300, "seventh")
    };
    let id = client.submit_one(root(&strict)?).await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Failed, "{context:?}");
    ensure!(!context.error.is_empty(), "{context:?}");
    assert!(runs_of(&rig.book.read()?, "count").is_empty());
    let unreduced = Mapping {
        reduce: String::new(),
        ..mapping(300, "seventh")
    };
    let id = client.submit_one(root(&unreduced)?).await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Failed, "{context:?}");
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_subtask_may_map_again() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let _worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    // Subtask n of the first level maps n more: 0 + 1 + … + 99.
    let id = client.submit_one(root(&mapping(100, "spread"))?).await?;
    let found = counted(&ended(&mut client, &id).await?)?;
    let below = 99 * 100 / 2;
    assert_eq!((found.succeeded, found.failed), (100 + below, 0));
    assert_eq!(found.distinct, 100 + below);
    let runs = rig.book.read()?;
    assert_eq!(runs_of(&runs, "ok").len() as u64, below);
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_of_subtasks_and_of_the_whole_are_apart() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let _worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let one = Mapping {
        max_attempts: 3,
        reduce: String::new(),
        ..mapping(1, "never")
    };
    let twice = with_options(root(&one)?, tries(2, 10));
    let id = client.submit_one(twice).await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Failed, "{context:?}");
    let runs = rig.book.read()?;
    assert_eq!(runs_of(&runs, "map").len(), 2);
    assert_eq!(runs_of(&runs, "never").len(), 6);
    rig.drained(LIMIT).await?;
    rig.check().await
}

/// After `kill -9` of a worker only what it had not finished is run again, each result counts once, and there is one reduce.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worker_that_mapped_dies_and_only_unfinished_subtasks_run_again() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let items = many()?;
    let trackers = rig.trackers(2).await?;
    let mut first = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let id = client.submit_one(root(&mapping(items, "nap"))?).await?;
    progress(&mut client, &id, "all is mapped", |fan| {
        !fan.open && fan.total == items
    })
    .await?;
    let _second = rig.worker(&trackers, WorkerOptions::default()).await?;
    let then = progress(&mut client, &id, "a third has ended", |fan| {
        fan.succeeded * 10 >= items * 3
    })
    .await?;
    // Between two visits it may run nothing: it is held still to look.
    until("the first worker runs some", LIMIT, async || {
        first.process.signal("STOP").await?;
        let runs = rig.book.read()?;
        let runs = runs_of(&runs, "nap").into_iter();
        let of_first = runs.filter(|run| run.worker == first.process.name());
        if of_first.filter(|run| run.end_ms.is_none()).count() == 0 {
            first.process.signal("CONT").await?;
            bail!("it runs nothing");
        }
        Ok(())
    })
    .await?;
    first.kill().await?;
    let context = ended(&mut client, &id).await?;
    assert_eq!(counted(&context)?, all_of(items));
    let runs = rig.book.read()?;
    assert_eq!(runs_of(&runs, "map").len(), 1);
    assert_eq!(runs_of(&runs, "count").len(), 1);
    let again = repeated(&runs);
    for runs in &again {
        ensure!(runs[0].worker == first.process.name(), "{runs:?}");
    }
    println!(
        "killed after {} of {items} subtasks; {} were run again",
        then.succeeded,
        again.len()
    );
    // What its permits ran, and outcomes that were on their way.
    ensure!(
        (1..2_000).contains(&again.len()),
        "{} were run again",
        again.len()
    );
    rig.drained(LIMIT).await?;
    rig.check().await
}

/// The runs of each subtask that ran more than once.
fn repeated(runs: &[Run]) -> Vec<Vec<&Run>> {
    let mut by_context: HashMap<&str, Vec<&Run>> = HashMap::new();
    for run in runs_of(runs, "nap") {
        by_context.entry(&run.context).or_default().push(run);
    }
    by_context
        .into_values()
        .filter(|runs| runs.len() > 1)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_while_it_maps_is_followed_by_one_that_goes_on() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let items = many()?;
    let trackers = rig.trackers(2).await?;
    let mut first = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let slow = Mapping {
        rest_ms: 50,
        ..mapping(items, "ok")
    };
    let patient = with_options(root(&slow)?, tries(3, 10));
    let id = client.submit_one(patient).await?;
    progress(&mut client, &id, "a third is mapped", |fan| {
        fan.total * 10 >= items * 3
    })
    .await?;
    let _second = rig.worker(&trackers, WorkerOptions::default()).await?;
    first.kill().await?;
    let context = ended(&mut client, &id).await?;
    assert_eq!(counted(&context)?, all_of(items));
    let runs = rig.book.read()?;
    assert_eq!(runs_of(&runs, "map").len(), 2);
    assert_eq!(runs_of(&runs, "count").len(), 1);
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tracker_that_dies_while_pages_come_costs_none_and_doubles_none() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let items = many()?;
    let mut trackers = rig.trackers(2).await?;
    let _worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[1]).await?;
    let slow = Mapping {
        rest_ms: 50,
        ..mapping(items, "ok")
    };
    let id = client.submit_one(root(&slow)?).await?;
    progress(&mut client, &id, "a third is mapped", |fan| {
        fan.total * 10 >= items * 3
    })
    .await?;
    trackers[0].process.kill().await?;
    let context = ended(&mut client, &id).await?;
    assert_eq!(counted(&context)?, all_of(items));
    let runs = rig.book.read()?;
    assert_eq!(
        (runs_of(&runs, "map").len(), runs_of(&runs, "count").len()),
        (1, 1)
    );
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_root_stops_what_runs_and_drops_what_waits() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let options = WorkerOptions {
        permits: 4,
        ..WorkerOptions::default()
    };
    let _worker = rig.worker(&trackers, options).await?;
    let mut client = rig.client(&trackers[0]).await?;
    // Bodies are the numbers 0 … 999, and each waits so many ms.
    let id = client
        .submit_one(root(&mapping(1_000, "cancel_aware"))?)
        .await?;
    progress(&mut client, &id, "some run", |fan| {
        !fan.open && fan.running > 0
    })
    .await?;
    client.cancel(&id).await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Cancelled, "{context:?}");
    rig.drained(LIMIT).await?;
    let runs = rig.book.read()?;
    ensure!(runs_of(&runs, "count").is_empty(), "it was reduced");
    ensure!(
        runs_of(&runs, "cancel_aware").len() < 1_000,
        "all of them ran"
    );
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_than_parallelism_run_at_once() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let _first = rig.worker(&trackers, WorkerOptions::default()).await?;
    let _second = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let narrow = Mapping {
        parallelism: 3,
        ..mapping(60, "sleep")
    };
    let id = client.submit_one(root(&narrow)?).await?;
    let context = ended(&mut client, &id).await?;
    assert_eq!(counted(&context)?.succeeded, 60);
    let runs = rig.book.read()?;
    let peak = peak(&runs_of(&runs, "sleep"));
    ensure!(peak <= 3, "{peak} ran at once");
    rig.drained(LIMIT).await?;
    rig.check().await
}

/// The greatest number of runs at one instant.
fn peak(runs: &[&Run]) -> usize {
    let running_at = |ms: u64| {
        let inside = |run: &&&Run| run.start_ms <= ms && run.end_ms.is_none_or(|end| end > ms);
        runs.iter().filter(inside).count()
    };
    runs.iter()
        .map(|run| running_at(run.start_ms))
        .max()
        .unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subtasks_are_listed_by_their_states_under_their_counts() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let narrow = Mapping {
        parallelism: 2,
        ..mapping(90, "stay")
    };
    let id = client.submit_one(root(&narrow)?).await?;
    progress(&mut client, &id, "two run", |fan| {
        !fan.open && fan.running == 2
    })
    .await?;
    let mut list = async |state: &str, limit: u32, page_token: String| {
        let request = v1::ListSubtasksRequest {
            context_id: id.clone(),
            state: state.to_owned(),
            limit,
            page_token,
        };
        client.raw.list_subtasks(request).await
    };
    let running = list("running", 10, String::new()).await?.into_inner();
    assert_eq!(running.subtasks.len(), 2);
    for subtask in &running.subtasks {
        assert_eq!(
            (subtask.state.as_str(), subtask.handler.as_str()),
            ("running", "stay")
        );
        assert_eq!((&subtask.worker, subtask.attempt), (&worker.id, 1));
    }
    let fan = running.fan.context("no counts")?;
    assert_eq!((fan.total, fan.running, fan.waiting), (90, 2, 88));
    let (mut waiting, mut page_token) = (0, String::new());
    loop {
        let page = list("waiting", 30, page_token).await?.into_inner();
        waiting += page.subtasks.len();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(waiting, 88);
    let wrong = list("sleeping", 30, String::new())
        .await
        .expect_err("it is refused");
    ensure!(wrong.message().contains("sleeping"), "{wrong}");
    client.cancel(&id).await?;
    ended(&mut client, &id).await?;
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_map_of_nothing_is_reduced_over_no_results() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let _worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let id = client.submit_one(root(&mapping(0, "ok"))?).await?;
    let context = ended(&mut client, &id).await?;
    ensure!(context.state() == ContextState::Succeeded, "{context:?}");
    assert_eq!(counted(&context)?, Counted::default());
    rig.check().await
}
