//! Allocations of one job on its way through tracker and worker: a number that is the same on every machine.
//!
//! Tracker, worker and caller run in this process, under an allocator that counts. The limit stands above what is measured
//! (docs/benchmarks.md), so that only a change of kind breaks it: a copy of the body, a task or a message more for each job.

use std::alloc::System;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tickwheel_proto::v1::scheduler_service_client::SchedulerServiceClient;
use tickwheel_proto::v1::submission::When;
use tickwheel_proto::v1::{Submission, SubmitRequest};
use tickwheel_tracker::config::Access;
use tickwheel_tracker::{Config, Tracker};
use tickwheel_worker::Worker;
use tokio::process::{Child, Command};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const JOBS: u64 = 20_000;
const BATCH: u64 = 1000;
/// Allocations and growths of one job, from the turn that claims it to its confirmation.
const MOST: f64 = 35.0;

/// A server on a free port, with its data in `dir`; it ends with the child.
async fn redis(dir: &std::path::Path) -> Result<(Child, String)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    command
        .args(["--save", "", "--appendonly", "no"])
        .arg("--dir")
        .arg(dir);
    let child = command
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("redis-server does not start; `make redis` installs it")?;
    for _ in 0..400 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_ok()
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok((child, format!("redis://127.0.0.1:{port}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_needs_few_allocations() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let (_redis, redis_url) = redis(dir.path()).await?;
    let tracker = Tracker::start(Config {
        redis_url,
        grpc_listen: ([127, 0, 0, 1], 0).into(),
        http_listen: None,
        access: Access::open(),
        ..Config::default()
    })
    .await?;
    let url = format!("http://{}", tracker.grpc_addr());
    let mut client = SchedulerServiceClient::connect(url.clone()).await?;
    for _ in 0..JOBS / BATCH {
        let context = Submission {
            group: "bench".to_owned(),
            handler: "noop".to_owned(),
            body: Bytes::from_static(&[b'x'; 100]),
            when: Some(When::DelayMs(0)),
            ..Submission::default()
        };
        let contexts = (0..BATCH).map(|_| context.clone()).collect();
        client.submit(SubmitRequest { contexts }).await?;
    }
    let region = Region::new(ALLOCATOR);
    let worker = Worker::builder(url)
        .group("bench")
        .concurrency(1000)
        .handle_raw("noop", |_, _: Bytes| std::future::ready(Ok(Bytes::new())))
        .start()?;
    while worker.stats().confirmed < JOBS {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let used = region.change();
    let count = u32::try_from(used.allocations + used.reallocations)?;
    let each = f64::from(count) / f64::from(u32::try_from(JOBS)?);
    println!("{each:.1} allocations for each job");
    ensure!(
        each <= MOST,
        "{each:.1} allocations for each job, at most {MOST} are allowed"
    );
    worker.drain().await?;
    tracker.stop().await;
    Ok(())
}
