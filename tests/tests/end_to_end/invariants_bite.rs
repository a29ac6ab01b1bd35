//! Each invariant's check goes red when the invariant is broken by hand, and stays green before.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_core::invariant::Invariant;
use tickwheel_core::job::JobSpec;
use tickwheel_core::time::TimestampMs;
use tickwheel_tests::harness::jobs::{delay, delayed, every, job, submission};
use tickwheel_tests::harness::wire::Wire;
use tickwheel_tests::harness::{RigOptions, Run, Small, Snapshot, wall_ms};
use tickwheel_tests::invariants;

const FAR: Duration = Duration::from_secs(3_600);

fn run(context: &str, attempt: u32, worker: &str, span: (u64, u64)) -> Run {
    let (context, worker, handler, outcome) = (
        context.to_owned(),
        worker.to_owned(),
        "ok".to_owned(),
        "ok".to_owned(),
    );
    Run {
        context,
        attempt,
        worker,
        handler,
        due_ms: 1_000,
        start_ms: span.0,
        start_us: 0,
        end_ms: Some(span.1),
        outcome,
    }
}

async fn look(wire: &mut Wire, runs: &[Run]) -> Result<Vec<Invariant>> {
    let snapshot = Snapshot::take(wire, "tw", 1).await?;
    Ok(invariants::all(&snapshot, runs)
        .into_iter()
        .map(|broken| broken.invariant)
        .collect())
}

/// A cluster of one partition with two jobs that begin in an hour, at the instant answered.
async fn two_jobs() -> Result<Option<(Small, u64)>> {
    let one = RigOptions {
        partitions: 1,
        ..RigOptions::default()
    };
    let Some(mut small) = Small::on(one).await? else {
        return Ok(None);
    };
    let start = wall_ms() + 3_600_000;
    let later = |spec: JobSpec| JobSpec {
        start_at: Some(TimestampMs::new(start)),
        ..spec
    };
    let jobs = [
        later(job("j", "ok", every(1_000))?),
        later(job("d", "ok", delay(1_000))?),
    ];
    small.client.apply(&jobs).await?;
    Ok(Some((small, start)))
}

/// A command as its words with `|` between; `B` stands for the partition.
async fn command(wire: &mut Wire, text: &str) -> Result<()> {
    let words: Vec<String> = text
        .split('|')
        .map(|word| word.replace("B:", "{tw:0}:"))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    wire.command(&words).await.map(drop)
}

/// Does `harm` to a good cluster, expects `invariant` to be named, and undoes it by `repair`.
async fn bites(wire: &mut Wire, invariant: Invariant, harm: &str, repair: &str) -> Result<()> {
    command(wire, harm).await?;
    let named = look(wire, &[]).await?;
    ensure!(
        named.contains(&invariant),
        "{harm} breaks {invariant}, and {named:?} were named"
    );
    command(wire, repair).await?;
    let named = look(wire, &[]).await?;
    ensure!(named.is_empty(), "{named:?} are still named after {repair}");
    Ok(())
}

/// What is broken, by which command, and repaired by which. `id` is a planned context, `next` the next due time of both jobs.
fn harms(id: &str, due: u64, next: u64) -> Vec<(Invariant, String, String)> {
    use Invariant::{W1, W3, W4, W6, W7, W9, W10};
    let ready = 2 * (1_u64 << 44) + due;
    let context = "default ok 2 - 7";
    let firings = "0.5.f@default/j|s|0.6.f@default/j|s";
    let early = "0.5000.1-000009\tsucceeded\t1\tw-1\t4000\t5000\t\tdefault\tok\t0";
    let ended = format!("{id}\tsucceeded\t1\tw-1\t{due}\t{due}\t\tdefault\tok\t0");
    let rearm = |job: &str| format!("ZADD|B:wheel|{next}|@default/{job}");
    vec![
        (
            W1,
            format!("ZADD|B:ready:default:ok|{ready}|{id} 0:0 {context}"),
            "DEL|B:ready:default:ok".to_owned(),
        ),
        (
            W1,
            "ZADD|B:backlog|0|default ok".to_owned(),
            "DEL|B:backlog".to_owned(),
        ),
        (W1, format!("HSET|B:retry|{id}|5"), "DEL|B:retry".to_owned()),
        (
            W1,
            format!("HSET|B:active:default/j|{firings}"),
            "DEL|B:active:default/j".to_owned(),
        ),
        (
            W1,
            format!("XADD|B:events|*|s|{ended}"),
            "DEL|B:events".to_owned(),
        ),
        (
            W3,
            "RPUSH|B:ledger:default/j|1000 F +1|1000 F +2".to_owned(),
            "DEL|B:ledger:default/j".to_owned(),
        ),
        (W4, "ZREM|B:wheel|@default/j".to_owned(), rearm("j")),
        (W4, "ZREM|B:wheel|@default/d".to_owned(), rearm("d")),
        (
            W4,
            "HSET|B:job:default/j|state|paused".to_owned(),
            "HSET|B:job:default/j|state|active".to_owned(),
        ),
        (
            W6,
            format!("HSET|B:active:default/j|{firings}"),
            "DEL|B:active:default/j".to_owned(),
        ),
        (
            W7,
            format!("HSET|B:held|0.5.1-000001|1:0 w-1 {due} {due} 0 - {context}"),
            "DEL|B:held".to_owned(),
        ),
        (
            W9,
            "SET|B:dedup:k|0.5.1-000001".to_owned(),
            "DEL|B:dedup:k".to_owned(),
        ),
        (
            W10,
            format!("XADD|B:events|*|s|{early}"),
            "DEL|B:events".to_owned(),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn harm_in_redis_is_named() -> Result<()> {
    let Some((mut small, next)) = two_jobs().await? else {
        return Ok(());
    };
    let id = small
        .client
        .submit_one(delayed(submission("ok", 7), FAR))
        .await?;
    let due = small.client.context(&id).await?.due_ms;
    // Nothing may turn what is broken here.
    if let Some(tracker) = small.tracker.take() {
        tracker.stop().await;
    }
    let mut wire = small.rig.redis.wire().await?;
    ensure!(
        look(&mut wire, &[]).await?.is_empty(),
        "a good cluster is called broken"
    );
    for (invariant, harm, repair) in harms(&id, due, next) {
        bites(&mut wire, invariant, &harm, &repair).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn harm_in_the_run_book_is_named() -> Result<()> {
    let Some((small, _)) = two_jobs().await? else {
        return Ok(());
    };
    let mut wire = small.rig.redis.wire().await?;
    let id = "0.1000.f@default/j";
    let good = [
        run(id, 1, "w1", (1_000, 1_100)),
        run(id, 2, "w2", (1_050, 1_200)),
        run("0.2000.f@default/j", 1, "w1", (1_200, 1_300)),
    ];
    ensure!(
        look(&mut wire, &good).await?.is_empty(),
        "good runs are called broken"
    );
    let twice = [
        run(id, 1, "w1", (1_000, 1_100)),
        run(id, 1, "w2", (1_200, 1_300)),
    ];
    ensure!(
        look(&mut wire, &twice).await? == [Invariant::W2],
        "one attempt was started twice"
    );
    let backwards = [
        run(id, 2, "w1", (1_000, 1_100)),
        run(id, 1, "w1", (1_200, 1_300)),
    ];
    ensure!(
        look(&mut wire, &backwards).await? == [Invariant::W2],
        "an attempt came after a later one"
    );
    let together = [
        run(id, 1, "w1", (1_000, 1_100)),
        run("0.2000.f@default/j", 1, "w2", (1_099, 1_300)),
    ];
    ensure!(
        look(&mut wire, &together).await? == [Invariant::W6],
        "two ran at once"
    );
    let early = [run(id, 1, "w1", (999, 1_100))];
    ensure!(
        look(&mut wire, &early).await? == [Invariant::W10],
        "it started early"
    );
    Ok(())
}
