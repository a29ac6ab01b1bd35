//! Contexts that ended without success: listed, run again, or forgotten, one by one or by what they have in common.
//! Scripts: `lua/dead/`, `lua/context/retry.lua`.
//!
//! A partition keeps the newest 10,000 of them. A step looks at a bounded number and ends with a cursor, so that work on many can be
//! stopped and resumed at any step; what another caller took meanwhile is passed by.

mod filter;
mod step;

use bytes::Bytes;
use fred::interfaces::{HashesInterface, SortedSetsInterface};
use fred::types::Value;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;

pub use filter::DeadFilter;
pub use step::{DeadAction, DeadStep};

use crate::context::{ContextList, ContextView, PageBounds};
use crate::error::Error;
use crate::fields::Fields;
use crate::listed::Listed;
use crate::record::Dead;
use crate::reply::Reply;
use crate::script::{LIST_DEAD, PURGE_DEAD, RETRY_CONTEXT, Script};
use crate::store::Store;

/// Contexts that one step looks at or changes.
const STEP_MAX: u32 = 100;

/// What became of a dead context that was asked to run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Requeued {
    /// It waits for a permit.
    Ready,
    /// Its job has as many active contexts as its overlap policy allows; it stays among the dead.
    Busy,
    /// Its body was too great to be kept among the dead, where it stays.
    BodyDropped,
    /// Its placement, which says what workers may run it, is no longer kept; it stays among the dead.
    PlacementGone,
    /// It was not among the dead: run again or forgotten meanwhile.
    NotDead,
}

/// How many are kept, and how many were let go because the bound was reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeadCounts {
    /// Kept now.
    pub kept: u64,
    /// Dropped by the bound since the cluster began.
    pub dropped: u64,
}

/// Of steps, which go from partition to partition: `<partition>/<position in its dead>`; empty: the first one from its newest on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    partition: PartitionId,
    position: String,
}

impl Cursor {
    fn parse(text: &str) -> Result<Self, Error> {
        let bad = || {
            Error::Invalid(Violations::from(Violation::new(
                "cursor",
                "is of an earlier page of the dead",
                text,
            )))
        };
        if text.is_empty() {
            return Ok(Self {
                partition: PartitionId::default(),
                position: String::new(),
            });
        }
        let (partition, position) = text.split_once('/').ok_or_else(bad)?;
        let numbers = position.split_once(':');
        // A score that no script wrote may be any.
        let is_one =
            |(end, n): (&str, &str)| end.parse::<f64>().is_ok() && n.parse::<u64>().is_ok();
        if !position.is_empty() && !numbers.is_some_and(is_one) {
            return Err(bad());
        }
        Ok(Self {
            partition: partition.parse().map_err(|_| bad())?,
            position: position.to_owned(),
        })
    }
}

fn number(text: &[u8]) -> Option<u64> {
    str::from_utf8(text).ok()?.parse().ok()
}

fn unless_damaged<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Err(Error::Damaged { .. }) => Ok(None),
        read => read.map(Some),
    }
}

impl Store {
    /// A page of the dead that `filter` chooses, over all partitions with the newest end first, without bodies. It may be short, or empty,
    /// and yet have a next one.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the cursor is not one of this list; [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_dead(
        &self,
        filter: &DeadFilter,
        cursor: &str,
        bounds: impl Into<PageBounds>,
    ) -> Result<ContextList, Error> {
        self.list_dead_contexts(&filter.contexts(), cursor, bounds.into())
            .await
    }

    /// How many dead there are, over all partitions.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn dead_counts(&self) -> Result<DeadCounts, Error> {
        let sort = |error| Error::from_redis("dead", error, ToOwned::to_owned);
        let client = self.redis.plain();
        let mut counts = DeadCounts::default();
        for partition in self.partitions.partitions() {
            let kept = client.zcard(self.keys.dead(partition)).await.map_err(sort);
            let dropped = client
                .hget(self.keys.stats(partition), "dead_dropped")
                .await
                .map_err(sort);
            // What cannot be read counts nothing; the list itself tells of it.
            let (kept, dropped): (Option<u64>, Option<Option<Bytes>>) =
                (unless_damaged(kept)?, unless_damaged(dropped)?);
            counts.kept += kept.unwrap_or(0);
            counts.dropped += dropped.flatten().as_deref().and_then(number).unwrap_or(0);
        }
        Ok(counts)
    }

    /// Where the dead go on behind `position` of the cursor's partition; `None` behind the last partition.
    fn after(&self, cursor: &Cursor, position: String) -> Option<Cursor> {
        if !position.is_empty() {
            return Some(Cursor {
                partition: cursor.partition,
                position,
            });
        }
        let following = self
            .partitions
            .partitions()
            .find(|one| *one > cursor.partition)?;
        Some(Cursor {
            partition: following,
            position: String::new(),
        })
    }

    /// The part of a partition's dead that one call reads.
    async fn dead_page(&self, cursor: &Cursor, limit: u32) -> Result<Listed<ContextView>, Error> {
        let args = vec![
            Value::from(cursor.position.as_str()),
            Value::from(limit.to_string()),
        ];
        let partition = self.known(cursor.partition, &cursor.partition.to_string())?;
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(&LIST_DEAD, keys, args).await?;
        let reply = Reply::expect(LIST_DEAD.name(), value, "DEAD")?;
        Fields::read(reply, |fields| {
            fields.number("dropped")?;
            let mut page = Listed {
                next: fields.text_or_empty("position")?,
                unreadable: fields.count("unreadable")?,
                ..Listed::default()
            };
            let mut items = fields.list("items")?;
            while !items.is_empty() {
                let member = items.list()?.bytes()?;
                let view = Dead::parse(&member).map(ContextView::of_dead);
                page.add(LIST_DEAD.name(), view)?;
            }
            Ok(page)
        })
    }

    /// Lets dead contexts of one partition, each with its end, run again; at most 100.
    pub(crate) async fn retry_dead(
        &self,
        partition: PartitionId,
        contexts: &[(ContextId, TimestampMs)],
    ) -> Result<Vec<Requeued>, Error> {
        let clock = vec![Value::from("")];
        let verdicts = self
            .dead_call((&RETRY_CONTEXT, "RETRIED"), partition, clock, contexts)
            .await?;
        requeued(&verdicts)
    }

    /// Lets an ended context of a job run again, whether it is kept among the dead or among the runs of its job: then it runs what its
    /// job says now.
    pub(crate) async fn retry_ended(
        &self,
        partition: PartitionId,
        context: &ContextId,
        ended: TimestampMs,
    ) -> Result<Requeued, Error> {
        let args = vec![
            Value::from(""),
            Value::from("1"),
            Value::from(context.as_str()),
            Value::from(ended.as_u64().to_string()),
            Value::from("ended"),
        ];
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(&RETRY_CONTEXT, keys, args).await?;
        let verdicts = Reply::expect(RETRY_CONTEXT.name(), value, "RETRIED")?.text()?;
        let verdict = requeued(&verdicts)?.into_iter().next();
        verdict.ok_or_else(|| Error::contract(RETRY_CONTEXT.name(), &verdicts))
    }

    /// Forgets dead contexts of one partition, each with its end; at most 100. True for each that was there.
    async fn purge_dead(
        &self,
        partition: PartitionId,
        contexts: &[(ContextId, TimestampMs)],
    ) -> Result<Vec<bool>, Error> {
        let verdicts = self
            .dead_call((&PURGE_DEAD, "PURGED"), partition, Vec::new(), contexts)
            .await?;
        Ok(verdicts.chars().map(|letter| letter == 'P').collect())
    }

    async fn dead_call(
        &self,
        (script, status): (&'static Script, &str),
        partition: PartitionId,
        mut args: Vec<Value>,
        contexts: &[(ContextId, TimestampMs)],
    ) -> Result<String, Error> {
        args.push(Value::from(contexts.len().to_string()));
        for (id, ended) in contexts {
            args.push(Value::from(id.as_str()));
            args.push(Value::from(ended.as_u64().to_string()));
        }
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(script, keys, args).await?;
        let verdicts = Reply::expect(script.name(), value, status)?.text()?;
        if verdicts.len() == contexts.len() {
            Ok(verdicts)
        } else {
            Err(Error::contract(script.name(), verdicts))
        }
    }
}

fn requeued(letters: &str) -> Result<Vec<Requeued>, Error> {
    let verdicts = letters.chars().map(|letter| match letter {
        'R' => Ok(Requeued::Ready),
        'B' => Ok(Requeued::Busy),
        'L' => Ok(Requeued::BodyDropped),
        'G' => Ok(Requeued::PlacementGone),
        'N' => Ok(Requeued::NotDead),
        other => Err(Error::contract(RETRY_CONTEXT.name(), other)),
    });
    verdicts.collect()
}
