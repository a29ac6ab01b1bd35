//! The innocents, and what is measured of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_proto::v1::Submission;
use tickwheel_store::check::Pace;
use tickwheel_tests::bins;
use tickwheel_tests::chaos::verdict::percentile;
use tickwheel_tests::harness::jobs::{delayed, submission};
use tickwheel_tests::harness::rig::{TrackerProcess, WorkerProcess};
use tickwheel_tests::harness::{
    Client, Layout, Rig, RigOptions, TrackerOptions, WorkerOptions, until, until_clock, wall_ms,
};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The innocents' group.
pub(crate) const GROUP: &str = "innocent";
/// Between two innocent contexts.
const BETWEEN: Duration = Duration::from_millis(20);
/// From the submission of one to its due time.
const DELAY: Duration = Duration::from_millis(150);
const QUIET: Duration = Duration::from_secs(3);
/// What was submitted has run within this.
const LIMIT: Duration = Duration::from_secs(30);
/// A tracker may take so much more than when it is quiet.
const KIB_MORE_MAX: u64 = 64 * 1024;
const LINES_PER_S_MAX: f64 = 20.0;

/// A tracker with an honest worker.
pub(crate) struct Scene {
    pub(crate) rig: Rig,
    pub(crate) tracker: TrackerProcess,
    pub(crate) client: Client,
    _worker: WorkerProcess,
    name: &'static str,
    quiet_p50_us: u64,
    quiet_p99_us: u64,
    quiet_kib: u64,
}

/// Lateness below which nothing is compared.
fn floor_us() -> u64 {
    let given = std::env::var("TICKWHEEL_ATTACK_FLOOR_MS").ok();
    let usual: u64 = if cfg!(debug_assertions) { 250 } else { 25 };
    1_000 * given.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Microseconds as milliseconds, to read.
fn ms(us: u64) -> String {
    format!("{}.{:02}", us / 1_000, us % 1_000 / 10)
}

impl Scene {
    /// Starts everything, and measures the quiet. `None` where there is no Redis.
    pub(crate) async fn set(name: &'static str) -> Result<Option<Self>> {
        let options = RigOptions {
            layout: Layout::Single,
            ..RigOptions::default()
        };
        let Some(rig) = Rig::start(Some(bins!()), options).await? else {
            return Ok(None);
        };
        let options = TrackerOptions {
            http: true,
            ..TrackerOptions::default()
        };
        let tracker = rig.tracker_with(&options).await?;
        let worker = WorkerOptions {
            group: GROUP.to_owned(),
            handlers: vec!["ok".to_owned()],
            ..WorkerOptions::default()
        };
        let trackers = vec![tracker.url.clone()];
        let worker = rig.worker_at(trackers, worker).await?;
        rig.wait_for_worker(&worker.id).await?;
        let client = rig.client(&tracker).await?;
        let mut scene = Self {
            rig,
            tracker,
            client,
            _worker: worker,
            name,
            quiet_p50_us: 0,
            quiet_p99_us: 0,
            quiet_kib: 0,
        };
        // The first contexts pay for what is made once.
        Stream::start(&scene)?.end(&scene).await?;
        let stream = Stream::start(&scene)?;
        pass(QUIET).await;
        let late = stream.end(&scene).await?;
        scene.quiet_p50_us = percentile(&late, 50);
        scene.quiet_p99_us = percentile(&late, 99);
        scene.quiet_kib = kib(scene.pid()?)?;
        Ok(Some(scene))
    }

    fn pid(&self) -> Result<u32> {
        self.tracker.process.pid().context("the tracker has ended")
    }

    fn log(&self) -> PathBuf {
        let name = format!("{}.log", self.tracker.process.name());
        self.rig.dir().join(name)
    }

    fn log_lines(&self) -> Result<usize> {
        Ok(std::fs::read_to_string(self.log())?.lines().count())
    }

    /// Attacks beside the innocents, and checks that they did not notice.
    #[expect(clippy::print_stdout, reason = "the figures of a case")]
    pub(crate) async fn beside(&mut self, attack: impl Future<Output = Result<()>>) -> Result<()> {
        let (lines, began) = (self.log_lines()?, Instant::now());
        let memory = Memory::watch(self.pid()?);
        let stream = Stream::start(self)?;
        attack.await.context("the attack itself went wrong")?;
        // What it left under way counts as well.
        pass(Duration::from_secs(1)).await;
        let late = stream
            .end(self)
            .await
            .context("innocents during the attack")?;
        let peak = memory.end().await;
        let seconds = began.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "lines of a log")]
        let lines = (self.log_lines()? - lines) as f64 / seconds;
        let (p50, p99) = (percentile(&late, 50), percentile(&late, 99));
        println!(
            "{}: innocents {}, p50 {} ms (quiet {} ms), p99 {} ms (quiet {} ms), tracker +{} MiB, {lines:.1} lines/s, {seconds:.1} s",
            self.name,
            late.len(),
            ms(p50),
            ms(self.quiet_p50_us),
            ms(p99),
            ms(self.quiet_p99_us),
            peak.saturating_sub(self.quiet_kib) / 1024
        );
        let most = (2 * self.quiet_p99_us).max(floor_us());
        ensure!(
            p99 <= most,
            "innocents were p99 {} ms late, {} ms when it is quiet",
            ms(p99),
            ms(self.quiet_p99_us)
        );
        ensure!(
            peak <= self.quiet_kib + KIB_MORE_MAX,
            "the tracker took {} MiB, {} MiB when it is quiet",
            peak / 1024,
            self.quiet_kib / 1024
        );
        ensure!(
            lines <= LINES_PER_S_MAX,
            "{lines:.0} lines of log in each second"
        );
        Ok(())
    }

    /// Nothing is left in the store that does not belong there.
    pub(crate) async fn clean(&self) -> Result<()> {
        let checked = self.rig.store.check(Pace { rest: 0.0 }).await?;
        ensure!(checked.is_clean(), "store check: {:#?}", checked.findings);
        Ok(())
    }

    /// What the tracker answers to `GET path`, and how long it took.
    pub(crate) async fn get(&self, path: &str) -> Result<(u16, Duration)> {
        let began = Instant::now();
        let address = self.tracker.http.context("it has no HTTP")?;
        let (status, _) = tickwheel_tests::chaos::stage::get(address, path, None).await?;
        Ok((status, began.elapsed()))
    }
}

/// Lets the cluster be attacked for a while.
pub(crate) async fn pass(span: Duration) {
    until_clock(wall_ms() + u64::try_from(span.as_millis()).unwrap_or(u64::MAX)).await;
}

/// One innocent context.
pub(crate) fn innocent() -> Submission {
    Submission {
        group: GROUP.to_owned(),
        ..submission("ok", 1)
    }
}

/// A steady stream of innocent contexts.
struct Stream {
    stop: CancellationToken,
    task: JoinHandle<Result<Vec<String>>>,
}

impl Stream {
    fn start(scene: &Scene) -> Result<Self> {
        let stop = CancellationToken::new();
        let until_stopped = stop.clone();
        // A caller of its own connection, as innocents have.
        let mut client = Client::lazy(&scene.tracker.url, Duration::from_secs(10), None)?;
        let task = tokio::spawn(async move {
            let mut ids = Vec::new();
            let mut ticks = tokio::time::interval(BETWEEN);
            while until_stopped
                .run_until_cancelled(ticks.tick())
                .await
                .is_some()
            {
                ids.push(client.submit_one(delayed(innocent(), DELAY)).await?);
            }
            // At least some, for the first call.
            while ids.len() < 20 {
                ids.push(client.submit_one(delayed(innocent(), DELAY)).await?);
            }
            Ok(ids)
        });
        Ok(Self { stop, task })
    }

    /// How many microseconds late each of them started, ascending.
    async fn end(self, scene: &Scene) -> Result<Vec<u64>> {
        self.stop.cancel();
        let ids = self.task.await??;
        until("all innocents have run", LIMIT, async || {
            let runs = scene.rig.book.read()?;
            let own = runs.iter().filter(|run| ids.contains(&run.context));
            let mut late: Vec<u64> = own.map(|run| run.lateness_us()).collect();
            ensure!(
                late.len() >= ids.len(),
                "{} of {} have",
                late.len(),
                ids.len()
            );
            late.sort_unstable();
            Ok(late)
        })
        .await
    }
}

/// The greatest resident memory of a process while it is watched.
struct Memory {
    stop: CancellationToken,
    peak: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Memory {
    fn watch(pid: u32) -> Self {
        let (stop, peak) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
        let (until_stopped, most) = (stop.clone(), Arc::clone(&peak));
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(30));
            while until_stopped
                .run_until_cancelled(ticks.tick())
                .await
                .is_some()
            {
                most.fetch_max(kib(pid).unwrap_or(0), Ordering::Relaxed);
            }
        });
        Self { stop, peak, task }
    }

    async fn end(self) -> u64 {
        self.stop.cancel();
        self.task.await.ok();
        self.peak.load(Ordering::Relaxed)
    }
}

/// Resident memory of a process.
fn kib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = resident.and_then(|text| text.split_whitespace().next());
    Ok(number.context("VmRSS")?.parse()?)
}
