//! `store check`, `repair` and `rebuild` on a cluster that works: no false findings, and after damage everything goes on.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_core::job::{AfterOn, JobSpec, Overlap, Trigger};
use tickwheel_proto::v1;
use tickwheel_store::check::Pace;
use tickwheel_tests::bins;
use tickwheel_tests::harness::jobs::{
    after, cron, delay, delayed, every, job, job_of, submission, tries, with_options,
};
use tickwheel_tests::harness::wire::Wire;
use tickwheel_tests::harness::{
    Client, Registered, Rig, RigOptions, WorkerOptions, until, until_clock, wall_ms,
};

const LIMIT: Duration = Duration::from_secs(40);
const FAST: Pace = Pace { rest: 0.0 };

/// Jobs of every recurring kind, with each overlap policy that keeps something waiting.
fn specs() -> Result<Vec<JobSpec>> {
    let with = |overlap, spec: JobSpec| JobSpec { overlap, ..spec };
    Ok(vec![
        with(Overlap::Parallel(100), job("rate", "ok", every(50))?),
        with(
            Overlap::Parallel(10),
            job("cron", "ok", cron("* * * * * *"))?,
        ),
        job_of("delay", "sleep", 30, delay(20))?,
        with(Overlap::Queue(20), job_of("queue", "sleep", 80, every(60))?),
        with(Overlap::Replace, job_of("replace", "sleep", 90, every(70))?),
        with(
            Overlap::Parallel(50),
            job("follower", "ok", after("rate", AfterOn::Ended)?)?,
        ),
    ])
}

/// Contexts that are due over two seconds, some of which fail a few times.
async fn submit(client: &mut Client, count: u64) -> Result<Vec<String>> {
    let contexts = (0..count).map(|number| {
        let span = Duration::from_millis(number * 2_000 / count);
        let handler = if number % 4 == 0 { "fail" } else { "ok" };
        with_options(delayed(submission(handler, number), span), tries(2, 100))
    });
    let contexts: Vec<_> = contexts.collect();
    let mut ids = Vec::new();
    for few in contexts.chunks(500) {
        ids.extend(client.submit(few.to_vec()).await?);
    }
    Ok(ids)
}

async fn expect_clean(rig: &Rig) -> Result<u64> {
    let checked = rig.store.check(FAST).await?;
    ensure!(checked.is_clean(), "{:#?}", checked.findings);
    Ok(checked.entries)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_cluster_has_no_false_findings() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let _workers = [
        rig.worker(&trackers, WorkerOptions::default()).await?,
        rig.worker(&trackers, WorkerOptions::default()).await?,
    ];
    let mut client = rig.client(&trackers[0]).await?;
    let jobs = Registered::apply(&mut client, specs()?).await?;
    let began = wall_ms();
    let (mut checks, mut entries) = (0, 0);
    while wall_ms() < began + 8_000 {
        submit(&mut client, 500).await?;
        for _ in 0..3 {
            entries += expect_clean(&rig).await?;
            checks += 1;
        }
    }
    println!("{checks} checks of {entries} entries under load, no finding");
    ensure!(
        checks >= 6 && entries > 2_000,
        "{checks} checks of {entries} entries"
    );
    for spec in jobs.specs() {
        client.pause(spec.name.as_str()).await?;
    }
    rig.drained(LIMIT).await?;
    expect_clean(&rig).await?;
    rig.check().await
}

/// Deletes a wheel that has no deliveries.
const DELETE: &str = "for _, entry in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if string.byte(entry) == 38 then return 0 end
end
redis.call('DEL', KEYS[1])
return 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_wheel_is_rebuilt_while_trackers_work() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let _worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let jobs = Registered::apply(&mut client, specs()?).await?;
    client.fired("rate", 10, LIMIT).await?;
    client.fired("delay", 3, LIMIT).await?;
    let mut wire = rig.redis.wire().await?;
    for partition in 0..rig.options.partitions {
        let wheel = format!("{{tw:{partition}}}:wheel");
        // A delivery to a follower that is under way is known to the wheel alone: with it a firing would be lost.
        until("no delivery is under way", LIMIT, async || {
            let removed = wire.command(&["EVAL", DELETE, "1", &wheel]).await?.text();
            ensure!(removed == "1", "one is");
            Ok(())
        })
        .await?;
    }
    let found = rig.store.check(FAST).await?;
    ensure!(!found.is_clean(), "a lost wheel is called good");
    let rebuilt = rig.store.rebuild(FAST).await?;
    ensure!(rebuilt.after.is_clean(), "{:#?}", rebuilt.after.findings);
    ensure!(rebuilt.changed.len() >= 3, "{:?}", rebuilt.changed);
    let again = wall_ms();
    for name in ["rate", "cron", "delay", "queue", "replace"] {
        until("the job fires on", LIMIT, async || {
            let ledger = client.ledger(name).await?;
            let last = ledger.last().map_or(0, |record| record.from.as_u64());
            ensure!(
                last > again,
                "{name} was due last at {last}, the rebuild ended at {again}"
            );
            Ok(())
        })
        .await?;
    }
    for spec in jobs.specs() {
        client.pause(spec.name.as_str()).await?;
    }
    let snapshot = rig.drained(LIMIT).await?;
    expect_clean(&rig).await?;
    // Every due time once, the lost ones by the misfire policy, and as many ends as firings.
    jobs.check_quiet(&rig, &snapshot).await?;
    Ok(())
}

/// Takes what upstreams know of their followers away, of jobs that are there and of those that are awaited.
const FORGET: &str = "local gone = 0
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local job = ARGV[1] .. 'job:' .. name
    gone = gone + ((redis.call('HGET', job, 'followers') or '') ~= '' and 1 or 0)
    redis.call('HDEL', job, 'followers')
end
return gone + redis.call('DEL', ARGV[1] .. 'awaited:default/later')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_that_no_upstream_knows_any_more_follow_again_after_a_rebuild() -> Result<()> {
    let Some(rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let _worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let specs = [
        job("up", "ok", Trigger::Manual)?,
        job("down", "ok", after("up", AfterOn::Succeeded)?)?,
        job("behind", "ok", after("down", AfterOn::Ended)?)?,
        job("later", "ok", Trigger::Manual)?,
        job("awaiting", "ok", after("later", AfterOn::Ended)?)?,
    ];
    client.apply(&specs).await?;
    let forced = v1::DeleteJobRequest {
        name: "later".to_owned(),
        force: true,
        ..v1::DeleteJobRequest::default()
    };
    client.raw.delete_job(forced).await?;
    let mut wire = rig.redis.wire().await?;
    let mut gone = 0;
    for partition in 0..rig.options.partitions {
        let [jobs, all] = ["jobs", ""].map(|name| format!("{{tw:{partition}}}:{name}"));
        let forgotten = wire.command(&["EVAL", FORGET, "1", &jobs, &all]).await?;
        gone += forgotten.text().parse::<u32>()?;
    }
    ensure!(gone == 3, "{gone} of 3 upstreams knew their followers");
    let rebuilt = rig.store.rebuild(FAST).await?;
    ensure!(rebuilt.after.is_clean(), "{:#?}", rebuilt.after.findings);
    client
        .apply(&[job("later", "ok", Trigger::Manual)?])
        .await?;
    client.run("up").await?;
    client.run("later").await?;
    for follower in ["down", "behind", "awaiting"] {
        client.fired(follower, 1, LIMIT).await?;
    }
    rig.drained(LIMIT).await?;
    rig.check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_from_an_old_dump_nothing_is_stuck() -> Result<()> {
    let Some(mut rig) = Rig::start(Some(bins!()), RigOptions::default()).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let _worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let jobs = Registered::apply(&mut client, specs()?).await?;
    submit(&mut client, 1_000).await?;
    client.fired("rate", 10, LIMIT).await?;
    for port in rig.redis.ports() {
        Wire::connect(port).await?.command(&["SAVE"]).await?;
    }
    // What happens now is lost: settlements that were confirmed, firings, claims.
    until_clock(wall_ms() + 1_000).await;
    rig.redis.kill().await?;
    rig.redis.restart().await?;
    let back = wall_ms();
    until("the store answers", LIMIT, async || {
        rig.store.time().await?;
        Ok(())
    })
    .await?;
    let repaired = rig.store.repair(FAST).await?;
    ensure!(repaired.after.is_clean(), "{:#?}", repaired.after.findings);
    until("firings go on", LIMIT, async || {
        let ledger = client.ledger("rate").await?;
        let last = ledger.last().map_or(0, |record| record.from.as_u64());
        ensure!(last > back, "the ledger ends before redis came back");
        Ok(())
    })
    .await?;
    for spec in jobs.specs() {
        client.pause(spec.name.as_str()).await?;
    }
    let snapshot = rig.drained(LIMIT).await?;
    expect_clean(&rig).await?;
    ensure!(
        snapshot.under_way().is_empty(),
        "{:?}",
        snapshot.under_way()
    );
    Ok(())
}
