//! The invariants, on what is in the simulated Redis: on the changed partition after each step, on everything at the end.

use std::collections::{BTreeMap, BTreeSet};

use tickwheel_core::id::{ContextId, Part};
use tickwheel_core::invariant::Invariant;
use tickwheel_core::partition::PartitionCount;
use tickwheel_memory_redis::{MemoryRedis, Reply};
use tickwheel_proto::v1;
use tickwheel_store::record::{Held, HeldLimits};
use tickwheel_tests::harness::snapshot::Partition;
use tickwheel_tests::harness::wire::Value;
use tickwheel_tests::harness::{Run, Snapshot};
use tickwheel_tests::invariants::{self, Broken};

use crate::holders::{self, Foreign};
use crate::lives::Lives;
use crate::size::PARTITIONS;

/// What the checks remember from step to step.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    /// Contexts that were confirmed to a caller and have not been seen ended, by partition.
    open: BTreeMap<u16, BTreeSet<ContextId>>,
    settled_by: BTreeSet<(String, u32)>,
    /// Contexts that were split: they end with their subtasks, not with the attempt that mapped them.
    split: BTreeSet<String>,
    /// Each partition as it was read last; only keys that change are read again.
    read: BTreeMap<u16, Partition>,
    /// How many items each context maps, by the context that they are parts of.
    mapped: BTreeMap<String, BTreeMap<String, u64>>,
    /// Those of the workers' group.
    pub(crate) limits: Option<v1::GroupLimits>,
    pub(crate) confirmed: usize,
    /// What scripts did to contexts.
    pub(crate) lives: Lives,
}

impl Checks {
    /// A caller was told that this context is in Redis.
    pub(crate) fn confirm(&mut self, id: ContextId) {
        self.confirmed += 1;
        self.open
            .entry(id.partition().as_u16())
            .or_default()
            .insert(id);
    }

    /// A handler maps so many items.
    pub(crate) fn maps(&mut self, context: &str, items: u64) {
        let whole = invariants::whole(context);
        let mapped = self.mapped.entry(whole).or_default();
        mapped.insert(context.to_owned(), items);
    }

    /// A part that nobody mapped: an item became two.
    fn too_many_parts(&self, runs: &[Run]) -> Option<String> {
        runs.iter().find_map(|run| {
            let id: ContextId = run.context.parse().ok()?;
            let Part::Number(number) = id.subtask()?.part else {
                return None;
            };
            let mapped = self.mapped.get(id.root()?.as_str())?;
            let items: u64 = mapped.values().sum();
            (number >= items).then(|| format!("W8: {id} ran, {items} items were mapped"))
        })
    }

    /// A worker was told that this attempt has settled its context.
    pub(crate) fn settled_by(&mut self, context: &str, attempt: u32) {
        self.settled_by.insert((context.to_owned(), attempt));
    }

    /// What somebody was told and is not so, when everything has ended.
    pub(crate) fn unkept(&self, snapshot: &Snapshot, runs: &[Run]) -> Option<String> {
        if let Some(wrong) = self.too_many_parts(runs) {
            return Some(wrong);
        }
        let records = snapshot
            .partitions
            .iter()
            .flat_map(|partition| &partition.settled);
        let ended: BTreeSet<(&str, u32)> = records
            .map(|record| (record.id.as_str(), record.attempt.as_u32()))
            .collect();
        let told =
            |(context, attempt): &&(String, u32)| !ended.contains(&(context.as_str(), *attempt));
        // The ends of subtasks lie with their root, and go with it.
        let alone =
            |(context, _): &&(String, u32)| !context.contains('~') && !self.split.contains(context);
        if let Some((context, attempt)) = self.settled_by.iter().filter(alone).find(told) {
            return Some(format!(
                "W2: attempt {attempt} of {context} was told that it has settled it, and it has not"
            ));
        }
        let contexts: BTreeSet<&str> = ended.iter().map(|(context, _)| *context).collect();
        let open = self.open.values().flatten();
        open.into_iter()
            .find(|id| !contexts.contains(id.as_str()))
            .map(|id| format!("W5: {id} was confirmed and never ended"))
    }

    /// What is broken after a call of `script`, in words, if anything.
    pub(crate) fn after_step(
        &mut self,
        script: &'static str,
        redis: &MemoryRedis,
        changed: &[String],
    ) -> Option<String> {
        let mut numbers = BTreeSet::new();
        for key in changed {
            let Some(number) = partition_of(key) else {
                continue;
            };
            numbers.insert(number);
            let partition = self.read.entry(number).or_insert_with(|| Partition {
                number,
                ..Partition::default()
            });
            if let Err(wrong) = read_key(partition, redis, key) {
                return Some(wrong);
            }
        }
        for number in numbers {
            let Some(mut partition) = self.read.remove(&number) else {
                continue;
            };
            partition.now_ms = redis.clock_ms();
            self.split
                .extend(partition.fans.keys().map(ToString::to_string));
            let mut broken = invariants::of_partition(&partition, count());
            broken.extend(self.lost(&partition).map(|id| Broken {
                invariant: Invariant::W5,
                what: format!("{id} was confirmed, has not ended, and is nowhere"),
            }));
            let misled = self.lives.after_call(script, (&partition, redis));
            self.read.insert(number, partition);
            if !broken.is_empty() {
                return Some(words(&broken));
            }
            if misled.is_some() {
                return misled;
            }
        }
        self.over_limit()
    }

    /// Attempts that a call gives back which other workers hold.
    pub(crate) fn foreign(&self, key: &str, arguments: &[&[u8]]) -> Vec<Foreign> {
        let read = partition_of(key).and_then(|number| self.read.get(&number));
        read.map(|partition| holders::foreign(partition, arguments))
            .unwrap_or_default()
    }

    /// One of those that is not held any more, in words.
    pub(crate) fn given_back(&self, key: &str, foreign: &[Foreign]) -> Option<String> {
        let read = partition_of(key).and_then(|number| self.read.get(&number))?;
        holders::given_back(read, foreign)
    }

    /// A limit under which more run than may, over all partitions.
    fn over_limit(&self) -> Option<String> {
        let set = self.limits.as_ref()?;
        let mut running: BTreeMap<String, u32> = BTreeMap::new();
        let held = self.read.values().flat_map(|read| read.held.values());
        // Whatever its record says that it counts under.
        let limits = HeldLimits {
            group: true,
            key: true,
        };
        for held in held {
            let runs = Held {
                limits,
                ..held.clone()
            };
            for limit in runs.counts_under() {
                *running.entry(limit.to_string()).or_default() += 1;
            }
        }
        let over =
            |(name, runs): &(String, u32)| bound(set, name).is_some_and(|bound| *runs > bound);
        let (name, runs) = running.into_iter().find(over)?;
        Some(format!("W9: {runs} contexts run under the limit `{name}`"))
    }

    /// A confirmed context that is in no place and has not ended.
    fn lost(&mut self, partition: &Partition) -> Option<ContextId> {
        let open = self.open.get_mut(&partition.number)?;
        for record in &partition.settled {
            open.remove(&record.id);
        }
        let planned = partition.planned.iter().map(|(_, member)| &member.id);
        let ready = partition
            .ready
            .values()
            .flatten()
            .map(|(_, member)| &member.id);
        let here: BTreeSet<&ContextId> = planned
            .chain(ready)
            .chain(partition.held.keys())
            .chain(partition.fans.keys())
            .collect();
        open.iter().find(|id| !here.contains(id)).cloned()
    }
}

/// All that can be told when everything has ended. A frame that is late on one stream may bring an attempt after a later one of it came on
/// another stream: it starts, and is fenced; so only that no attempt starts twice is asked here.
pub(crate) fn at_the_end(snapshot: &Snapshot, runs: &[Run]) -> Vec<Broken> {
    let partitions = snapshot.partitions.iter();
    let mut broken: Vec<Broken> = partitions
        .flat_map(|partition| invariants::of_partition(partition, count()))
        .collect();
    broken.extend(invariants::w2_no_attempt_twice(runs));
    broken.extend(invariants::w4_followers_are_told(snapshot));
    broken.extend(invariants::w6_running_handlers(
        snapshot,
        &while_held(snapshot, runs),
    ));
    broken.extend(invariants::w10_nothing_is_early(snapshot, runs));
    broken
}

/// The runs as far as their contexts had not ended: one that lost its lease goes on until its worker knows.
fn while_held(snapshot: &Snapshot, runs: &[Run]) -> Vec<Run> {
    let records = snapshot.jobs().flat_map(|(_, job)| &job.runs);
    let ended: BTreeMap<&str, u64> = records
        .map(|record| (record.id.as_str(), record.ended.as_u64()))
        .collect();
    let mut runs = runs.to_vec();
    for run in &mut runs {
        if let Some(ended) = ended.get(invariants::whole(&run.context).as_str()) {
            run.end_ms = Some(run.end_ms.map_or(*ended, |end| end.min(*ended)));
        }
    }
    runs
}

/// Of every simulated cluster.
pub(crate) fn count() -> PartitionCount {
    PartitionCount::new(PARTITIONS).unwrap_or_default()
}

pub(crate) fn words(broken: &[Broken]) -> String {
    let lines: Vec<String> = broken.iter().take(5).map(Broken::to_string).collect();
    lines.join("; ")
}

fn partition_of(key: &str) -> Option<u16> {
    key.strip_prefix("{tw:")?.split_once('}')?.0.parse().ok()
}

/// Everything in Redis.
pub(crate) fn snapshot(redis: &MemoryRedis) -> Result<Snapshot, String> {
    let partitions = (0..PARTITIONS).map(|number| partition(redis, number));
    Ok(Snapshot {
        partitions: partitions.collect::<Result<_, _>>()?,
    })
}

fn partition(redis: &MemoryRedis, number: u16) -> Result<Partition, String> {
    let base = format!("{{tw:{number}}}:");
    let mut partition = Partition {
        number,
        now_ms: redis.clock_ms(),
        ..Partition::default()
    };
    for (key, _, _) in redis.below(&base) {
        read_key(&mut partition, redis, &key)?;
    }
    Ok(partition)
}

/// Reads a key again.
fn read_key(partition: &mut Partition, redis: &MemoryRedis, key: &str) -> Result<(), String> {
    let name = key.split_once("}:").map_or(key, |(_, name)| name);
    partition.forget(name);
    let (reply, left) = redis.look(key);
    let value = match reply {
        Reply::Nil => return Ok(()),
        Reply::Bytes(bytes) if name.starts_with("awaited:") => Value::Bytes(bytes),
        Reply::Bytes(bytes) => Value::Int(i64::try_from(bytes.len()).unwrap_or(i64::MAX)),
        Reply::Int(_) | Reply::Status(_) | Reply::Error(_) | Reply::List(_) => value(reply),
    };
    let value = if name == "events" {
        entries(value)
    } else {
        value
    };
    partition
        .read(name, redis.kind(key), (left, value))
        .map_err(|wrong| format!("{wrong:#}"))
}

/// A stream as a server shows it: each entry with an id.
fn entries(value: Value) -> Value {
    let entry = |fields| Value::List(vec![Value::Nil, fields]);
    Value::List(value.list().into_iter().map(entry).collect())
}

fn value(reply: Reply) -> Value {
    match reply {
        Reply::Nil => Value::Nil,
        Reply::Int(number) => Value::Int(number),
        Reply::Status(word) => Value::Bytes(word.as_bytes().to_vec()),
        Reply::Bytes(bytes) => Value::Bytes(bytes),
        Reply::Error(text) => Value::Bytes(text.into_bytes()),
        Reply::List(items) => Value::List(items.into_iter().map(value).collect()),
    }
}

/// How many contexts may run under this limit.
pub(crate) fn bound(limits: &v1::GroupLimits, name: &str) -> Option<u32> {
    let (group, key) = match name.split_once(" k=") {
        Some((group, key)) => (group, Some(key)),
        None => (name, None),
    };
    let limit = match key {
        _ if group != limits.group => None,
        Some(key) => limits.keys.get(key).or(limits.per_key.as_ref()),
        None => limits.all.as_ref(),
    };
    limit?.concurrency
}
