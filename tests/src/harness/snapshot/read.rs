//! Reading one partition by one script call, and taking its keys apart.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use tickwheel_core::id::JobName;
use tickwheel_store::record::{Dead, Held, Member, Settled};

use super::records::{Job, Key, Partition};
use crate::harness::wire::Value;

/// Every key of a partition with its type, lifetime and content. Strings are not read, only measured.
const READ: &str = "#!lua flags=no-writes
local time = redis.call('TIME')
local keys = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local kind = redis.call('TYPE', key).ok
  local value
  if kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'hash' then value = redis.call('HGETALL', key)
  elseif kind == 'list' then value = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'stream' then value = redis.call('XRANGE', key, '-', '+')
  elseif string.find(key, '}:awaited:', 1, true) then value = redis.call('GET', key)
  else value = redis.call('STRLEN', key) end
  keys[#keys + 1] = { key, redis.call('PTTL', key), value, kind }
end
return { time[1], time[2], keys }";

/// The command that reads the partition whose keys begin with `base`.
pub(super) fn command(base: &str) -> [String; 5] {
    ["EVAL", READ, "1", &format!("{base}wheel"), base].map(str::to_owned)
}

/// Takes apart what [`command`] answered for partition `number`.
pub(super) fn partition(base: &str, number: u16, reply: Value) -> Result<Partition> {
    let [seconds, micros, keys] = <[Value; 3]>::try_from(reply.list())
        .ok()
        .context("three elements")?;
    let now_ms = seconds.text().parse::<u64>()? * 1_000 + micros.text().parse::<u64>()? / 1_000;
    let mut partition = Partition {
        number,
        now_ms,
        ..Partition::default()
    };
    for key in keys.list() {
        let [name, ttl, value, kind] = <[Value; 4]>::try_from(key.list())
            .ok()
            .context("a key of four elements")?;
        let (name, ttl_ms, kind) = (name.text(), ttl.text().parse()?, kind.text());
        let name = name
            .strip_prefix(base)
            .context("a key of the partition")?
            .to_owned();
        partition.read(&name, &kind, (ttl_ms, value))?;
    }
    Ok(partition)
}

impl Partition {
    /// Adds the key `name` (without the partition) with its kind as Redis calls it, its lifetime in ms and its content; of a string, its
    /// length.
    ///
    /// # Errors
    /// When nobody knows the key, or its content does not follow its grammar.
    pub fn read(&mut self, name: &str, kind: &str, (ttl_ms, value): (i64, Value)) -> Result<()> {
        let length = match &value {
            Value::Int(bytes) => usize::try_from(*bytes)?,
            // Pairs of members and scores, or of fields and values.
            Value::List(list) if kind == "zset" || kind == "hash" => list.len() / 2,
            Value::List(list) => list.len(),
            Value::Nil | Value::Bytes(_) => 0,
        };
        take(self, name, value).with_context(|| format!("key {name}"))?;
        self.keys.push(Key {
            name: name.to_owned(),
            kind: kind.to_owned(),
            length,
            ttl_ms,
        });
        Ok(())
    }
}

impl Partition {
    /// Drops what was read of the key `name`, to read it again.
    pub fn forget(&mut self, name: &str) {
        self.keys.retain(|key| key.name != name);
        let (kind, rest) = name.split_once(':').unwrap_or((name, ""));
        let job = JobName::new(rest).ok();
        let of_job = job.as_ref().and_then(|job| self.jobs.get_mut(job));
        match (kind, of_job) {
            ("wheel", _) => {
                self.planned.clear();
                self.entries.clear();
            }
            ("held", _) => self.held.clear(),
            ("retry", _) => self.retry.clear(),
            ("fair", _) => self.fair.clear(),
            ("limit_shares", _) => self.using.clear(),
            ("limit_released", _) => self.left.clear(),
            ("ready", _) => {
                let queue = rest.replace(':', " ");
                self.ready.remove(&queue);
            }
            ("backlog", _) => self.backlog.clear(),
            ("fans", _) => self.fans.clear(),
            ("fan", _) => self.fan_fields.retain(|root, _| root.as_str() != rest),
            ("parts", _) => {
                self.parts.remove(rest);
            }
            ("jobs", _) => self.job_names.clear(),
            ("awaited", _) => self.awaited.retain(|job, _| job.as_str() != rest),
            ("events", _) => self.settled.clear(),
            ("dead", _) => self.dead.clear(),
            ("stats", _) => self.stats.clear(),
            ("job", Some(job)) => job.fields.clear(),
            ("active", Some(job)) => job.active.clear(),
            ("queue", Some(job)) => job.queue.clear(),
            ("ledger", Some(job)) => job.ledger.clear(),
            ("runs", Some(job)) => job.runs.clear(),
            _ => {}
        }
        let is_left = |job: &Job| {
            !(job.fields.is_empty()
                && job.active.is_empty()
                && job.queue.is_empty()
                && job.ledger.is_empty()
                && job.runs.is_empty())
        };
        self.jobs.retain(|_, job| is_left(job));
    }
}

fn take(partition: &mut Partition, name: &str, value: Value) -> Result<()> {
    match name.split_once(':').unwrap_or((name, "")) {
        ("wheel", "") => wheel(partition, value)?,
        ("held", "") => {
            for (id, text) in pairs(value) {
                let held = Held::parse(Bytes::from(text))?;
                partition.held.insert(text_of(id).parse()?, held);
            }
        }
        ("retry", "") => {
            for (id, score) in pairs(value) {
                partition
                    .retry
                    .insert(text_of(id).parse()?, text_of(score).parse()?);
            }
        }
        (kind @ ("fair" | "limit_shares"), "") => shares(partition, kind, value)?,
        // What is granted and waited for: the tests of limits count what runs.
        ("limit_waiting" | "limit_contended", "") | ("limit", _) => {}
        ("limit_released", "") => left(partition, value)?,
        ("ready", queue) => {
            let queue = queue.replace(':', " ");
            partition.ready.insert(queue, members(value)?);
        }
        ("backlog", "") => {
            partition.backlog = pairs(value).map(|(queue, _)| text_of(queue)).collect();
        }
        (kind @ ("fans" | "fan" | "parts"), rest) => of_fans(partition, (kind, rest), value)?,
        ("jobs", "") => {
            for (name, _) in pairs(value) {
                partition.job_names.insert(JobName::new(text_of(name))?);
            }
        }
        (kind @ ("job" | "active" | "queue" | "ledger" | "runs"), job) => {
            of_job_key(partition, (kind, job), value)?;
        }
        ("awaited", job) => {
            let Value::Bytes(followers) = value else {
                bail!("it is no text");
            };
            partition
                .awaited
                .insert(JobName::new(job)?, text_of(followers));
        }
        // How new the partition is, and the zone table of its plans: of no interest to the invariants.
        ("epoch" | "zones", "") => {}
        ("events", "") => partition.settled = events(value)?,
        ("dead", "") => {
            let dead = pairs(value)
                .map(|(member, at)| Ok((score_of(at)?, Dead::parse(&Bytes::from(member))?)));
            partition.dead = dead.collect::<Result<_>>()?;
        }
        ("stats", "") => {
            partition.stats = texts(value)
                .into_iter()
                .filter_map(|(name, count)| Some((name, count.parse().ok()?)))
                .collect();
        }
        (
            "dedup" | "log" | "attempts" | "attempted" | "progress" | "result" | "results"
            | "quarantine" | "placements" | "used_placements" | "route" | "tags" | "traces"
            | "traced" | "spaces" | "subtraced" | "untraced" | "split" | "aside" | "asides",
            _,
        ) => {}
        _ => bail!("nobody knows this key"),
    }
    Ok(())
}

/// Keys of split contexts.
fn of_fans(partition: &mut Partition, key: (&str, &str), value: Value) -> Result<()> {
    match key {
        ("fans", "") => {
            for (root, model) in pairs(value) {
                partition
                    .fans
                    .insert(text_of(root).parse()?, text_of(model));
            }
        }
        ("fan", root) => {
            partition.fan_fields.insert(root.parse()?, texts(value));
        }
        ("parts", list) => {
            let waiting = u64::try_from(value.list().len())?;
            partition.parts.insert(list.to_owned(), waiting);
        }
        _ => bail!("nobody knows this key"),
    }
    Ok(())
}

/// Keys of one job.
fn of_job_key(partition: &mut Partition, key: (&str, &str), value: Value) -> Result<()> {
    match key {
        ("job", job) => of_job(partition, job)?.fields = texts(value),
        ("active", job) => {
            for (id, mark) in pairs(value) {
                of_job(partition, job)?
                    .active
                    .insert(text_of(id).parse()?, text_of(mark));
            }
        }
        ("queue", job) => of_job(partition, job)?.queue = members(value)?,
        ("ledger", job) => {
            let lines = value.list().into_iter().map(|line| line.text().parse());
            of_job(partition, job)?.ledger = lines.collect::<Result<_, _>>()?;
        }
        ("runs", job) => {
            let lines = value
                .list()
                .into_iter()
                .map(|line| Settled::parse(&line.bytes()));
            of_job(partition, job)?.runs = lines.collect::<Result<_, _>>()?;
        }
        _ => bail!("nobody knows this key"),
    }
    Ok(())
}

/// What is kept of fairness keys and limits.
fn shares(partition: &mut Partition, kind: &str, value: Value) -> Result<()> {
    for (name, text) in pairs(value) {
        let (name, text) = (text_of(name), text_of(text));
        if name == "#" {
            // No limit: it has the hash spread.
        } else if kind == "fair" {
            partition.fair.insert(name.parse()?, text.parse()?);
        } else {
            let using = text.split(' ').next().unwrap_or_default();
            partition.using.insert(name, using.parse()?);
        }
    }
    Ok(())
}

/// What ended under limits since the last turn.
fn left(partition: &mut Partition, value: Value) -> Result<()> {
    for entry in value.list() {
        for line in entry.text().lines() {
            let (count, limit) = line.split_once(' ').context("a line without a count")?;
            *partition.left.entry(limit.to_owned()).or_default() += count.parse::<u64>()?;
        }
    }
    Ok(())
}

fn of_job<'a>(partition: &'a mut Partition, job: &str) -> Result<&'a mut Job> {
    Ok(partition.jobs.entry(JobName::new(job)?).or_default())
}

fn wheel(partition: &mut Partition, value: Value) -> Result<()> {
    for (member, score) in pairs(value) {
        let score = score_of(score)?;
        if member.first().is_some_and(u8::is_ascii_digit) {
            partition
                .planned
                .push((score, Member::parse(Bytes::from(member))?));
        } else {
            partition.entries.push((score, text_of(member)));
        }
    }
    Ok(())
}

fn members(value: Value) -> Result<Vec<(u64, Member)>> {
    pairs(value)
        .map(|(member, score)| Ok((score_of(score)?, Member::parse(Bytes::from(member))?)))
        .collect()
}

fn events(value: Value) -> Result<Vec<Settled>> {
    let mut settled = Vec::new();
    for entry in value.list() {
        let fields = entry
            .list()
            .into_iter()
            .nth(1)
            .context("an event of an id and fields")?;
        for (_, records) in pairs(fields) {
            for line in records.split(|byte| *byte == b'\n') {
                settled.push(Settled::parse(line)?);
            }
        }
    }
    Ok(settled)
}

fn pairs(value: Value) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let mut list = value.list().into_iter();
    std::iter::from_fn(move || Some((list.next()?.bytes(), list.next()?.bytes())))
}

fn texts(value: Value) -> BTreeMap<String, String> {
    pairs(value)
        .map(|(name, text)| (text_of(name), text_of(text)))
        .collect()
}

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|bytes| String::from_utf8_lossy(bytes.as_bytes()).into_owned())
}

/// Scores are whole milliseconds; Redis prints large ones with all their digits.
fn score_of(text: Vec<u8>) -> Result<u64> {
    let text = text_of(text);
    text.parse()
        .with_context(|| format!("a score in whole milliseconds, not {text}"))
}
