//! What is outside the processes: Redis, its clock, the network, who is alive, and chance. One for each seed, on one thread.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tickwheel_memory_redis::{MemoryRedis, Reply};
use tickwheel_store::Heard;
use tickwheel_store::script::{self, Script};
use tickwheel_tests::harness::Run;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::checks::Checks;
use crate::mutation::Mutation;
use crate::rng::Rng;
pub(crate) use crate::size::PARTITIONS;

/// Redis' clock when a simulation begins: a whole minute of the year 2027.
const EPOCH_MS: u64 = 1_800_000_000_000;

/// A process, by its number in the order of starts.
pub(crate) type Node = usize;

/// How badly things go at present.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// Longest time on the way, in ms.
    pub(crate) delay_ms: u64,
    /// Of a thousand calls, how many take up to a second longer.
    pub(crate) slow: u64,
    /// Of a thousand calls, how many are executed and not answered.
    pub(crate) lost_answers: u64,
    /// Of a thousand calls, how many get lost before they are executed.
    pub(crate) lost_calls: u64,
    /// Of a thousand calls, how many are executed after their caller gave up.
    pub(crate) late_calls: u64,
    /// Of a thousand wake messages, how many are lost.
    pub(crate) lost_wakes: u64,
    /// Of a thousand frames of workers, how many are delivered twice.
    pub(crate) doubled: u64,
}

impl Weather {
    /// Nothing goes wrong.
    pub(crate) const FAIR: Self = Self {
        delay_ms: 2,
        slow: 0,
        lost_answers: 0,
        lost_calls: 0,
        late_calls: 0,
        lost_wakes: 0,
        doubled: 0,
    };
}

/// What the world knows of a process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) alive: bool,
    pub(crate) frozen_until: Instant,
    /// Nothing passes between it and Redis until then.
    pub(crate) cut_off_until: Instant,
    /// Where it hears wake messages.
    pub(crate) hears: Option<mpsc::Sender<Heard>>,
    /// Ends its streams.
    pub(crate) streams: Vec<CancellationToken>,
}

/// How a script is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Function,
    Digest,
}

/// What a server says that knows no functions.
const NO_FUNCTIONS: &str = "ERR unknown command 'FUNCTION'";

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) weather: Weather,
    pub(crate) processes: Vec<Process>,
    pub(crate) runs: Vec<Run>,
    pub(crate) checks: Checks,
    /// What happened, when somebody reads it.
    pub(crate) trace: Option<Vec<String>>,
    /// Of everything that happened: equal for equal runs.
    pub(crate) digest: u64,
    pub(crate) steps: u64,
    /// Of those, when it had come to rest after the storm.
    pub(crate) storm_steps: Option<u64>,
    pub(crate) broken: Option<String>,
    pub(crate) redis: MemoryRedis,
    pub(crate) redis_down_until: Instant,
    known: BTreeSet<&'static str>,
    knows_library: bool,
    digests: BTreeMap<&'static str, String>,
    mutation: Option<&'static Mutation>,
    began: Instant,
    jumped_ms: u64,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
    /// Set up once for each thread: compiling the scripts takes longer than a seed.
    static REDIS: RefCell<Option<MemoryRedis>> = const { RefCell::new(None) };
}

/// The world of this thread.
pub(crate) fn with<R>(look: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(|world| look(world.as_mut().expect("a simulation runs")))
}

/// Begins a world; must be called inside its runtime.
pub(crate) fn begin(seed: u64, mutation: Option<&'static Mutation>, traced: bool) {
    let redis = REDIS
        .take()
        .unwrap_or_else(|| MemoryRedis::new().expect("Lua"));
    redis.forget_keys();
    redis.set_full(false);
    redis.take_changed();
    redis.take_published();
    let now = Instant::now();
    redis.set_clock_ms(EPOCH_MS);
    WORLD.set(Some(World {
        rng: Rng::new(seed),
        weather: Weather::FAIR,
        processes: Vec::new(),
        runs: Vec::new(),
        checks: Checks::default(),
        trace: traced.then(Vec::new),
        digest: seed,
        steps: 0,
        storm_steps: None,
        broken: None,
        redis,
        redis_down_until: now,
        known: BTreeSet::new(),
        knows_library: false,
        digests: BTreeMap::new(),
        mutation,
        began: now,
        jumped_ms: 0,
    }));
}

/// Ends the world; its Redis serves the next one.
pub(crate) fn end() -> World {
    WORLD.take().expect("a simulation runs")
}

/// Keeps the Redis of an ended world.
pub(crate) fn recycle(world: World) {
    REDIS.set(Some(world.redis));
}

impl World {
    /// Redis' clock, in ms.
    pub(crate) fn now_ms(&self) -> u64 {
        let passed = Instant::now().duration_since(self.began).as_millis();
        EPOCH_MS + self.jumped_ms + u64::try_from(passed).unwrap_or(u64::MAX)
    }

    /// Sets Redis' clock forward.
    pub(crate) fn jump(&mut self, ms: u64) {
        self.jumped_ms += ms;
        self.note(|| format!("the clock jumps by {ms} ms"));
    }

    /// Script calls after the storm.
    pub(crate) fn calm_steps(&self) -> u64 {
        self.storm_steps.map_or(0, |storm| self.steps - storm)
    }

    /// Adds to the trace and to the digest.
    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        if self.trace.is_some() {
            let passed = Instant::now().duration_since(self.began);
            let line = format!("{:>9.3} {}", passed.as_secs_f64(), what());
            if let Some(trace) = &mut self.trace {
                trace.push(line);
            }
        }
    }

    /// Mixes something into the digest.
    pub(crate) fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Says that a promise is broken; the first one counts.
    pub(crate) fn fail(&mut self, what: String) {
        self.note(|| format!("BROKEN {what}"));
        self.broken.get_or_insert(what);
    }

    pub(crate) fn add_process(&mut self, name: String) -> Node {
        let now = Instant::now();
        self.note(|| format!("{name} starts"));
        self.processes.push(Process {
            name,
            alive: true,
            frozen_until: now,
            cut_off_until: now,
            hears: None,
            streams: Vec::new(),
        });
        self.processes.len() - 1
    }

    pub(crate) fn process(&mut self, node: Node) -> &mut Process {
        &mut self.processes[node]
    }

    pub(crate) fn name(&self, node: Node) -> String {
        self.processes[node].name.clone()
    }

    /// Ends a process without a word.
    pub(crate) fn kill(&mut self, node: Node) {
        let process = self.process(node);
        process.alive = false;
        process.hears = None;
        for stream in process.streams.drain(..) {
            stream.cancel();
        }
        let name = self.name(node);
        let now = self.now_ms();
        for run in self
            .runs
            .iter_mut()
            .filter(|run| run.worker == name && run.end_ms.is_none())
        {
            run.end_ms = Some(now);
            "killed".clone_into(&mut run.outcome);
        }
        self.note(|| format!("{name} dies"));
    }

    /// A script of this digest is known to Redis.
    pub(crate) fn load(&mut self, script: &'static Script) {
        let text = match self
            .mutation
            .filter(|mutation| mutation.script_text_has_it(script))
        {
            Some(mutation) => mutation.apply(script),
            None => script.text().to_owned(),
        };
        let sha1 = self.redis.load(&text).expect("a script that compiles");
        self.digests.insert(script.name(), sha1);
        self.known.insert(script.name());
    }

    /// The library is known to Redis. Where a script is broken on purpose there are no functions, so every text is asked for.
    pub(crate) fn load_library(&mut self) -> Reply {
        if self.mutation.is_some() {
            return Reply::Error(NO_FUNCTIONS.to_owned());
        }
        let text = script::LIBRARY.text();
        self.redis
            .load_library(text)
            .expect("a library that compiles");
        self.knows_library = true;
        Reply::Status("OK")
    }

    /// Redis restarts with its keys and without its scripts.
    pub(crate) fn restart_redis(&mut self, down: Duration) {
        self.known.clear();
        self.knows_library = false;
        self.redis.forget_scripts();
        self.redis_down_until = Instant::now() + down;
        self.note(|| format!("redis is down for {down:?}"));
    }

    /// Runs a script, hands out what it published, and checks everything.
    pub(crate) fn execute(
        &mut self,
        node: Node,
        way: Way,
        script: &'static Script,
        (keys, arguments): (&[String], &[bytes::Bytes]),
    ) -> Reply {
        let unknown = match way {
            Way::Function if self.mutation.is_some() => Some(NO_FUNCTIONS),
            Way::Function if !self.knows_library => Some("ERR Function not found"),
            Way::Digest if !self.known.contains(script.name()) => {
                Some("NOSCRIPT No matching script. Please use EVAL.")
            }
            Way::Function | Way::Digest => None,
        };
        if let Some(unknown) = unknown {
            return Reply::Error(unknown.to_owned());
        }
        self.redis.set_clock_ms(self.now_ms());
        let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
        let words: Vec<&[u8]> = arguments.iter().map(AsRef::as_ref).collect();
        let wheel = String::from_utf8_lossy(keys[0]);
        let foreign = if script.name() == "lease/release" {
            self.checks.foreign(&wheel, &words)
        } else {
            Vec::new()
        };
        let reply = match way {
            Way::Function => self.redis.fcall(script.function(), &keys, &words),
            Way::Digest => {
                let digest = &self.digests[script.name()];
                self.redis.evalsha(digest, &keys, &words)
            }
        };
        self.steps += 1;
        self.mix(script.name().as_bytes());
        self.mix(&self.now_ms().to_le_bytes());
        if let Reply::Error(error) = &reply {
            let broken = format!("{}: {error}", script.name());
            self.fail(broken);
        }
        if self.trace.is_some() {
            let name = self.name(node);
            let said: Vec<_> = words
                .iter()
                .map(|word| String::from_utf8_lossy(word))
                .collect();
            let line = format!(
                "{name} {} {} {} -> {}",
                script.name(),
                String::from_utf8_lossy(keys[0]),
                said.join(" "),
                shown(&reply)
            );
            self.note(|| line);
        }
        publish(self);
        self.check(script.name());
        if let Some(broken) = self.checks.given_back(&wheel, &foreign) {
            self.fail(broken);
        }
        reply
    }

    /// Checks what a call of `script` has changed.
    fn check(&mut self, script: &'static str) {
        let changed = self.redis.take_changed();
        if changed.is_empty() || self.broken.is_some() {
            return;
        }
        let mut checks = std::mem::take(&mut self.checks);
        if let Some(broken) = checks.after_step(script, &self.redis, &changed) {
            self.fail(broken);
        }
        self.checks = checks;
    }

    /// Live processes whose names begin with `kind`.
    pub(crate) fn living(&self, kind: &str) -> Vec<Node> {
        let processes = self.processes.iter().enumerate();
        processes
            .filter(|(_, process)| process.alive && process.name.starts_with(kind))
            .map(|(node, _)| node)
            .collect()
    }
}

fn shown(reply: &Reply) -> String {
    match reply {
        Reply::Nil => "-".to_owned(),
        Reply::Int(number) => number.to_string(),
        Reply::Status(word) => (*word).to_owned(),
        Reply::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Reply::List(items) => format!(
            "[{}]",
            items.iter().map(shown).collect::<Vec<_>>().join(" ")
        ),
        Reply::Error(text) => format!("ERROR {text}"),
    }
}

/// Every script of the registry.
pub(crate) fn scripts() -> Vec<&'static Script> {
    script::all()
}

/// A token that ends with either process.
pub(crate) fn stream_between(left: Node, right: Node) -> CancellationToken {
    let token = CancellationToken::new();
    with(|world| {
        world.process(left).streams.push(token.clone());
        world.process(right).streams.push(token.clone());
    });
    token
}

/// Waits while `node` is frozen; never returns for one that is dead.
pub(crate) async fn while_frozen(node: Node) {
    let (alive, until) = with(|world| {
        let process = world.process(node);
        (process.alive, process.frozen_until)
    });
    if !alive {
        std::future::pending::<()>().await;
    }
    if until > Instant::now() {
        tokio::time::sleep_until(until).await;
    }
}

/// Shared by all that a test wants to know of a process.
pub(crate) type Shared<T> = Arc<parking_lot::Mutex<T>>;

/// Hands what was published to those who listen.
fn publish(world: &mut World) {
    for message in world.redis.take_published() {
        let weather = world.weather;
        for node in world.living("t") {
            let now = Instant::now();
            let process = world.process(node);
            let Some(hears) = process.hears.clone() else {
                continue;
            };
            let cut_off = process.cut_off_until > now || world.rng.permille(weather.lost_wakes);
            let delay = Duration::from_millis(world.rng.below(weather.delay_ms + 1));
            if cut_off {
                continue;
            }
            let heard = Heard::Message(message.channel.clone(), message.text.clone());
            tokio::spawn(async move {
                sleep(delay).await;
                while_frozen(node).await;
                hears.try_send(heard).ok();
            });
        }
    }
}
