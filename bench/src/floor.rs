//! The floor: what this machine's Redis needs for the primitive operations of a context's way, and nothing else.
//!
//! Three scripts of a few lines: put members into a sorted set, take them by rank and put them into a hash, take them out of the hash and
//! note them in a stream. No checks, no policies, no ids made, no workers chosen. What Tickwheel needs above it is the price of those.

use anyhow::{Context as _, Result, ensure};
use tokio::time::Instant;

use crate::redis::{Node, Redis};
use crate::report::{self, Line};
use crate::wire::{Answer, Wire, append};

/// Members that one call creates: as many as a submit call.
const CREATE_BATCH: usize = 1000;
/// Contexts that one call pops or settles: as many as a turn takes.
const BATCH: usize = 200;
/// Calls on the way at once: Redis always has the next one.
const WINDOW: usize = 4;
/// Bytes of a member: what a context with a body of 100 bytes takes.
const MEMBER_BYTES: usize = 150;

const CREATE: &str = "redis.call('ZADD', KEYS[1], unpack(ARGV)) return 1";
const POP: &str = "
local members = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, #members - 1)
local held = {}
for i, member in ipairs(members) do
  local at = string.find(member, ' ', 1, true)
  held[2 * i - 1] = string.sub(member, 1, at - 1)
  held[2 * i] = string.sub(member, at + 1)
end
redis.call('HSET', KEYS[2], unpack(held))
return members";
const SETTLE: &str = "
local values = redis.call('HMGET', KEYS[1], unpack(ARGV))
redis.call('HDEL', KEYS[1], unpack(ARGV))
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000, '*', 's', table.concat(ARGV, '\\n'))
return #values";

/// Redis CPU in microseconds and contexts per second of each operation.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Floor {
    pub(crate) create: Cost,
    pub(crate) pop: Cost,
    pub(crate) settle: Cost,
}

/// What one operation costs for each context.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) us: f64,
    pub(crate) per_s: f64,
}

impl Floor {
    /// Redis CPU of a drain: pop and settle.
    pub(crate) fn drain_us(&self) -> f64 {
        self.pop.us + self.settle.us
    }

    /// Contexts per second of a drain in which Redis does nothing else.
    pub(crate) fn drain_per_s(&self) -> f64 {
        1.0 / (1.0 / self.pop.per_s + 1.0 / self.settle.per_s)
    }
}

/// Adds `floor_us_per_job` and `floor_ratio` to the line of a run on this server, measured behind it: `share` says which operations of the
/// floor are those of the run. On a Redis Cluster there is no floor.
pub(crate) async fn put(
    line: &mut Line,
    (redis, partitions): (&Redis, u16),
    (jobs, share): (usize, fn(&Floor) -> f64),
) -> Result<()> {
    // What few contexts cost is noise, and many take time.
    let jobs = jobs.clamp(10_000, 300_000);
    if let Some(floor) = measure(redis, jobs, partitions).await? {
        let floor = share(&floor);
        line.put("floor_us_per_job", report::round(floor));
        let ours = line.number("redis_cpu_us_per_job");
        line.put("floor_ratio", report::round(floor / ours));
    }
    Ok(())
}

/// Measures with `jobs` contexts on the server of the run; none on a Redis Cluster, whose nodes share the load.
pub(crate) async fn measure(redis: &Redis, jobs: usize, partitions: u16) -> Result<Option<Floor>> {
    let Some(node) = redis.single() else {
        return Ok(None);
    };
    let mut bench = Bench::start(node, partitions).await?;
    let (create, _) = bench.run(CREATE, created(jobs, partitions)).await?;
    let pops = (0..jobs.div_ceil(BATCH)).map(|call| {
        let (wheel, held) = (bench.key("wheel", call), bench.key("held", call));
        vec![b"2".to_vec(), wheel, held, BATCH.to_string().into_bytes()]
    });
    let pops: Vec<_> = pops.collect();
    let (pop, answers) = bench.run(POP, pops.into_iter()).await?;
    let popped: usize = answers.iter().map(|answer| answer.list().len()).sum();
    ensure!(popped == jobs, "the floor popped {popped} of {jobs}");
    let settles = answers.iter().enumerate().map(|(call, answer)| {
        let mut words = vec![
            b"2".to_vec(),
            bench.key("held", call),
            bench.key("events", call),
        ];
        words.extend(answer.list().iter().map(id_of));
        words
    });
    let settles: Vec<_> = settles.collect();
    let (settle, _) = bench.run(SETTLE, settles.into_iter()).await?;
    let per_job = |(cpu, seconds): (f64, f64)| Cost {
        us: report::round(cpu * 1e6 / report::count(jobs)),
        per_s: report::round(report::count(jobs) / seconds),
    };
    Ok(Some(Floor {
        create: per_job(create),
        pop: per_job(pop),
        settle: per_job(settle),
    }))
}

/// The calls that create `jobs` members of [`MEMBER_BYTES`].
fn created(jobs: usize, partitions: u16) -> impl Iterator<Item = Vec<Vec<u8>>> {
    let partitions = usize::from(partitions).max(1);
    (0..jobs.div_ceil(CREATE_BATCH)).map(move |call| {
        let first = call * CREATE_BATCH;
        let partition = call % partitions;
        let mut words = vec![b"1".to_vec(), key(partition, "wheel")];
        for number in first..jobs.min(first + CREATE_BATCH) {
            let due = 1_700_000_000_000_u64 + number as u64;
            words.push(due.to_string().into_bytes());
            let id = format!("{partition}.{due}.1-{number:06} 0:0 bench noop 2 - ");
            let mut member = id.into_bytes();
            member.resize(MEMBER_BYTES, b'x');
            words.push(member);
        }
        words
    })
}

fn key(partition: usize, name: &str) -> Vec<u8> {
    format!("{{floor:{partition}}}:{name}").into_bytes()
}

fn id_of(member: &Answer) -> Vec<u8> {
    let text = member.text();
    let (id, _) = text.split_once(' ').unwrap_or((&text, ""));
    id.as_bytes().to_vec()
}

struct Bench<'a> {
    node: &'a Node,
    wire: Wire,
    partitions: usize,
}

impl<'a> Bench<'a> {
    async fn start(node: &'a Node, partitions: u16) -> Result<Self> {
        Ok(Self {
            node,
            wire: node.wire().await?,
            partitions: usize::from(partitions).max(1),
        })
    }

    /// The key that the pop (and the settlement) number `call` works on: those of a batch follow each other in its partition.
    fn key(&self, name: &str, call: usize) -> Vec<u8> {
        key(call * BATCH / CREATE_BATCH % self.partitions, name)
    }

    /// Sends a script call for each of `calls`; answers Redis' CPU seconds and the wall's, and what the calls answered.
    async fn run(
        &mut self,
        script: &str,
        calls: impl Iterator<Item = Vec<Vec<u8>>>,
    ) -> Result<((f64, f64), Vec<Answer>)> {
        let sha = self.wire.call(&["SCRIPT", "LOAD", script]).await?.text();
        let requests: Vec<Vec<u8>> = calls
            .map(|words| {
                let mut all = vec![b"EVALSHA".to_vec(), sha.clone().into_bytes()];
                all.extend(words);
                let mut request = Vec::new();
                append(&mut request, &all);
                request
            })
            .collect();
        let before = cpu(self.node).await?;
        let started = Instant::now();
        let mut answers = Vec::with_capacity(requests.len());
        for (sent, request) in requests.iter().enumerate() {
            self.wire.send(request).await?;
            if sent + 1 >= WINDOW {
                answers.push(self.wire.answer().await?);
            }
        }
        while answers.len() < requests.len() {
            answers.push(self.wire.answer().await?);
        }
        let seconds = started.elapsed().as_secs_f64();
        let after = cpu(self.node).await?;
        for answer in &answers {
            if let Answer::Refused(text) = answer {
                return Err(anyhow::anyhow!(text.clone())).context("the floor");
            }
        }
        Ok(((after - before, seconds), answers))
    }
}

async fn cpu(node: &Node) -> Result<f64> {
    let info = node.info().await?;
    Ok(info.number("used_cpu_user")? + info.number("used_cpu_sys")?)
}
