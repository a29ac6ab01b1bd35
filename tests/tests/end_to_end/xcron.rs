//! Tasks of xcron, from a request over HTTP to the callback at a server, by a real worker with the handler `http`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use serde_json::json;
use tickwheel_core::ledger::LedgerVerdict;
use tickwheel_tests::bins;
use tickwheel_tests::harness::rig::TrackerProcess;
use tickwheel_tests::harness::{
    Canary, Rig, RigOptions, TrackerOptions, Xcron, until, until_clock, wall_ms, wall_us, xcron,
};
use tickwheel_worker::RunningWorker;

const LIMIT: Duration = Duration::from_secs(30);
/// What is answered of a task that is not there, or came too late.
const GONE: u64 = 1404;

/// Trackers with HTTP, a worker for callbacks, and a server that is called.
struct Scene {
    rig: Rig,
    trackers: Vec<TrackerProcess>,
    _worker: RunningWorker,
    canary: Canary,
}

impl Scene {
    /// `None` where there is no Redis.
    async fn start(trackers: usize, callbacks: u32, answers: &[u16]) -> Result<Option<Self>> {
        let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
            return Ok(None);
        };
        let options = TrackerOptions {
            http: true,
            callbacks,
            ..TrackerOptions::default()
        };
        let mut started = Vec::new();
        for _ in 0..trackers {
            started.push(rig.tracker_with(&options).await?);
        }
        let urls: Vec<String> = started.iter().map(|tracker| tracker.url.clone()).collect();
        let worker = xcron::worker(&urls)?;
        rig.wait_for_worker(&worker.id()).await?;
        Ok(Some(Self {
            rig,
            trackers: started,
            _worker: worker,
            canary: Canary::start(answers).await?,
        }))
    }

    fn http(&self, tracker: usize) -> Result<SocketAddr> {
        let tracker = self.trackers.get(tracker).context("a tracker")?;
        tracker.http.context("HTTP")
    }

    /// Waits for so many calls, and until nothing is left to be done.
    async fn called(&self, count: usize) -> Result<()> {
        until("it is called", LIMIT, async || {
            let calls = self.canary.calls();
            ensure!(calls.len() >= count, "{} calls", calls.len());
            Ok(())
        })
        .await?;
        self.rig.drained(LIMIT).await?;
        Ok(())
    }
}

/// The next second that begins in a second or later.
fn soon() -> u64 {
    wall_ms() / 1_000 + 2
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_is_made_once_at_its_time_with_its_body() -> Result<()> {
    let Some(scene) = Scene::start(1, 1, &[]).await? else {
        return Ok(());
    };
    let mut client = Xcron::connect(scene.http(0)?).await?;
    let at = soon();
    let format = at.to_string();
    let body = json!({ "order": 9_007_199_254_740_993_u64, "paid": false });
    let url = scene.canary.url("/hook?x=1");
    let id = client
        .create((2, &format), &url, Some(body.clone()))
        .await?;
    let url = scene.canary.url("/plain");
    let plain = client.create((2, &format), &url, None).await?;
    scene.called(2).await?;
    let calls = scene.canary.calls();
    ensure!(calls.len() == 2, "{calls:#?}");
    for (path, body, id) in [
        ("/hook?x=1", body.to_string(), &id),
        ("/plain", "{}".to_owned(), &plain),
    ] {
        let call = calls.iter().find(|call| call.path() == path);
        let call = call.context(path)?;
        ensure!(call.head.starts_with("POST "), "{call:?}");
        ensure!(call.header("content-type") == "application/json");
        ensure!(call.body == body, "{call:?}");
        ensure!(call.at_us / 1_000_000 >= at, "before its time: {call:?}");
        ensure!(call.header("tickwheel-attempt") == "1", "{call:?}");
        let run = call.header("tickwheel-run");
        ensure!(run.ends_with(&format!("@xcron/{id}")), "{call:?}");
        let (code, shown) = client.query(id).await?;
        ensure!(code == 0 && shown["run_count"] == 1, "{shown}");
        // It comes too late, and changes nothing.
        ensure!(client.delete(id).await? == GONE);
        let (code, shown) = client.query(id).await?;
        ensure!(code == 0 && shown["run_count"] == 1, "{shown}");
    }
    scene.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_fails_is_made_again_as_often_as_is_configured() -> Result<()> {
    let Some(scene) = Scene::start(1, 4, &[500, 500, 500]).await? else {
        return Ok(());
    };
    let mut client = Xcron::connect(scene.http(0)?).await?;
    let url = scene.canary.url("/again");
    let id = client.create((2, &soon().to_string()), &url, None).await?;
    scene.called(4).await?;
    let calls = scene.canary.calls();
    let attempts: Vec<&str> = calls
        .iter()
        .map(|it| it.header("tickwheel-attempt"))
        .collect();
    ensure!(attempts == ["1", "2", "3", "4"], "{calls:#?}");
    let runs: BTreeSet<&str> = calls.iter().map(|it| it.header("tickwheel-run")).collect();
    ensure!(runs.len() == 1, "{runs:?}");
    let (_, shown) = client.query(&id).await?;
    ensure!(shown["run_count"] == 1, "{shown}");
    let run = runs.first().context("a run")?.parse()?;
    let ended = scene
        .rig
        .store
        .get_context(&run)
        .await?
        .context("its end")?;
    ensure!(ended.state.to_string() == "succeeded", "{ended:?}");
    scene.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_fails_is_not_made_again_by_itself() -> Result<()> {
    let Some(scene) = Scene::start(1, 1, &[500]).await? else {
        return Ok(());
    };
    let mut client = Xcron::connect(scene.http(0)?).await?;
    let url = scene.canary.url("/once");
    client.create((2, &soon().to_string()), &url, None).await?;
    scene.called(1).await?;
    ensure!(scene.canary.calls().len() == 1);
    scene.rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_count_of_runs_is_that_of_the_ledger_also_when_a_tracker_is_killed() -> Result<()> {
    const RUNS: usize = 100;
    let Some(mut scene) = Scene::start(2, 1, &[]).await? else {
        return Ok(());
    };
    let mut client = Xcron::connect(scene.http(1)?).await?;
    let url = scene.canary.url("/count");
    // In its time it fires once a year; it is asked to run instead.
    let id = client.create((1, "0 0 1 1 *"), &url, None).await?;
    let name = format!("xcron/{id}");
    let other = scene.trackers.get(1).context("a tracker")?;
    let mut caller = scene.rig.client(other).await?;
    for number in 0..RUNS {
        if number == RUNS / 2 {
            let first = scene.trackers.first_mut().context("a tracker")?;
            first.process.kill().await?;
        }
        let run = caller.run(&name).await?;
        let ended = caller.end_of(&run.id).await?;
        ensure!(ended.ended_ms > 0, "{ended:?}");
    }
    let records = caller.ledger(&name).await?;
    let fired = records.iter();
    let fired = fired.filter(|record| record.verdict == LedgerVerdict::Fired);
    let fired = fired.count();
    let (_, shown) = client.query(&id).await?;
    ensure!(
        fired == RUNS && shown["run_count"] == fired,
        "{fired}: {shown}"
    );
    let runs: BTreeSet<String> = scene
        .canary
        .calls()
        .iter()
        .map(|call| call.header("tickwheel-run").to_owned())
        .collect();
    ensure!(runs.len() == RUNS, "{} runs were called back", runs.len());
    // Nothing of it runs any more.
    ensure!(client.delete(&id).await? == 0);
    ensure!(client.query(&id).await?.0 == GONE);
    scene.rig.drained(LIMIT).await?;
    scene.rig.check().await
}

/// Tasks of one second, by their number, with their ids.
type Tasks = BTreeMap<usize, String>;

/// Creates tasks that are due then, over some connections.
async fn create(scene: &Scene, at: u64, numbers: Vec<usize>) -> Result<Tasks> {
    let shares = numbers
        .chunks(numbers.len().div_ceil(8))
        .map(<[usize]>::to_vec);
    let connections = shares.enumerate().map(|(connection, numbers)| async move {
        let mut client = Xcron::connect(scene.http(connection % 2)?).await?;
        let mut made = Vec::new();
        for number in numbers {
            let url = scene.canary.url(&format!("/{number}"));
            let id = client.create((2, &at.to_string()), &url, None).await?;
            made.push((number, id));
        }
        Ok::<_, anyhow::Error>(made)
    });
    Ok(try_join_all(connections)
        .await?
        .into_iter()
        .flatten()
        .collect())
}

/// Deletes tasks a millisecond before they are due, over some connections; answers with the code of each and when it was there, in µs.
async fn delete(scene: &Scene, at: u64, tasks: Tasks) -> Result<Vec<(usize, u64, u64)>> {
    let tasks: Vec<(usize, String)> = tasks.into_iter().collect();
    let shares = tasks.chunks(tasks.len().div_ceil(16)).map(<[_]>::to_vec);
    let connections = shares.enumerate().map(|(connection, tasks)| async move {
        let mut client = Xcron::connect(scene.http(connection % 2)?).await?;
        until_clock(at * 1_000 - 1).await;
        let mut told = Vec::new();
        for (number, id) in tasks {
            let code = client.delete(&id).await?;
            told.push((number, code, wall_us()));
        }
        Ok::<_, anyhow::Error>(told)
    });
    Ok(try_join_all(connections)
        .await?
        .into_iter()
        .flatten()
        .collect())
}

/// Deletes `count` tasks around their due time, so many in a second: what was acknowledged is never called, everything else once. Answers with
/// how many that were.
async fn race(count: usize, in_a_second: usize) -> Result<String> {
    let Some(scene) = Scene::start(2, 1, &[]).await? else {
        return Ok(String::new());
    };
    let clock = scene.rig.store.time().await?.as_u64();
    ensure!(
        clock.abs_diff(wall_ms()) < 100,
        "Redis' clock is this machine's"
    );
    let (mut acknowledged, mut late) = (BTreeSet::new(), BTreeSet::new());
    let numbers: Vec<usize> = (0..count).collect();
    for numbers in numbers.chunks(in_a_second) {
        // Created in time, also by a machine that is busy.
        let at = soon() + u64::try_from(in_a_second / 50)?;
        let tasks = create(&scene, at, numbers.to_vec()).await?;
        for (number, code, told_us) in delete(&scene, at, tasks).await? {
            match code {
                0 => acknowledged.insert(number),
                GONE => {
                    ensure!(
                        told_us >= at * 1_000_000,
                        "{number} was too late before its time"
                    );
                    late.insert(number)
                }
                code => anyhow::bail!("{number}: {code}"),
            };
        }
    }
    scene.called(late.len()).await?;
    let mut called: BTreeMap<usize, usize> = BTreeMap::new();
    for call in scene.canary.calls() {
        let number = call.path().trim_start_matches('/').parse()?;
        *called.entry(number).or_default() += 1;
    }
    ensure!(!acknowledged.is_empty(), "no deletion came in time");
    let wrong: Vec<_> = called
        .keys()
        .filter(|it| acknowledged.contains(it))
        .collect();
    ensure!(wrong.is_empty(), "deleted and called: {wrong:?}");
    ensure!(
        called.len() == late.len() && called.values().all(|calls| *calls == 1),
        "not each of the others was called once"
    );
    scene.rig.check().await?;
    Ok(format!(
        "of {count} tasks {} were deleted in time, {} were not and were called",
        acknowledged.len(),
        late.len()
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_deletion_never_fires() -> Result<()> {
    println!("{}", race(400, 100).await?);
    Ok(())
}

/// As docs/testing.md says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes"]
async fn ten_thousand_acknowledged_deletions_never_fire() -> Result<()> {
    println!("{}", race(10_000, 200).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_periodic_task_is_deleted_with_the_callback_that_is_under_way() -> Result<()> {
    let Some(scene) = Scene::start(2, 3, &[500]).await? else {
        return Ok(());
    };
    let mut client = Xcron::connect(scene.http(0)?).await?;
    // Nobody answers there, so that the callback is under way until it is stopped.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", silent.local_addr()?);
    let id = client.create((1, "0 0 1 1 *"), &url, None).await?;
    let name = format!("xcron/{id}");
    let other = scene.trackers.get(1).context("a tracker")?;
    let mut caller = scene.rig.client(other).await?;
    let run = caller.run(&name).await?;
    let (_stream, _) = silent.accept().await?;
    let asked = wall_ms();
    ensure!(client.delete(&id).await? == 0);
    ensure!(
        wall_ms() - asked < 5_000,
        "it was waited for to its time-out"
    );
    let ended = caller.end_of(&run.id).await?;
    ensure!(
        ended.error.contains("cancelled") || ended.ended_ms > 0,
        "{ended:?}"
    );
    ensure!(client.query(&id).await?.0 == GONE);
    // What waits for its next attempt goes as well.
    let url = scene.canary.url("/again");
    let id = client.create((1, "0 0 1 1 *"), &url, None).await?;
    caller.run(&format!("xcron/{id}")).await?;
    until("it is called", LIMIT, async || {
        ensure!(!scene.canary.calls().is_empty(), "it is not");
        Ok(())
    })
    .await?;
    ensure!(client.delete(&id).await? == 0);
    let told = wall_us();
    scene.rig.drained(LIMIT).await?;
    let after = scene.canary.calls().into_iter();
    let after: Vec<_> = after.filter(|call| call.at_us > told).collect();
    ensure!(after.is_empty(), "called after its deletion: {after:?}");
    scene.rig.check().await
}
