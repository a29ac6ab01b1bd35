//! Stores that are emptied, or replaced by an older copy, under running trackers and workers.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tonic::Code;

use super::{attempts, pass};
use crate::chaos::case::Case;
use crate::chaos::loss::Loss;
use crate::chaos::stage::{Plan, Stage};
use crate::harness::jobs::{delayed, submission, with_options};
use crate::harness::operator::{self, Backup};
use crate::harness::wire::Wire;
use crate::harness::{Launch, Layout, RedisServer, Snapshot, readiness, until, wall_ms};
use crate::ledger;

const LIMIT: Duration = Duration::from_secs(30);
/// Trackers notice within this that the store is another: a heartbeat is a second.
const NOTICED_MAX_MS: u64 = 2_500;
/// After the adoption they are green again within this.
const GREEN_MAX_MS: u64 = 3_000;
/// Of each kind of contexts that a fault finds on their way.
const EACH: usize = 10;

/// Contexts of one kind, in the accounts of the load.
async fn submit(
    stage: &Stage,
    handler: &str,
    (number, delay_ms): (u64, u64),
) -> Result<Vec<String>> {
    let one = || {
        let context = with_options(submission(handler, number), attempts(5));
        delayed(context, Duration::from_millis(delay_ms))
    };
    let ids = stage
        .client(0)?
        .submit((0..EACH).map(|_| one()).collect())
        .await?;
    ids.iter().for_each(|id| stage.load.add(id));
    Ok(ids)
}

/// Until a handler of each of them has started.
async fn running(stage: &Stage, ids: &[String]) -> Result<()> {
    until("all of them run", LIMIT, async || {
        let runs = stage.rig.book.read()?;
        let mut waiting = ids
            .iter()
            .filter(|id| !runs.iter().any(|run| run.context == **id));
        let left = waiting.next();
        ensure!(left.is_none(), "{left:?} does not");
        Ok(())
    })
    .await
}

/// Every tracker is red for this reason, has said so in its log, and refuses work with the words that say what to do.
async fn refused(case: &mut Case, stage: &Stage, reason: &str) -> Result<()> {
    for (at, node) in stage.nodes.iter().enumerate() {
        let http = node.tracker.http.context("it answers for its health")?;
        readiness::is_red(http, reason, LIMIT).await?;
        let said = stage.log(at)?;
        let told = said
            .lines()
            .filter(|line| line.contains("ERROR") && line.contains("is refused"))
            .count();
        case.expect((1..=2).contains(&told), || {
            format!("tracker {at} says {told} times in its log that the store is refused")
        });
        let answer = stage.client(at)?.submit(vec![submission("ok", 1)]).await;
        let told = answer.map_or_else(|status| status.message().to_owned(), |_| String::new());
        case.expect(told.contains("store adopt"), || {
            format!("tracker {at} answers a submission with `{told}`")
        });
    }
    Ok(())
}

/// The command that the refusal names; afterwards every tracker is green, the same processes as before.
async fn adopt(case: &mut Case, stage: &Stage) -> Result<()> {
    let pids = stage.tracker_pids();
    let (url, count) = (stage.rig.redis.url(), stage.rig.options.partitions);
    let count = count.to_string();
    let words = ["store", "adopt", "--yes", "--partitions", &count];
    operator::succeeds(&[&words[..], &["--redis", &url]].concat()).await?;
    let adopted = case.mark();
    for node in &stage.nodes {
        let http = node.tracker.http.context("it answers for its health")?;
        readiness::is_ready(http, LIMIT).await?;
    }
    let took = wall_ms() - adopted;
    case.note("green_after_ms", took);
    case.recovered(took);
    case.expect(took <= GREEN_MAX_MS, || {
        format!("the trackers took the adopted store only after {took} ms")
    });
    case.expect(stage.tracker_pids() == pids, || {
        "a tracker was restarted".to_owned()
    });
    Ok(())
}

/// Handlers of contexts that the store has no more are told that their attempts are over.
async fn told(case: &mut Case, stage: &Stage, ids: &[String]) {
    let told = until("their handlers are told", LIMIT, async || {
        let told = stage.rig.book.told()?;
        let is_told = |id: &&String| told.iter().any(|one| one.context == **id);
        let count = ids.iter().filter(is_told).count();
        ensure!(count == ids.len(), "{count} of {} are", ids.len());
        Ok(())
    });
    if let Err(left) = told.await {
        case.fail(format!("contexts are gone, and {left:#}"));
    }
}

/// Emptied while contexts wait and run, adopted after a while.
pub(crate) async fn f57(case: &mut Case) -> Result<()> {
    let mut stage = case.stage(Plan::default()).await?;
    submit(&stage, "ok", (1, 15_000)).await?;
    let long = submit(&stage, "cancel_aware", (60_000, 0)).await?;
    running(&stage, &long).await?;
    pass(2_000).await;
    let mut wire = stage.rig.redis.wire().await?;
    let cluster = ("tw", stage.rig.options.partitions);
    let before = Snapshot::take_before(&mut wire, cluster, &["FLUSHALL"]).await?;
    let emptied = case.mark();
    for node in &stage.nodes {
        let http = node.tracker.http.context("it answers for its health")?;
        readiness::is_red(http, "emptied", LIMIT).await?;
    }
    let noticed = wall_ms() - emptied;
    case.note("red_after_ms", noticed);
    case.expect(noticed <= NOTICED_MAX_MS, || {
        format!("the trackers noticed only after {noticed} ms")
    });
    refused(case, &stage, "emptied").await?;
    // Up to here every job has kept its promise.
    if let Some(jobs) = &stage.jobs {
        for story in jobs.stories(&stage.rig, &before)? {
            for problem in ledger::check(&story) {
                case.fail(format!("before the store was emptied: {problem}"));
            }
        }
    }
    pass(2_000).await;
    case.loss = Loss::of_emptied(&before);
    case.note("gone_with_the_store", case.loss.contexts.len());
    adopt(case, &stage).await?;
    stage.apply_jobs().await?;
    told(case, &stage, &long).await;
    pass(4_000).await;
    case.judge(&mut stage).await?;
    Ok(())
}

/// What a backup file holds, by a server of its own.
async fn held_by(backup: &std::path::Path, partitions: u16) -> Result<Snapshot> {
    let dir = tempfile::tempdir()?;
    std::fs::copy(backup, dir.path().join("dump.rdb"))?;
    let launch = Launch {
        layout: Layout::Single,
        ..Launch::default()
    };
    let server = RedisServer::launch(dir.path(), launch).await?;
    let server = server.context("redis-server is not installed")?;
    Snapshot::take(&mut server.wire().await?, "tw", partitions).await
}

/// Redis stops, and comes back with the backup, by the commands of the page.
async fn restore(stage: &mut Stage, file: &std::path::Path) -> Result<()> {
    stage.rig.redis.kill().await?;
    pass(500).await;
    let port = stage.rig.redis.port();
    let data = stage.rig.dir();
    Backup { port, data, file }.perform("restore").await?;
    until("the server of the restore is gone", LIMIT, async || {
        ensure!(Wire::connect(port).await.is_err(), "it takes connections");
        Ok(())
    })
    .await?;
    stage.rig.redis.restart().await
}

/// A backup is made, work goes on, and Redis comes back with it.
pub(crate) async fn f60(case: &mut Case) -> Result<()> {
    /// How long the backup grows old.
    const OLD_MS: u64 = 30_000;
    let plan = Plan {
        launch: Launch {
            durable: true,
            ..Launch::default()
        },
        ..Plan::default()
    };
    let mut stage = case.stage(plan).await?;
    // Due long after the restore, due between backup and restore, and running all the time.
    let mut kept = submit(&stage, "ok", (1, OLD_MS + 20_000)).await?;
    kept.extend(submit(&stage, "sleep", (100, OLD_MS / 2)).await?);
    let long = submit(&stage, "cancel_aware", (OLD_MS + 30_000, 0)).await?;
    running(&stage, &long).await?;
    pass(1_000).await;
    let file = stage.rig.dir().join("backup.rdb");
    let (port, data) = (stage.rig.redis.port(), stage.rig.dir());
    let (data, file) = (data.to_owned(), file.as_path());
    let data = data.as_path();
    Backup { port, data, file }.perform("backup").await?;
    let held = held_by(file, stage.rig.options.partitions).await?;
    pass(OLD_MS).await;
    // Gone with the restore: some end while Redis is away, and are reported after it; some run on.
    let ending = submit(&stage, "sleep", (2_500, 0)).await?;
    let going_on = submit(&stage, "cancel_aware", (90_000, 0)).await?;
    running(&stage, &ending).await?;
    running(&stage, &going_on).await?;
    case.mark();
    restore(&mut stage, file).await?;
    refused(case, &stage, "older copy").await?;
    pass(1_000).await;
    let runs = stage.rig.book.read()?;
    case.loss = Loss::since(&held, &stage.load.accounts().accepted, &runs);
    case.note("gone_since_the_backup", case.loss.contexts.len());
    adopt(case, &stage).await?;
    told(case, &stage, &going_on).await;
    for id in ending.iter().chain(&going_on) {
        let answer = stage.client(0)?.context(id).await;
        let code = answer.map_or_else(|status| status.code(), |_| Code::Ok);
        case.expect(code == Code::NotFound, || {
            format!("{id} is gone, and the tracker answers {code:?}")
        });
    }
    pass(3_000).await;
    let snapshot = case.judge(&mut stage).await?;
    let again = stage.rig.book.read()?;
    let repeated = case.loss.runs.iter().filter(|(context, _, _)| {
        !case.loss.contexts.contains(context)
            && again.iter().filter(|run| run.context == *context).count() > 1
    });
    let repeated = repeated.count();
    case.note("runs_done_again", repeated);
    case.expect(repeated >= EACH, || {
        format!("{repeated} runs were done again of what was done after the backup")
    });
    let refused = |snapshot: &Snapshot| snapshot.stat("stale") + snapshot.stat("foreign");
    let refused = refused(&snapshot).saturating_sub(refused(&held));
    case.note("reports_refused", refused);
    case.expect(refused >= u64::try_from(EACH)?, || {
        format!("{refused} reports of attempts that are gone were refused")
    });
    for id in &kept {
        let runs = stage.rig.book.of(id)?;
        case.expect(!runs.is_empty(), || format!("{id} never ran"));
    }
    Ok(())
}
