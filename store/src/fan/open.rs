//! Splitting a due context as its job's model says, and giving up on workers that are gone. Scripts: `lua/fan/open.lua`, `refuse.lua`,
//! `unpin.lua`.

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::ReduceOn;
use tickwheel_core::id::{ContextId, HandlerName, WorkerId};
use tickwheel_core::job::ContextOptions;
use tickwheel_core::model::Indexed;

use super::part_options;
use crate::args::Args;
use crate::error::Error;
use crate::record::{Member, SubtaskKind};
use crate::reply::Reply;
use crate::script::{OPEN_FAN, REFUSE_FAN, Script, UNPIN_FAN};
use crate::store::Store;

/// A context that is to be split.
#[derive(Debug, Clone)]
pub struct Opening {
    /// As it waits; its body is not looked at.
    pub waiting: Member,
    /// What holds for its parts.
    pub options: ContextOptions,
    /// Runs once when all parts have ended.
    pub reduce: Option<HandlerName>,
    /// When it runs.
    pub reduce_on: ReduceOn,
    /// Its parts.
    pub parts: Parts,
}

/// The parts of a context.
#[derive(Debug, Clone)]
pub enum Parts {
    /// One for each of these workers, so many of which have to succeed.
    Broadcast(Vec<WorkerId>, usize),
    /// Index and parameter of each item, with the worker that gets it; at most 1,000.
    Shards(Vec<(u32, String, WorkerId)>),
    /// Made when they are claimed.
    Indexed(Indexed),
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Opened {
    /// Its parts wait for permits, and it waits for them.
    Opened,
    /// It does not wait there any more.
    Gone,
}

/// Parts of workers that are gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unpinned {
    /// They failed.
    pub failed: u64,
    /// They may run anywhere.
    pub moved: u64,
}

impl Parts {
    fn model(&self) -> (&'static str, SubtaskKind) {
        match self {
            Self::Broadcast(..) => ("broadcast", SubtaskKind::Broadcast),
            Self::Shards(_) => ("sharding", SubtaskKind::Shard),
            Self::Indexed(_) => ("indexed", SubtaskKind::Index),
        }
    }

    fn total(&self) -> u64 {
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        match self {
            Self::Broadcast(workers, _) => count(workers.len()),
            Self::Shards(items) => count(items.len()),
            Self::Indexed(indexed) => indexed.completions,
        }
    }

    /// How many run at once, and how many of them have to succeed.
    fn rules(&self, args: Args) -> Args {
        match self {
            Self::Broadcast(_, needed) => args
                .with_number("parallelism", 0_u64)
                .with_number("quorum", *needed),
            Self::Shards(_) => args.with_number("parallelism", 0_u64),
            Self::Indexed(indexed) => {
                let success = indexed.success.as_ref();
                let wanted = success.map(|success| {
                    let all = u64::try_from(success.indexes.len()).unwrap_or(u64::MAX);
                    success.count.unwrap_or(all)
                });
                let indexes = success.map(|success| {
                    let texts: Vec<String> =
                        success.indexes.iter().map(ToString::to_string).collect();
                    texts.join(",")
                });
                args.with_number("parallelism", indexed.parallelism)
                    .with_optional_number("max_failed", indexed.max_failed)
                    .with_optional_number("wanted", wanted)
                    .with_optional("success", indexes)
            }
        }
    }

    /// Worker, and number with the bytes that are the part's own.
    fn entries(&self) -> Vec<(&str, Bytes)> {
        match self {
            Self::Broadcast(workers, _) => (0_u64..)
                .zip(workers)
                .map(|(number, worker)| (worker.as_str(), Bytes::from(format!("{number} "))))
                .collect(),
            Self::Shards(items) => items
                .iter()
                .map(|(index, parameter, worker)| {
                    let own = format!("{index} {}:{parameter}", parameter.len());
                    (worker.as_str(), Bytes::from(own))
                })
                .collect(),
            Self::Indexed(_) => Vec::new(),
        }
    }
}

/// The parameter of a shard, and the body of its context; `None` when the bytes are not of a shard.
#[must_use]
pub fn shard_body(body: &Bytes) -> Option<(String, Bytes)> {
    let colon = body.iter().position(|byte| *byte == b':')?;
    let length: usize = str::from_utf8(body.get(..colon)?).ok()?.parse().ok()?;
    let parameter = body.get(colon + 1..colon + 1 + length)?;
    let parameter = str::from_utf8(parameter).ok()?.to_owned();
    Some((parameter, body.slice(colon + 1 + length..)))
}

/// `<id> <attempt>:<failures> <group> <handler> <priority>`.
fn waiting(member: &Member) -> Value {
    let Member {
        id,
        attempt,
        failures,
        rest,
    } = member;
    Value::from(format!(
        "{id} {attempt}:{failures} {} {} {}",
        rest.group,
        rest.handler,
        rest.priority.as_u8()
    ))
}

impl Store {
    /// Splits a context. Idempotent: once it is split it does not wait there any more.
    ///
    /// # Errors
    /// [`Error::Exhausted`] when Redis is full; [`Error::Unavailable`]: repeat.
    pub async fn open_fan(&self, opening: &Opening) -> Result<Opened, Error> {
        let (model, kind) = opening.parts.model();
        let total = opening.parts.total();
        let reduce = opening.reduce.as_ref().map(|handler| {
            let options = part_options(&opening.options, SubtaskKind::Reduce, 0);
            format!("{handler} {options}")
        });
        let args = Args::new()
            .with("waiting", waiting(&opening.waiting))
            .with("model", model)
            .with("options", part_options(&opening.options, kind, total))
            .with_optional("reduce", reduce)
            .with("reduce_on", opening.reduce_on.as_str())
            .with_number("total", total);
        let entries = opening.parts.entries().into_iter();
        let parts = entries.flat_map(|(worker, part)| [Value::from(worker), Value::Bytes(part)]);
        let args = opening.parts.rules(args).items(parts);
        let (status, _) = self.call_fan(&OPEN_FAN, &opening.waiting.id, args).await?;
        match status.as_str() {
            "OPENED" => Ok(Opened::Opened),
            "GONE" => Ok(Opened::Gone),
            other => Err(Error::contract(OPEN_FAN.name(), other)),
        }
    }

    /// Ends an attempt of a context that cannot be split; it is tried again while it has attempts left, unless its job was `deleted`: then it
    /// ends, or stays as it is where the job is there after all.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: repeat.
    pub async fn refuse_fan(
        &self,
        context: &Member,
        random: u32,
        (message, deleted): (&str, bool),
    ) -> Result<(), Error> {
        let args = Args::new()
            .with("waiting", waiting(context))
            .with_number("random", random)
            .with("message", message)
            .with_flag("deleted", deleted)
            .alone();
        let (status, _) = self.call_fan(&REFUSE_FAN, &context.id, args).await?;
        match status.as_str() {
            "RETRYING" | "SETTLED" | "GONE" => Ok(()),
            other => Err(Error::contract(REFUSE_FAN.name(), other)),
        }
    }

    /// Gives up on 1 to 1,000 workers that are gone: their parts of a broadcast fail, their shards may run anywhere. Repeating is harmless.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: the next look repeats it.
    pub async fn unpin_fan(
        &self,
        root: &ContextId,
        workers: &[WorkerId],
    ) -> Result<Unpinned, Error> {
        let mut args = vec![Value::from(""), Value::from(root.as_str())];
        args.extend(workers.iter().map(|worker| Value::from(worker.as_str())));
        let (status, mut reply) = self.call_fan(&UNPIN_FAN, root, args).await?;
        if status != "UNPINNED" {
            return Err(Error::contract(UNPIN_FAN.name(), status));
        }
        Ok(Unpinned {
            failed: reply.number()?,
            moved: reply.number()?,
        })
    }

    pub(super) async fn call_fan(
        &self,
        script: &'static Script,
        root: &ContextId,
        args: Vec<Value>,
    ) -> Result<(String, Reply), Error> {
        let partition = self.known(root.partition(), root.as_str())?;
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(script, keys, args).await?;
        Reply::open(script.name(), value)
    }
}
