//! A thousand who watch one tracker: what they take of its memory, what they cost the runs, and how it stops under them.
//!
//! `cargo nextest run -p tickwheel-cli --test with_tracker --run-ignored only -E 'test(crowd)' --no-capture` prints the figures.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::{Cluster, until};

const WATCHERS: u64 = 1_000;
const RUNS: u32 = 3_000;

/// Memory of a process, KiB.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// Those who watch, read by one thread.
struct Crowd {
    bytes: Arc<AtomicU64>,
    ended: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Crowd {
    fn come(port: u16) -> Self {
        let mut streams = Vec::new();
        for _ in 0..WATCHERS {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let request =
                "GET /api/v1/stream?topic=now&topic=runs HTTP/1.1\r\nHost: localhost\r\n\r\n";
            stream.write_all(request.as_bytes()).unwrap();
            stream.set_nonblocking(true).unwrap();
            streams.push(Some(stream));
        }
        let (bytes, ended, stop) = (Arc::default(), Arc::default(), Arc::default());
        let mut crowd = Self {
            bytes: Arc::clone(&bytes),
            ended: Arc::clone(&ended),
            stop: Arc::clone(&stop),
            thread: None,
        };
        let read = move || {
            let mut some = vec![0; 64 << 10];
            while !stop.load(Ordering::Relaxed) {
                for place in &mut streams {
                    let Some(stream) = place else { continue };
                    match stream.read(&mut some) {
                        Ok(0) => {
                            ended.fetch_add(1, Ordering::Relaxed);
                            *place = None;
                        }
                        Ok(read) => {
                            let read = u64::try_from(read).unwrap();
                            bytes.fetch_add(read, Ordering::Relaxed);
                        }
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                        Err(_) => {
                            ended.fetch_add(1, Ordering::Relaxed);
                            *place = None;
                        }
                    }
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        crowd.thread = Some(std::thread::spawn(read));
        crowd
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Runs a second.
fn drained(cluster: &Cluster, runtime: &tokio::runtime::Runtime) -> f64 {
    let server = format!("http://127.0.0.1:{}", cluster.grpc[0]);
    runtime.block_on(async {
        let client = tickwheel_client::Client::builder([server])
            .connect()
            .await
            .unwrap();
        let mut api = client.api().unwrap();
        let began = Instant::now();
        let mut last = String::new();
        for _ in 0..RUNS / 500 {
            let one = tickwheel_proto::v1::Submission {
                handler: "noop".to_owned(),
                ..Default::default()
            };
            let request = tickwheel_proto::v1::SubmitRequest {
                contexts: vec![one; 500],
            };
            let answer = api.submit(request).await.unwrap().into_inner();
            last.clone_from(&answer.contexts.last().unwrap().id);
        }
        client
            .wait(&last, Some(Duration::from_secs(60)))
            .await
            .unwrap();
        loop {
            let totals = client.overview().await.unwrap().totals.unwrap();
            if totals.ready + totals.running + totals.overdue == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        f64::from(RUNS) / began.elapsed().as_secs_f64()
    })
}

#[test]
#[ignore = "it measures, for a minute"]
fn a_crowd_costs_little_memory_and_few_runs_and_holds_up_no_stop() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pid = cluster.tracker_pid();
    drained(&cluster, &runtime);
    let alone: Vec<f64> = (0..3).map(|_| drained(&cluster, &runtime)).collect();
    let before = memory(pid);
    let crowd = Crowd::come(cluster.http[0]);
    until("everybody is told something", || {
        let bytes = crowd.bytes.load(Ordering::Relaxed);
        (bytes > 1_500 * WATCHERS)
            .then_some(())
            .ok_or_else(|| bytes.to_string())
    });
    let quiet = memory(pid);
    let watched: Vec<f64> = (0..3).map(|_| drained(&cluster, &runtime)).collect();
    let busy = memory(pid);
    let shown: Value = serde_json::from_str(&cluster.run(&["overview", "-o", "json"])).unwrap();
    assert_eq!(crowd.ended.load(Ordering::Relaxed), 0);
    let began = Instant::now();
    assert_eq!(cluster.tracker_ends(), Some(0));
    let stopped = began.elapsed();
    until("everybody is sent away", || {
        let ended = crowd.ended.load(Ordering::Relaxed);
        (ended == WATCHERS)
            .then_some(())
            .ok_or_else(|| ended.to_string())
    });
    let best = |rates: &[f64]| rates.iter().copied().fold(0.0, f64::max);
    eprintln!(
        "{WATCHERS} who watch: memory {before} KiB, {quiet} KiB with them, {busy} KiB after {} runs; runs a second {:.0} without and {:.0} with them, ratio {:.2}; \
         {} MiB told; stopped in {stopped:?}; {}",
        3 * RUNS,
        best(&alone),
        best(&watched),
        best(&watched) / best(&alone),
        crowd.bytes.load(Ordering::Relaxed) >> 20,
        shown["totals"]
    );
    assert!(busy - before <= 60 << 10, "{before} {busy}");
    assert!(stopped <= Duration::from_secs(2), "{stopped:?}");
}
