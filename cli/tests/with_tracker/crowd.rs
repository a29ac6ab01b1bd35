//! A thousand who watch one tracker: what they are told, what they take of its memory, what they cost the runs, and how it stops under them.
//!
//! `cargo nextest run --workspace --run-ignored all -E 'test(crowd::)' --no-capture` prints the figures, also of what they cost the runs, and
//! `TICKWHEEL_WATCHERS` says how many watch then.

use std::collections::{BTreeMap, HashMap};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::Value;

use crate::cluster::{Cluster, until};

const WATCHERS: usize = 1_000;
/// Of so many all that they are told is kept.
const KEPT: usize = 4;
/// Between two times that everybody reads: seldom, so that those who read cost little of a machine that they share with what is measured.
const READS_EVERY: Duration = Duration::from_millis(500);
/// Runs that a crowd watches.
const RUNS: u32 = 6_000;
/// Runs that are measured at once.
const MEASURED: u32 = if cfg!(debug_assertions) {
    50_000
} else {
    200_000
};
/// Clock ticks of a second, as Linux counts the time of processes.
const TICKS: f64 = 100.0;

/// Memory of a process, KiB.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let words = line.unwrap().split_whitespace();
    words.skip(1).find_map(|word| word.parse().ok()).unwrap()
}

/// Seconds of processor time that a process, or a thread of this one, has taken.
fn took(path: &str) -> f64 {
    let stat = std::fs::read_to_string(path).unwrap();
    // Behind the name, which may have spaces.
    let (_, numbers) = stat.rsplit_once(')').unwrap();
    let numbers = numbers.split_whitespace().skip(11).take(2);
    numbers
        .map(|ticks| ticks.parse::<f64>().unwrap() / TICKS)
        .sum()
}

/// The same of each thread of a process, by its name.
fn took_by_threads(pid: u32) -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let path = task.unwrap().path();
        let name = std::fs::read_to_string(path.join("comm")).unwrap();
        let path = path.join("stat");
        *all.entry(name.trim().to_owned()).or_default() += took(path.to_str().unwrap());
    }
    all
}

/// Those who watch, read by one thread.
struct Crowd {
    bytes: Arc<AtomicU64>,
    ended: Arc<AtomicU64>,
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
    stop: Arc<AtomicBool>,
    /// Where the system says what the thread takes.
    stat: String,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Crowd {
    fn come(port: u16, count: usize) -> Self {
        let mut streams = Vec::new();
        for _ in 0..count {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let request =
                "GET /api/v1/stream?topic=now&topic=runs HTTP/1.1\r\nHost: localhost\r\n\r\n";
            stream.write_all(request.as_bytes()).unwrap();
            stream.set_nonblocking(true).unwrap();
            streams.push(Some(stream));
        }
        let (bytes, ended) = (Arc::default(), Arc::default());
        let stop = Arc::new(AtomicBool::new(false));
        let kept = Arc::new(Mutex::new(vec![Vec::new(); KEPT]));
        let mut reader = Reader {
            streams,
            bytes: Arc::clone(&bytes),
            ended: Arc::clone(&ended),
            kept: Arc::clone(&kept),
        };
        let (sender, stat) = std::sync::mpsc::channel();
        let stops = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let path = std::fs::read_link("/proc/thread-self").unwrap();
            sender
                .send(format!("/proc/{}/stat", path.display()))
                .unwrap();
            while !stops.load(Ordering::Relaxed) {
                reader.read();
                std::thread::sleep(READS_EVERY);
            }
        });
        Self {
            bytes,
            ended,
            kept,
            stop,
            stat: stat.recv().unwrap(),
            thread: Some(thread),
        }
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The events of one of those whose events are kept, as `(name, data)`.
    fn events(&self, whose: usize) -> Vec<(String, Value)> {
        let text = String::from_utf8_lossy(&self.kept.lock()[whose]).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let pairs = lines.windows(2).filter_map(|pair| {
            let name = pair[0].strip_prefix("event: ")?;
            let data = serde_json::from_str(pair[1].strip_prefix("data: ")?).ok()?;
            Some((name.to_owned(), data))
        });
        pairs.collect()
    }
}

struct Reader {
    streams: Vec<Option<TcpStream>>,
    bytes: Arc<AtomicU64>,
    ended: Arc<AtomicU64>,
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Reader {
    fn read(&mut self) {
        let (mut some, mut bytes) = (vec![0; 256 << 10], 0);
        for (whose, place) in self.streams.iter_mut().enumerate() {
            let Some(stream) = place else { continue };
            match stream.read(&mut some) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => {
                    self.ended.fetch_add(1, Ordering::Relaxed);
                    *place = None;
                }
                Ok(read) => {
                    bytes += read as u64;
                    if let Some(kept) = self.kept.lock().get_mut(whose) {
                        kept.extend_from_slice(&some[..read]);
                    }
                }
            }
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
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

/// Waits until everybody was told something.
fn all_are_told(crowd: &Crowd, count: usize) {
    until("everybody is told something", || {
        let bytes = crowd.bytes();
        let is_told = bytes > 1_000 * count as u64;
        is_told.then_some(()).ok_or_else(|| bytes.to_string())
    });
}

/// Runs a second.
fn drained(cluster: &Cluster, runtime: &tokio::runtime::Runtime, runs: u32) -> f64 {
    let server = format!("http://127.0.0.1:{}", cluster.grpc[0]);
    runtime.block_on(async {
        let client = tickwheel_client::Client::builder([server]);
        let client = client.connect().await.unwrap();
        let mut api = client.api().unwrap();
        let began = Instant::now();
        let mut last = HashMap::new();
        for _ in 0..runs / 500 {
            let one = tickwheel_proto::v1::Submission {
                handler: "noop".to_owned(),
                ..Default::default()
            };
            let request = tickwheel_proto::v1::SubmitRequest {
                contexts: vec![one; 500],
            };
            let answer = api.submit(request).await.unwrap().into_inner();
            let partition = |id: &str| id.split('.').next().unwrap().to_owned();
            let ids = answer.contexts.into_iter().map(|one| one.id);
            last.extend(ids.map(|id| (partition(&id), id)));
        }
        // In a partition they are taken in turn: with the last one all have been.
        for id in last.values() {
            client
                .wait(id, Some(Duration::from_secs(60)))
                .await
                .unwrap();
        }
        f64::from(runs) / began.elapsed().as_secs_f64()
    })
}

#[test]
fn a_crowd_is_told_what_it_can_read_takes_little_memory_and_holds_up_no_stop() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pid = cluster.tracker_pid();
    // What the runs themselves take.
    drained(&cluster, &runtime, RUNS);
    let before = memory(pid);
    let crowd = Crowd::come(cluster.http[0], WATCHERS);
    all_are_told(&crowd, WATCHERS);
    let quiet = memory(pid);
    let (began, told) = (Instant::now(), crowd.bytes());
    for _ in 0..2 {
        drained(&cluster, &runtime, RUNS);
    }
    // What ended last is told too.
    std::thread::sleep(Duration::from_secs(2));
    let (busy, seconds) = (memory(pid), began.elapsed().as_secs());
    let told = crowd.bytes() - told;
    assert_eq!(crowd.ended.load(Ordering::Relaxed), 0);
    for whose in 0..KEPT {
        let events = crowd.events(whose);
        let of = |name: &str| {
            let named = events.iter().filter(|(it, _)| it == name);
            named.map(|(_, data)| data).collect::<Vec<_>>()
        };
        let runs: usize = of("runs")
            .iter()
            .map(|it| it["runs"].as_array().unwrap().len())
            .sum();
        let lagged = of("lagged").len();
        eprintln!(
            "one of them: {} events, {runs} runs, {lagged} times not all",
            events.len()
        );
        // Once a second and sixteen lines, and in the seconds that began and ended too.
        assert!(events.len() as u64 <= 3 * (seconds + 4), "{}", events.len());
        assert!(runs > 0 && runs as u64 <= 16 * (seconds + 4), "{runs}");
        assert!(lagged > 0 && !of("now").is_empty());
    }
    let each = told / seconds / WATCHERS as u64;
    let began = Instant::now();
    assert_eq!(cluster.tracker_ends(), Some(0));
    let stopped = began.elapsed();
    until("everybody is sent away", || {
        let ended = crowd.ended.load(Ordering::Relaxed);
        let is_so = ended == WATCHERS as u64;
        is_so.then_some(()).ok_or_else(|| ended.to_string())
    });
    eprintln!(
        "{WATCHERS} who watch: memory {before} KiB, {quiet} KiB with them, {busy} KiB after {} runs; each told {each} bytes a second; stopped in {stopped:?}",
        2 * RUNS,
    );
    assert!(each < 12_000, "{each}");
    assert!(busy.saturating_sub(before) <= 60 << 10, "{before} {busy}");
    assert!(stopped <= Duration::from_secs(2), "{stopped:?}");
}

#[test]
#[ignore = "it measures, for a minute"]
fn a_crowd_costs_few_runs() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let count = std::env::var("TICKWHEEL_WATCHERS").ok();
    let count = count.map_or(WATCHERS, |count| count.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pid = cluster.tracker_pid();
    let between = |before: &BTreeMap<String, f64>| {
        let mut all = took_by_threads(pid);
        for (name, took) in &mut all {
            *took -= before.get(name).copied().unwrap_or_default();
        }
        all.retain(|_, took| *took > 0.0);
        all
    };
    drained(&cluster, &runtime, MEASURED);
    let (mut alone, mut watched) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let before = took_by_threads(pid);
        alone.push(drained(&cluster, &runtime, MEASURED));
        let without = between(&before);
        let crowd = Crowd::come(cluster.http[0], count);
        all_are_told(&crowd, count);
        let (before, readers) = (took_by_threads(pid), took(&crowd.stat));
        watched.push(drained(&cluster, &runtime, MEASURED));
        let (rate, readers) = (watched.last().unwrap(), took(&crowd.stat) - readers);
        eprintln!(
            "runs a second: {:.0} alone, {rate:.0} watched; seconds of a processor, of {:.2}: who reads {readers:.2}, tracker {without:.2?} alone, {:.2?} watched",
            alone.last().unwrap(),
            2.0 * f64::from(MEASURED) / rate,
            between(&before),
        );
        drop(crowd);
        // Until nothing is read for them any more.
        std::thread::sleep(Duration::from_secs(3));
    }
    let median = |rates: &mut Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    };
    let (alone, watched) = (median(&mut alone), median(&mut watched));
    eprintln!(
        "{count} who watch: runs a second {alone:.0} without and {watched:.0} with them, ratio {:.3}",
        watched / alone
    );
}
