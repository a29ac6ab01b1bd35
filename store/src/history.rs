//! What ended contexts leave behind, within its budgets. Script: `lua/history/tend.lua`.

use std::time::Duration;

use fred::types::Value;
use tickwheel_core::partition::PartitionId;

use crate::error::Error;
use crate::reply::Reply;
use crate::script::TEND_HISTORY;
use crate::store::Store;

/// The least that a budget may be, bytes of one partition.
pub const BUDGET_MIN: u64 = 65_536;
const BUDGET_MAX: u64 = 1 << 50;
const KEEP_MAX_MS: u64 = 315_360_000_000;
/// Entries of the stream of events have at most about so many bytes each, whatever ended in a call.
const EVENT_BYTES: u64 = 34_000;
/// And all of them at most about so many: the n-th newest has at most 16 MiB / n.
const EVENTS_BYTES: u64 = 30_000_000;

/// How much the history of one partition may take. Where a budget is spent, the oldest of the namespace that keeps most goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of logs and progress; at least [`BUDGET_MIN`], less counts as that.
    pub logs: u64,
    /// Bytes of results; as `logs`.
    pub results: u64,
    /// Bytes of the contexts that ended without success; as `logs`.
    pub dead: u64,
    /// How long logs, progress and results are kept: a second to ten years.
    pub keep: Duration,
}

impl Budget {
    /// As a partition keeps it: `<logs> <results> <dead> <ms>`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(' ').map(|word| word.parse::<u64>().ok());
        Some(Self {
            logs: numbers.next()??,
            results: numbers.next()??,
            dead: numbers.next()??,
            keep: Duration::from_millis(numbers.next()??),
        })
    }
}

/// What the history of a partition takes, bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Logs and progress.
    pub logs: u64,
    /// Results.
    pub results: u64,
    /// Contexts that ended without success.
    pub dead: u64,
    /// At most, by the number of entries: what ended.
    pub events: u64,
}

impl Sizes {
    /// The most that events can take in a partition.
    pub const EVENTS_MAX: u64 = EVENTS_BYTES;

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            logs: self.logs.saturating_add(other.logs),
            results: self.results.saturating_add(other.results),
            dead: self.dead.saturating_add(other.dead),
            events: self.events.saturating_add(other.events),
        }
    }
}

impl Store {
    /// Tells a partition its budget, lets a page of what is too old or too much go, and answers what is left.
    ///
    /// Repeating it is safe; the last caller's budget holds.
    ///
    /// # Errors
    /// [`Error::NotFound`] when this cluster has no such partition; [`Error::Unavailable`] when Redis does not answer.
    pub async fn tend(&self, partition: PartitionId, budget: Budget) -> Result<Sizes, Error> {
        let bytes = |bytes: u64| Value::from(bytes.clamp(BUDGET_MIN, BUDGET_MAX).to_string());
        let keep = u64::try_from(budget.keep.as_millis()).unwrap_or(KEEP_MAX_MS);
        let args = vec![
            bytes(budget.logs),
            bytes(budget.results),
            bytes(budget.dead),
            Value::from(keep.clamp(1_000, KEEP_MAX_MS).to_string()),
        ];
        let partition = self.known(partition, &partition.to_string())?;
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(&TEND_HISTORY, keys, args).await?;
        let mut reply = Reply::expect(TEND_HISTORY.name(), value, "TENDED")?;
        Ok(Sizes {
            logs: reply.number()?,
            results: reply.number()?,
            dead: reply.number()?,
            events: reply
                .number()?
                .saturating_mul(EVENT_BYTES)
                .min(Sizes::EVENTS_MAX),
        })
    }
}
