//! The first context of a new cluster is as punctual as any later one: what says that it is ready hears, and knows its workers.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::harness::jobs::{delayed, submission};
use tickwheel_tests::harness::{Client, Launch, RedisServer, RunBook, handlers, until};
use tickwheel_tracker::config::Access;
use tickwheel_tracker::{Config, Tracker};
use tickwheel_worker::Worker;

const ROUNDS: usize = 6;
/// A busy machine may be late; a partition that nobody hears is late by seconds, up to a minute.
const LATE_MS: u64 = 250;
/// One of so many rounds may fall into a pause of the machine.
const LATE_ROUNDS: usize = 1;

/// The ms between due time and claim of the first contexts of a new cluster, of which nobody waited for anything.
async fn round() -> Result<Option<u64>> {
    let dir = tempfile::tempdir()?;
    let Some(redis) = RedisServer::launch(dir.path(), Launch::default()).await? else {
        return Ok(None);
    };
    let config = Config {
        redis_url: redis.url(),
        grpc_listen: ([127, 0, 0, 1], 0).into(),
        http_listen: None,
        access: Access::open(),
        ..Config::default()
    };
    let tracker = Tracker::start(config).await?;
    let url = format!("http://{}", tracker.grpc_addr());
    let book = RunBook::open(&dir.path().join("runs.jsonl"))?;
    let builder = Worker::builder(&url).name("w").concurrency(64);
    let worker = handlers::register(builder, &["ok".to_owned()], &book, "w").start()?;
    let mut client = Client::connect(&url).await?;
    let soon = delayed(submission("ok", 0), Duration::from_secs(1));
    let mut ids = client.submit(vec![soon]).await?;
    ids.extend(client.submit(vec![submission("ok", 1); 20]).await?);
    let mut latest = 0;
    for id in &ids {
        let ended = until("it ended", Duration::from_secs(90), async || {
            let ended = client.end_of(id).await?;
            ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
            Ok(ended)
        })
        .await?;
        // Whoever is due at once may wait for the worker, which is on its way; the first one does not.
        if ids.first() == Some(id) {
            latest = ended.claimed_ms.saturating_sub(ended.due_ms);
        }
    }
    drop(worker);
    tracker.stop().await;
    Ok(Some(latest))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_context_of_a_new_cluster_is_on_time() -> Result<()> {
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        let Some(late) = round().await? else {
            return Ok(());
        };
        seen.push(late);
    }
    let late = seen.iter().filter(|late| **late > LATE_MS).count();
    ensure!(late <= LATE_ROUNDS, "{seen:?} ms late");
    Ok(())
}
