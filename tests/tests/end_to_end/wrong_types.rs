//! A key of another type than ours that only the end of an attempt meets: what ended is settled, and the key is kept aside.

use std::time::Duration;

use anyhow::{Result, ensure};
use tickwheel_proto::v1::ContextState;
use tickwheel_tests::harness::jobs::submission;
use tickwheel_tests::harness::wire::Wire;
use tickwheel_tests::harness::{Client, Launch, RedisServer, RunBook, handlers, until};
use tickwheel_tracker::config::Access;
use tickwheel_tracker::{Config, Tracker};
use tickwheel_worker::Worker;

const PARTITIONS: u16 = 16;
const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_a_settlement_meets_makes_room_as_well() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let Some(redis) = RedisServer::launch(dir.path(), Launch::default()).await? else {
        return Ok(());
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
    let mut wire = Wire::connect(redis.port()).await?;
    for partition in 0..PARTITIONS {
        let key = format!("{{tw:{partition}}}:events");
        wire.command(&["SET", &key, "somebody else's"]).await?;
    }
    let book = RunBook::open(&dir.path().join("runs.jsonl"))?;
    let builder = Worker::builder(&url).name("w").concurrency(64);
    let worker = handlers::register(builder, &["ok".to_owned()], &book, "w").start()?;
    let mut client = Client::connect(&url).await?;
    let ids = client.submit(vec![submission("ok", 1)]).await?;
    for id in &ids {
        until("it is settled", LIMIT, async || {
            let ended = client.end_of(id).await?;
            ensure!(ended.state() == ContextState::Succeeded, "{ended:?}");
            Ok(())
        })
        .await?;
        let partition = id.split('.').next().unwrap_or_default();
        let list = format!("{{tw:{partition}}}:asides");
        let asides = wire.command(&["LINDEX", &list, "0"]).await?.text();
        ensure!(asides.contains(" aside:events:"), "{asides}");
    }
    let runs = book.read()?;
    ensure!(runs.len() == ids.len(), "each ran once: {runs:?}");
    drop(worker);
    tracker.stop().await;
    Ok(())
}
