//! Taking the items that a running attempt maps. Script: `lua/fan/split.lua`.

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::ReduceOn;
use tickwheel_core::id::HandlerName;
use tickwheel_core::job::ContextOptions;

use super::part_options;
use crate::args::Args;
use crate::error::Error;
use crate::lease::Holding;
use crate::record::SubtaskKind;
use crate::reply::Reply;
use crate::script::SPLIT;
use crate::store::Store;

/// A page of items.
#[derive(Debug, Clone)]
pub struct Splitting {
    /// The attempt that maps, and its worker.
    pub mapper: Holding,
    /// Items that its context mapped before, over all its attempts.
    pub offset: u64,
    /// Who runs the items, with what holds for them; needed with items only.
    pub handler: Option<(HandlerName, ContextOptions)>,
    /// Subtasks of the root that run at once; 0: any number.
    pub parallelism: u32,
    /// Runs once when all subtasks have ended, with what holds for it.
    pub reduce: Option<(HandlerName, ContextOptions)>,
    /// When it runs.
    pub reduce_on: ReduceOn,
    /// The context has mapped, if only no items: a reduce is no mistake.
    pub mapped: bool,
    /// At most 1,000.
    pub items: Vec<Bytes>,
}

/// What became of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Split {
    /// So many items of the context are in Redis.
    Taken(u64),
    /// The attempt does not hold its context any more, or its root ends.
    Stale,
    /// Another worker holds that attempt.
    Foreign,
    /// A rule is broken.
    Refused {
        /// Of what.
        field: String,
        /// Which.
        rule: String,
        /// What was given.
        given: String,
    },
}

impl Store {
    /// Makes subtasks of the items. Idempotent: items that were taken are passed over.
    ///
    /// # Errors
    /// [`Error::Exhausted`] when Redis is full; [`Error::Unavailable`] when it is unknown whether they were taken: repeat.
    pub async fn split(&self, page: &Splitting) -> Result<Split, Error> {
        let context = &page.mapper.attempt.context;
        let partition = self.known(context.partition(), context.as_str())?;
        let mut args = Args::new()
            .with("id", context.as_str())
            .with("holder", page.mapper.holder())
            .with_number("offset", page.offset)
            .with_number("parallelism", page.parallelism)
            .with("reduce_on", page.reduce_on.as_str());
        if let Some((handler, options)) = &page.handler {
            let options = part_options(options, SubtaskKind::Map, 0);
            args = args
                .with("handler", handler.as_str())
                .with("options", options);
        }
        if let Some((handler, options)) = &page.reduce {
            let options = part_options(options, SubtaskKind::Reduce, 0);
            let mapped = if page.mapped { " mapped" } else { "" };
            args = args.with("reduce", format!("{handler} {options}{mapped}"));
        }
        let args = args.items(page.items.iter().cloned().map(Value::Bytes));
        let value = self
            .redis
            .call(&SPLIT, vec![self.keys.wheel(partition)], args)
            .await?;
        let (status, mut reply) = Reply::open(SPLIT.name(), value)?;
        match status.as_str() {
            "TAKEN" => Ok(Split::Taken(reply.number()?)),
            "STALE" => Ok(Split::Stale),
            "FOREIGN" => Ok(Split::Foreign),
            "REFUSED" => Ok(Split::Refused {
                field: reply.text()?,
                rule: reply.text()?,
                given: reply.text()?,
            }),
            other => Err(Error::contract(SPLIT.name(), other)),
        }
    }
}
