//! The processes of a run: a tracker, and a worker that records each start.

pub(crate) mod mapreduce;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use parking_lot::Mutex;
use tickwheel_tracker::config::{Access, Rates};
use tickwheel_tracker::{Config, Tracker};
use tickwheel_worker::{Context, Worker, WorkerBuilder};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::ChildOptions;
use crate::report::{self, Start};

/// A worker says how far it is this often.
const SAY_EVERY: Duration = Duration::from_millis(10);

/// A worker that is told to end while it still has work gives it up after this.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs one tracker until SIGTERM; its first line of output is its addresses, that of gRPC and that of HTTP.
pub(crate) async fn tracker(options: &ChildOptions) -> Result<()> {
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let config = Config {
        redis_url: options.redis.clone(),
        partitions: options.partitions,
        grpc_listen: listen,
        http_listen: Some(listen),
        access: match &options.token {
            Some(file) => Access {
                bootstrap_token_file: Some(file.clone()),
                ..Access::default()
            },
            None => Access::open(),
        },
        // What a tracker can do is measured, not what one token may.
        rates: Rates::unlimited(),
        ..Config::default()
    };
    let tracker = Tracker::start(config).await?;
    let http = tracker.http_addr().context("it serves HTTP")?;
    println!("http://{} {http}", tracker.grpc_addr());
    signal(SignalKind::terminate())?.recv().await;
    tracker.stop().await;
    Ok(())
}

fn record(starts: &Mutex<Vec<Start>>, start: Start) {
    starts.lock().push(start);
}

/// The start of a handler that runs few times.
fn of_handler(context: &Context) -> Start {
    Start {
        key: mapreduce::key_of(context.handler()),
        at_us: report::now_us(),
        due_ms: context.due_ms(),
        id: report::hash(context.context_id()),
    }
}

/// A worker without handlers.
fn builder(options: &ChildOptions) -> WorkerBuilder {
    let builder = Worker::builder(options.trackers.join(","))
        .group("bench")
        .name("bench")
        .concurrency(options.permits)
        .drain_timeout(DRAIN)
        .flush_timeout(DRAIN);
    match &options.token {
        Some(file) => builder.token_file(file),
        None => builder,
    }
}

/// Runs one worker until SIGTERM; prints how many starts and confirmations there were whenever that changed.
pub(crate) async fn worker(options: &ChildOptions) -> Result<()> {
    let starts: Arc<Mutex<Vec<Start>>> = Arc::default();
    let [recorded, maps, reduces] = std::array::from_fn(|_| Arc::clone(&starts));
    let builder = builder(options);
    let worker = builder
        .handle_raw("noop", move |context: Context, body: Bytes| {
            let at_us = report::now_us();
            let id = report::hash(context.context_id());
            // The number in the body where there is one; the firings of a job have none.
            let key = body
                .first_chunk::<8>()
                .map_or(id, |bytes| u64::from_le_bytes(*bytes));
            let start = Start {
                key,
                at_us,
                due_ms: context.due_ms(),
                id,
            };
            record(&recorded, start);
            std::future::ready(Ok(Bytes::new()))
        })
        .handle_raw(mapreduce::MAP, move |context: Context, body: Bytes| {
            record(&maps, of_handler(&context));
            mapreduce::map(context, body)
        })
        // Too many to be recorded: the reduce counts their results.
        .handle_raw(mapreduce::LEAF, |_, body: Bytes| {
            std::future::ready(mapreduce::leaf(body))
        })
        .handle_raw(mapreduce::REDUCE, move |context: Context, _| {
            record(&reduces, of_handler(&context));
            mapreduce::reduce(context)
        })
        .start()?;
    let mut term = signal(SignalKind::terminate())?;
    let mut ticks = tokio::time::interval(SAY_EVERY);
    let mut said = 0;
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = ticks.tick() => {
                let stats = worker.stats();
                if stats.confirmed != said || said == 0 {
                    said = stats.confirmed;
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "{} {} {}", stats.trackers, stats.received, stats.confirmed)?;
                    out.flush()?;
                }
            }
        }
    }
    worker.drain().await?;
    let path = options
        .records
        .as_ref()
        .context("a worker needs --records")?;
    let starts = starts.lock();
    std::fs::write(
        path,
        starts
            .iter()
            .copied()
            .flat_map(Start::to_bytes)
            .collect::<Vec<u8>>(),
    )?;
    Ok(())
}
