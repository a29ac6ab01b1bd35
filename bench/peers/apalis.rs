//! Drives apalis for `tickwheel-bench compare`. The bench writes this file into a scratch crate and builds it there.
//!
//!   peer worker HOST PORT CONCURRENCY RECORDS
//!     prints `1 <started> <done>` while that changes; SIGTERM: writes its records (four 64-bit numbers, little end first: number of the
//!     job, start in microseconds, due in milliseconds, 0) and ends
//!   peer submit HOST PORT FROM TO BATCH BODY WHEN
//!     prints `ready`, waits for a line, adds jobs FROM..TO, prints `done`; WHEN: now | in:MS
//!
//! Settings: fat batches, a task for each job, no events, and no locks: with locks each claim removes its job from the list of queued ones by
//! searching it, and a queue of 50,000 does not drain in a minute. Results are kept: without them nothing is settled in Redis. Jobs that
//! are due now go through the set of scheduled ones too, and the script that moves them on fails above about 8,000 at once, so this
//! driver moves them itself, in slices, before the workers start. A due time has whole seconds: so no burst and no precision.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use apalis::prelude::*;
use apalis_redis::{Config, RedisStorage};
use futures::stream;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Job {
    n: u64,
    due: u64,
    x: String,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

static STARTS: Mutex<Vec<[u64; 4]>> = Mutex::new(Vec::new());
static DONE: AtomicU64 = AtomicU64::new(0);

fn micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64
}

async fn noop(job: Job) -> Result<(), Failure> {
    STARTS.lock().push([job.n, micros(), job.due, 0]);
    DONE.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

async fn storage(host: &str, port: &str) -> RedisStorage<Job> {
    let connection = apalis_redis::connect(format!("redis://{host}:{port}/")).await.expect("Redis");
    let config = Config::default()
        .queue("bench")
        .batch_size(1000)
        .lock_tasks(std::env::var("LOCKS").is_ok())
        .emit_events(false)
        .persist_results(true);
    RedisStorage::new(connection).with_config(config)
}

async fn work(host: &str, port: &str, concurrency: usize, path: &str) {
    let name = format!("bench-{}", std::process::id());
    let mut storage = storage(host, port).await;
    let worker = WorkerBuilder::new(name.as_str())
        .backend(storage.clone())
        .concurrency(concurrency)
        .parallelize(tokio::spawn)
        .build(noop);
    let running = tokio::spawn(worker.run());
    println!("1 0 0");
    let mut said = 0;
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = ticks.tick() => {
                // What has run and is no longer in flight is settled. What is in flight and has not run hides as many: exact at the end.
                let done = DONE.load(Ordering::Relaxed);
                let mut ask = redis::cmd("SCARD");
                let ask = ask.arg(format!("bench:inflight:{name}"));
                let flying: u64 = ask.query_async(storage.get_connection()).await.expect("counted");
                let settled = done.saturating_sub(flying);
                if settled != said {
                    said = settled;
                    println!("1 {done} {settled}");
                }
            }
        }
    }
    running.abort();
    let starts = STARTS.lock();
    let bytes: Vec<u8> = starts.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
    std::fs::write(path, bytes).unwrap();
    std::process::exit(0);
}

/// Moves what is due from the set of scheduled jobs to the list of active ones, as the worker's own script would.
async fn promote(storage: &mut RedisStorage<Job>) {
    const SLICE: &str = "local ids = redis.call('ZRANGE', KEYS[1], 0, 4999) \
        if #ids == 0 then return 0 end \
        redis.call('RPUSH', KEYS[2], unpack(ids)) \
        return redis.call('ZREM', KEYS[1], unpack(ids))";
    let (scheduled, active) = (storage.get_config().scheduled_jobs_set(), storage.get_config().active_jobs_list());
    let script = redis::Script::new(SLICE);
    loop {
        let connection = storage.get_connection();
        let moved: u64 = script.key(&scheduled).key(&active).invoke_async(connection).await.expect("moved");
        if moved == 0 {
            return;
        }
    }
}

async fn submit(host: &str, port: &str, rest: &[String]) {
    let number = |at: usize| rest[at].parse::<usize>().unwrap();
    let (from, to, batch, body) = (number(0), number(1), number(2), number(3));
    let delay = rest[4].strip_prefix("in:").map(|text| text.parse::<u64>().unwrap());
    let mut storage = storage(host, port).await;
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let x = "x".repeat(body.saturating_sub(30));
    for first in (from..to).step_by(batch) {
        let jobs = (first..to.min(first + batch)).map(|n| {
            let due = delay.map_or(0, |delay| micros() / 1000 + delay);
            let task = TaskBuilder::new(Job { n: n as u64, due, x: x.clone() });
            if due == 0 { task.build() } else { task.run_at_timestamp(due / 1000).build() }
        });
        let jobs: Vec<_> = jobs.collect();
        storage.push_all(stream::iter(jobs)).await.expect("pushed");
    }
    if delay.is_none() {
        promote(&mut storage).await;
    }
    println!("done");
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [role, host, port, rest @ ..] = words.as_slice() else {
        panic!("role, host and port are needed");
    };
    if role == "worker" {
        work(host, port, rest[0].parse().unwrap(), &rest[1]).await;
    } else {
        submit(host, port, rest).await;
    }
}
