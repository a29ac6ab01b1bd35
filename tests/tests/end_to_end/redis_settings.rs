//! Settings of Redis that lose jobs are refused, at the start and later; a Redis that cannot write says so; and a call says how far its
//! write must have come.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use prost::Message as _;
use tickwheel_core::Durability;
use tickwheel_proto::DURABILITY_HEADER;
use tickwheel_proto::v1;
use tickwheel_tests::bins;
use tickwheel_tests::harness::jobs::{delayed, every, job, submission};
use tickwheel_tests::harness::wire::Wire;
use tickwheel_tests::harness::{
    Client, Launch, Layout, RedisServer, Rig, RigOptions, WorkerOptions, readiness, until,
};
use tickwheel_tracker::config::Access;
use tickwheel_tracker::config::Eviction;
use tickwheel_tracker::durability::Promises;
use tickwheel_tracker::{Config, Tracker};
use tonic::{Code, Request, Status};

const LIMIT: Duration = Duration::from_secs(30);

async fn single() -> Result<Option<Rig>> {
    let options = RigOptions {
        layout: Layout::Single,
        ..RigOptions::default()
    };
    Rig::start(None, options).await
}

fn config(rig: &Rig) -> Config {
    Config {
        redis_url: rig.redis.url(),
        partitions: rig.options.partitions,
        grpc_listen: ([127, 0, 0, 1], 0).into(),
        http_listen: None,
        access: Access::open(),
        ..Config::default()
    }
}

async fn client(tracker: &Tracker) -> Result<Client> {
    Client::connect(&format!("http://{}", tracker.grpc_addr())).await
}

fn http(tracker: &Tracker) -> Result<SocketAddr> {
    tracker.http_addr().context("it serves HTTP")
}

async fn is_ready(tracker: &Tracker) -> Result<()> {
    readiness::is_ready(http(tracker)?, LIMIT).await
}

async fn is_red(tracker: &Tracker, reason: &str) -> Result<()> {
    readiness::is_red(http(tracker)?, reason, LIMIT).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_evicts_is_refused_at_the_start_and_noticed_later() -> Result<()> {
    let Some(rig) = single().await? else {
        return Ok(());
    };
    let policy = async |policy: &str| {
        let mut wire = rig.redis.wire().await?;
        wire.command(&["CONFIG", "SET", "maxmemory-policy", policy])
            .await
    };
    policy("allkeys-lru").await?;
    let refused = Tracker::start(config(&rig)).await.err();
    let refused = refused.context("it started")?.to_string();
    ensure!(
        refused.contains("evicts keys (maxmemory-policy allkeys-lru)"),
        "{refused}"
    );
    let tolerating = Config {
        eviction: Eviction::Tolerated,
        ..config(&rig)
    };
    Tracker::start(tolerating).await?.stop().await;

    policy("noeviction").await?;
    let with_http = Config {
        http_listen: Some(([127, 0, 0, 1], 0).into()),
        ..config(&rig)
    };
    let tracker = Tracker::start(with_http).await?;
    is_ready(&tracker).await?;
    policy("volatile-ttl").await?;
    is_red(&tracker, "redis evicts").await?;
    policy("noeviction").await?;
    is_ready(&tracker).await
}

/// As on a full disk: a snapshot fails, as its folder is gone, and from then on Redis refuses every write with MISCONF.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_cannot_write_refuses_clearly_and_readiness_is_red() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let data = dir.path().join("data");
    std::fs::create_dir(&data)?;
    let launch = Launch {
        layout: Layout::Single,
        ..Launch::default()
    };
    let Some(redis) = RedisServer::launch(&data, launch).await? else {
        return Ok(());
    };
    let tracker = Tracker::start(Config {
        redis_url: redis.url(),
        grpc_listen: ([127, 0, 0, 1], 0).into(),
        http_listen: Some(([127, 0, 0, 1], 0).into()),
        access: Access::open(),
        ..Config::default()
    })
    .await?;
    let mut client = client(&tracker).await?;
    is_ready(&tracker).await?;
    let mut wire = redis.wire().await?;
    wire.command(&["CONFIG", "SET", "save", "3600 1"]).await?;
    std::fs::remove_dir_all(&data)?;
    wire.command(&["BGSAVE"]).await?;
    until("the snapshot has failed", LIMIT, async || {
        let info = redis
            .wire()
            .await?
            .command(&["INFO", "persistence"])
            .await?;
        ensure!(
            info.text().contains("rdb_last_bgsave_status:err"),
            "not yet"
        );
        Ok(())
    })
    .await?;
    let keys = wire.command(&["DBSIZE"]).await?;
    let far = || delayed(submission("ok", 0), Duration::from_secs(3_600));
    let refused = client.submit(vec![far()]).await.err();
    let refused = refused.context("it was accepted")?;
    ensure!(
        refused.code() == Code::Unavailable && refused.message().contains("MISCONF"),
        "{refused:?}"
    );
    is_red(&tracker, "redis is unavailable").await?;
    ensure!(
        wire.command(&["DBSIZE"]).await? == keys,
        "something was written"
    );
    wire.command(&["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"])
        .await?;
    until("submissions are accepted again", LIMIT, async || {
        client.submit_one(far()).await.map(drop)
    })
    .await?;
    is_ready(&tracker).await
}

fn asking(durability: &str) -> Result<Request<v1::SubmitRequest>> {
    let contexts = vec![delayed(submission("ok", 0), Duration::from_secs(3_600))];
    let mut request = Request::new(v1::SubmitRequest { contexts });
    request
        .metadata_mut()
        .insert(DURABILITY_HEADER, durability.parse()?);
    Ok(request)
}

fn code_of(status: &Status) -> Result<String> {
    Ok(v1::ErrorDetail::decode(status.details())?.code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_answered_when_its_write_has_come_as_far_as_it_asks() -> Result<()> {
    let Some(rig) = single().await? else {
        return Ok(());
    };
    let promising = Config {
        durability: Promises {
            namespaces: [("pay".to_owned(), Durability::replicated(1)?)].into(),
            wait: Duration::from_millis(300),
            ..Promises::default()
        },
        ..config(&rig)
    };
    let tracker = Tracker::start(promising).await?;
    let mut client = client(&tracker).await?;
    let mut refused = async |durability: &str| {
        let answer = client.raw.submit(asking(durability)?).await;
        answer.err().context("it was confirmed")
    };
    let status = refused("replicated(1)").await?;
    ensure!(status.code() == Code::Aborted, "{status:?}");
    ensure!(code_of(&status)? == "UNCONFIRMED", "{status:?}");
    ensure!(status.message().contains("0 of 1 replicas"), "{status:?}");
    let status = refused("safe").await?;
    ensure!(status.code() == Code::InvalidArgument, "{status:?}");
    let status = refused("fsynced").await?;
    ensure!(code_of(&status)? == "UNUSABLE", "{status:?}");
    // The namespace of a job decides where the call does not.
    let slow = || job("pay/slow", "ok", every(3_600_000));
    let status = client.apply(&[slow()?]).await.err().context("confirmed")?;
    ensure!(code_of(&status)? == "UNCONFIRMED", "{status:?}");
    ensure!(client.job("pay/slow").await.is_ok(), "it is written");
    client
        .apply(&[job("slow", "ok", every(3_600_000))?])
        .await?;

    // So does that of a context; what was not sent behind it is not passed off as written.
    let of = |namespaces: &[&str]| v1::SubmitRequest {
        contexts: namespaces
            .iter()
            .map(|namespace| v1::Submission {
                namespace: (*namespace).to_owned(),
                ..submission("ok", 1)
            })
            .collect(),
    };
    for (namespaces, written, taken) in [
        (&["eu", "pay", "eu"][..], 3, vec![]),
        (&["pay", "eu", "pay"], 2, vec![0, 2]),
    ] {
        let refused = client.raw.submit(of(namespaces)).await;
        let status = refused.err().context("it was confirmed")?;
        let detail = v1::ErrorDetail::decode(status.details())?;
        assert_eq!(
            (detail.code.as_str(), detail.context_ids.len(), detail.taken),
            ("UNCONFIRMED", written, taken)
        );
        for id in detail.context_ids {
            client.context(&id).await?;
        }
    }

    let folder = rig.dir().join("replica");
    std::fs::create_dir(&folder)?;
    let _replica = rig.redis.replica(&folder).await?;
    until("a replica confirms", LIMIT, async || {
        client.raw.submit(asking("replicated(1)")?).await?;
        client.pause("pay/slow").await?;
        Ok(())
    })
    .await
}

/// Numbers of the server that `INFO` names.
async fn figure(wire: &mut Wire, section: &str, name: &str) -> Result<u64> {
    let info = wire.command(&["INFO", section]).await?.text();
    let mut lines = info.lines();
    let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    Ok(found.unwrap_or("0").trim().parse()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_work_is_refused_before_redis_is_full_and_what_runs_goes_on() -> Result<()> {
    let Some(rig) = Rig::start(
        Some(bins!()),
        RigOptions {
            layout: Layout::Single,
            ..RigOptions::default()
        },
    )
    .await?
    else {
        return Ok(());
    };
    let trackers = rig.trackers(1).await?;
    let worker = WorkerOptions {
        permits: 10,
        ..WorkerOptions::default()
    };
    let _worker = rig.worker(&trackers, worker).await?;
    let mut client = rig.client(&trackers[0]).await?;
    let mut wire = rig.redis.wire().await?;
    // So much that what is written meanwhile is little of it.
    let end = (32 << 20).to_string();
    wire.command(&["SETRANGE", "ballast", &end, "x"]).await?;
    // Each is longer than the lease that it is handed out with, and only ten run at once.
    let contexts = (0..30).map(|_| submission("sleep", 5_000)).collect();
    let ids = client.submit(contexts).await?;
    let used = figure(&mut wire, "memory", "used_memory").await?;
    let most = (used * 100 / 90).to_string();
    wire.command(&["CONFIG", "SET", "maxmemory", &most]).await?;
    let one = || delayed(submission("ok", 1), Duration::from_secs(3_600));
    let refused = until("new work is refused", LIMIT, async || {
        let answer = client.submit(vec![one()]).await;
        answer.err().context("it was taken")
    })
    .await?;
    ensure!(refused.code() == Code::ResourceExhausted, "{refused:?}");
    ensure!(
        refused.message().contains("taken below 80 %"),
        "{refused:?}"
    );
    let job = client.apply(&[job("new", "ok", every(60_000))?]).await;
    ensure!(job.is_err_and(|status| status.code() == Code::ResourceExhausted));
    for id in &ids {
        until("it ends", LIMIT, async || {
            let context = client.context(id).await?;
            let state = context.state();
            ensure!(state == v1::ContextState::Succeeded, "{context:?}");
            ensure!(context.attempt == 1, "its lease was lost: {context:?}");
            Ok(())
        })
        .await?;
    }
    let refusals = wire.command(&["INFO", "errorstats"]).await?.text();
    ensure!(
        !refusals.contains("OOM"),
        "redis itself refused: {refusals}"
    );
    wire.command(&["CONFIG", "SET", "maxmemory", "0"]).await?;
    until("new work is taken", LIMIT, async || {
        client.submit_one(one()).await.map(drop)
    })
    .await
}
