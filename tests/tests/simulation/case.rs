//! One seed: a cluster, a storm, and calm; then everything has ended, and every promise was kept.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, Once};
use std::time::Duration;

use tickwheel_core::partition::PartitionCount;
use tickwheel_tests::harness::Snapshot;
use tickwheel_tests::ledger::{self, Story};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::checks;
use crate::limits;
use crate::line::tell_gap;
use crate::lives::Walked;
use crate::load::{self, Known};
use crate::mutation::Mutation;
use crate::placements;
use crate::rng::Rng;
use crate::trackers;
use crate::worker::Worker;
use crate::world::{self, Node, PARTITIONS, Weather, with};

/// How long things go wrong.
const STORM_MS: u64 = 8_000;
/// Whoever asks for something has his answer within this.
const ASKS_END: Duration = Duration::from_secs(10);
/// After the storm everything ends within this, even if a tracker hears of it only by its look once a minute.
const CALM: Duration = Duration::from_secs(240);
/// Script calls with which that is done: hundreds are usual, and whoever asks again and again for what does not come needs hundreds of thousands.
const CALM_STEPS_MAX: u64 = 10_000;

/// What a seed came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) broken: Option<String>,
    pub(crate) trace: Vec<String>,
    pub(crate) digest: u64,
    pub(crate) steps: u64,
    /// Script calls after the storm; none where it did not end.
    pub(crate) calm_steps: u64,
    pub(crate) runs: usize,
    pub(crate) reruns: usize,
    /// Handlers that ran a part of a split context.
    pub(crate) parts: usize,
    pub(crate) confirmed: usize,
    /// Moves of contexts that were held against the reference.
    pub(crate) moves: usize,
    pub(crate) walked: BTreeSet<Walked>,
}

thread_local! {
    /// Inside a simulation: what panicked first.
    static PANICKED: RefCell<Option<Option<String>>> = const { RefCell::new(None) };
}

/// A panic in a task ends the task only: it is remembered for the seed.
fn remember_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICKED.with_borrow_mut(|known| match known {
                Some(known) => drop(known.get_or_insert_with(|| panic.to_string())),
                None => usual(panic),
            });
        }));
    });
    PANICKED.set(Some(None));
}

/// Runs a seed, with the scripts as they are or with one of them broken.
pub(crate) fn run(seed: u64, mutation: Option<&'static Mutation>, traced: bool) -> Outcome {
    remember_panics();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let began = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(async {
            world::begin(seed, mutation, traced);
            let mut rng = Rng::new(seed);
            play(&mut rng).await;
        });
    }));
    drop(runtime);
    trackers::clear();
    let mut world = world::end();
    if let Some(panic) = PANICKED.take().flatten() {
        world.fail(panic);
    } else if began.is_err() {
        world.fail("panicked".to_owned());
    }
    let outcome = Outcome {
        seed,
        broken: world.broken.take(),
        trace: world.trace.take().unwrap_or_default(),
        digest: world.digest,
        steps: world.steps,
        calm_steps: world.calm_steps(),
        runs: world.runs.len(),
        reruns: world.runs.iter().filter(|run| run.attempt > 1).count(),
        parts: world
            .runs
            .iter()
            .filter(|run| run.context.contains('~'))
            .count(),
        confirmed: world.checks.confirmed,
        moves: world.checks.lives.moves,
        walked: std::mem::take(&mut world.checks.lives.walked),
    };
    world::recycle(world);
    outcome
}

/// The processes of a seed.
struct Cluster {
    workers: Vec<Arc<Worker>>,
    started: u64,
    known: Known,
    asked: Vec<JoinHandle<()>>,
}

fn is_broken() -> bool {
    with(|world| world.broken.is_some())
}

async fn play(rng: &mut Rng) {
    let mut cluster = Cluster {
        workers: Vec::new(),
        started: 0,
        known: load::book(),
        asked: Vec::new(),
    };
    for _ in 0..rng.between(1, 3) {
        cluster.add_tracker().await;
    }
    for _ in 0..rng.between(1, 3) {
        cluster.add_worker("default", rng);
    }
    cluster.add_worker("tight", rng);
    limits::set(rng).await;
    load::register(&cluster.known, rng).await;
    sleep(Duration::from_millis(500)).await;
    let weather = weather(rng);
    with(|world| world.weather = weather);
    cluster.storm(rng).await;
    if is_broken() {
        return;
    }
    cluster.calm().await;
    if !is_broken() {
        cluster.check().await;
    }
}

fn weather(rng: &mut Rng) -> Weather {
    let bad = |rng: &mut Rng, most: u64| if rng.one_in(2) { rng.below(most) } else { 0 };
    Weather {
        delay_ms: [1, 5, 40, 300][usize::try_from(rng.below(4)).unwrap_or(0)],
        slow: bad(rng, 60),
        lost_answers: bad(rng, 50),
        lost_calls: bad(rng, 50),
        late_calls: bad(rng, 30),
        lost_wakes: bad(rng, 100),
        doubled: bad(rng, 300),
    }
}

impl Cluster {
    async fn add_tracker(&mut self) {
        self.started += 1;
        trackers::start(self.started).await;
    }

    fn add_worker(&mut self, group: &'static str, rng: &mut Rng) {
        self.started += 1;
        let permits = if group == "tight" {
            1
        } else {
            u32::try_from(rng.between(1, 6)).unwrap_or(1)
        };
        self.workers
            .push(Worker::start(self.started, group, permits));
    }

    /// Callers ask, and things go wrong, each at its time.
    async fn storm(&mut self, rng: &mut Rng) {
        let began = Instant::now();
        let asks = rng.between(5, 20);
        let mut times: Vec<(u64, bool)> = (0..asks).map(|_| (rng.below(STORM_MS), true)).collect();
        let troubles = rng.below(8);
        times.extend((0..troubles).map(|_| (rng.below(STORM_MS), false)));
        times.sort_unstable();
        for (at, asks) in times {
            tokio::time::sleep_until(began + Duration::from_millis(at)).await;
            if is_broken() {
                return;
            }
            if asks {
                let ask = load::ask(Arc::clone(&self.known), rng.split());
                self.asked.push(tokio::spawn(ask));
            } else {
                self.trouble(rng);
            }
        }
        tokio::time::sleep_until(began + Duration::from_millis(STORM_MS)).await;
    }

    fn trouble(&mut self, rng: &mut Rng) {
        let (living_trackers, living_workers) =
            with(|world| (world.living("t"), world.living("w")));
        let tracker = rng.pick(&living_trackers).copied();
        let worker = rng.pick(&living_workers).copied();
        let span = Duration::from_millis(rng.between(50, 4_500));
        match rng.below(10) {
            0 | 1 => {
                if let Some(tracker) = tracker {
                    trackers::kill(tracker);
                    self.started += 1;
                    let number = self.started;
                    tokio::spawn(async move {
                        sleep(span).await;
                        trackers::start(number).await;
                    });
                }
            }
            2 | 3 => {
                let group = self.kill_worker(worker);
                self.add_worker(group, rng);
            }
            4 => freeze(tracker, span),
            5 => freeze(worker, span),
            6 => {
                if let Some(tracker) = tracker {
                    with(|world| {
                        world.note(|| format!("{tracker} is cut off for {span:?}"));
                        world.process(tracker).cut_off_until = Instant::now() + span;
                    });
                    tell_gap(tracker, span + Duration::from_millis(100));
                }
            }
            7 => {
                if let Some(tracker) = tracker {
                    with(|world| {
                        world.note(|| format!("streams of {tracker} break"));
                        for stream in world.process(tracker).streams.drain(..) {
                            stream.cancel();
                        }
                    });
                }
            }
            8 => {
                let down = span / 3;
                with(|world| world.restart_redis(down));
                for tracker in living_trackers {
                    tell_gap(tracker, down + Duration::from_millis(100));
                }
            }
            _ => {
                let ms = if rng.one_in(5) {
                    rng.below(200_000)
                } else {
                    rng.below(5_000)
                };
                with(|world| world.jump(ms));
            }
        }
    }

    fn kill_worker(&mut self, node: Option<Node>) -> &'static str {
        let found = self
            .workers
            .iter()
            .position(|worker| Some(worker.node) == node);
        let Some(index) = found else {
            return "default";
        };
        let worker = self.workers.remove(index);
        worker.kill();
        worker.group()
    }

    /// Nothing goes wrong any more; everything comes to its end.
    async fn calm(&mut self) {
        // What is still on its way into the storm arrives.
        sleep(Duration::from_secs(5)).await;
        with(|world| {
            world.note(|| "calm".to_owned());
            world.weather = Weather::FAIR;
        });
        if with(|world| world.living("t").is_empty()) {
            self.add_tracker().await;
        }
        self.staff();
        // Whoever paused a job for a while has it go on before all are paused for good; one that asks a dead tracker waits for ever.
        for ask in self.asked.drain(..) {
            let ends = ask.abort_handle();
            if tokio::time::timeout(ASKS_END, ask).await.is_err() {
                ends.abort();
            }
        }
        load::quieten(&self.known).await;
        // A call to resume one, which its caller has given up, may have been on its way.
        sleep(Duration::from_secs(10)).await;
        load::quieten(&self.known).await;
        let until = Instant::now() + CALM;
        with(|world| world.storm_steps = Some(world.steps));
        loop {
            sleep(Duration::from_secs(2)).await;
            if is_broken() {
                return;
            }
            let left = match with(|world| checks::snapshot(&world.redis)) {
                Ok(snapshot) => left(&snapshot),
                Err(wrong) => return with(|world| world.fail(wrong)),
            };
            let unconfirmed: usize = self.workers.iter().map(|worker| worker.unconfirmed()).sum();
            if left.is_empty() && unconfirmed == 0 {
                return;
            }
            let steps = with(|world| world.calm_steps());
            if steps > CALM_STEPS_MAX {
                return with(|world| {
                    world.fail(format!(
                        "{steps} script calls after the storm, and {left:?} have not ended: somebody asks again and again"
                    ));
                });
            }
            if Instant::now() > until {
                return with(|world| {
                    world.fail(format!(
                        "{CALM:?} after the storm {left:?} have not ended, {unconfirmed} outcomes are not confirmed"
                    ));
                });
            }
        }
    }

    /// There is a worker for everything.
    fn staff(&mut self) {
        for zone in [0, 1] {
            let has =
                |worker: &Arc<Worker>| worker.group() == "default" && worker.number % 2 == zone;
            if !self.workers.iter().any(has) {
                self.started += 1 + (self.started + 1 + zone) % 2;
                self.workers.push(Worker::start(self.started, "default", 3));
            }
        }
    }

    /// All promises, over the whole story.
    async fn check(&self) {
        let book = self.known.lock();
        with(|world| {
            let snapshot = match checks::snapshot(&world.redis) {
                Ok(snapshot) => snapshot,
                Err(wrong) => return world.fail(wrong),
            };
            let broken = checks::at_the_end(&snapshot, &world.runs);
            if !broken.is_empty() {
                return world.fail(checks::words(&broken));
            }
            if let Some(wrong) = world.checks.unkept(&snapshot, &world.runs) {
                return world.fail(wrong);
            }
            let specs = book.jobs.iter().map(|(spec, _)| spec);
            if let Some(wrong) = placements::misplaced(specs, &world.runs) {
                return world.fail(wrong);
            }
            let partitions = PartitionCount::new(PARTITIONS).expect("a count");
            let mut stories = Vec::new();
            for (spec, first_due) in &book.jobs {
                let name = spec.name.as_str();
                let Some(job) = snapshot.job(name) else {
                    if !book.deleted.contains(name) {
                        world.fail(format!("{name} is gone"));
                    }
                    continue;
                };
                let records = job.ledger.clone();
                let story = Story::new(spec.clone(), *first_due, records, job, partitions);
                if book.touched.contains(name)
                    || book.unanswered.iter().any(|other| other == name)
                    || book.deleted.contains(name)
                {
                    let problems = ledger::check_contexts(&story);
                    if !problems.is_empty() {
                        return world.fail(problems.join("; "));
                    }
                } else {
                    stories.push(story);
                }
            }
            let problems = ledger::check_all(&stories);
            if !problems.is_empty() {
                world.fail(problems.join("; "));
            }
        });
    }
}

/// What has not come to its end.
fn left(snapshot: &Snapshot) -> Vec<String> {
    let mut left = snapshot.under_way();
    let partitions = snapshot.partitions.iter();
    left.extend(
        partitions
            .flat_map(|partition| &partition.planned)
            .map(|(_, member)| format!("planned {}", member.id)),
    );
    left.dedup();
    left
}

fn freeze(node: Option<Node>, span: Duration) {
    if let Some(node) = node {
        with(|world| {
            let name = world.name(node);
            world.note(|| format!("{name} freezes for {span:?}"));
            world.process(node).frozen_until = Instant::now() + span;
        });
    }
}
