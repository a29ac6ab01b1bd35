//! Redis is killed and comes back with its append-only file: nothing confirmed is lost (W5), and everything goes on by itself.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_core::job::{JobSpec, Overlap};
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::bins;
use tickwheel_tests::harness::jobs::{cron, delay, delayed, every, job, job_of, submission};
use tickwheel_tests::harness::{
    Registered, Rig, RigOptions, WorkerOptions, until, until_clock, wall_ms,
};

const LIMIT: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_that_comes_back_has_lost_nothing() -> Result<()> {
    let durable = RigOptions {
        durable: true,
        ..RigOptions::default()
    };
    let Some(mut rig) = Rig::start(Some(bins!()), durable).await? else {
        return Ok(());
    };
    let trackers = rig.trackers(2).await?;
    let _worker = rig.worker(&trackers, WorkerOptions::default()).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let overlap = Overlap::Parallel(100);
    let specs = vec![
        JobSpec {
            overlap,
            ..job("rate", "ok", every(100))?
        },
        JobSpec {
            overlap,
            ..job("cron", "ok", cron("* * * * * *"))?
        },
        job_of("delay", "sleep", 150, delay(200))?,
    ];
    let jobs = Registered::apply(&mut client, specs).await?;
    let span = |number: u64| Duration::from_millis(10 * number);
    let ids = client
        .submit(
            (0..500)
                .map(|number| delayed(submission("sleep", 300), span(number)))
                .collect(),
        )
        .await?;
    client.fired("rate", 10, LIMIT).await?;
    rig.redis.kill().await?;
    until_clock(wall_ms() + 800).await;
    rig.redis.restart().await?;
    let back = wall_ms();
    let fired = until("firings go on", LIMIT, async || {
        let last = client
            .ledger("rate")
            .await?
            .last()
            .map_or(0, |record| record.from.as_u64());
        ensure!(last > back, "the ledger ends before redis came back");
        Ok(wall_ms())
    })
    .await?;
    println!(
        "restart of redis: firing again {} ms after it answered",
        fired - back
    );
    ensure!(fired - back <= 15_000, "it took {} ms", fired - back);
    for id in &ids {
        let ended = until("the context ended", LIMIT, async || {
            let context = client.end_of(id).await?;
            ensure!(context.ended_ms > 0, "{context:?}");
            Ok(context)
        })
        .await?;
        ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
    }
    for spec in jobs.specs() {
        client.pause(spec.name.as_str()).await?;
    }
    let snapshot = rig.drained(LIMIT).await?;
    jobs.check_quiet(&rig, &snapshot).await?;
    Ok(())
}
