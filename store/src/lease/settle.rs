//! Ending and prolonging attempts. Scripts: `lua/lease/settle.lua`, `renew.lua`, `release.lua`.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use fred::types::Value;
use tickwheel_core::cancel::CancelReason;
use tickwheel_core::id::{AttemptNo, ContextId, WorkerId};
use tickwheel_core::partition::PartitionId;

use crate::error::Error;
use crate::reply::Reply;
use crate::script::{RELEASE, RENEW, SETTLE};
use crate::store::Store;
use crate::wake;

/// One attempt of one context.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttemptRef {
    /// The context.
    pub context: ContextId,
    /// The attempt.
    pub attempt: AttemptNo,
}

/// An attempt and the worker that it was claimed for: whoever reports of it is believed only as this worker.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Holding {
    /// The attempt.
    pub attempt: AttemptRef,
    /// Its worker.
    pub worker: WorkerId,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With a result, empty or kept for an hour.
    Succeeded(Bytes),
    /// Retried by the context's policy.
    Failed(String),
    /// Never retried.
    Fatal(String),
    /// Retried after this delay, while attempts are left.
    RetryAfter(Duration, String),
    /// It gave way to a cancellation.
    Cancelled(String),
    /// It ran into its timeout.
    TimedOut(String),
}

/// An attempt with its outcome.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Which attempt.
    pub attempt: AttemptRef,
    /// Who says so.
    pub worker: WorkerId,
    /// How it ended.
    pub outcome: Outcome,
    /// 0..=999,999: draws the retry's delay from its range.
    pub random: u32,
}

/// What the store made of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The context ended.
    Settled,
    /// The attempt ended; the context waits for its next one.
    Retrying,
    /// Not held by any attempt: settled before, or reaped.
    Gone,
    /// A later attempt holds it; nothing changed.
    LeaseLost,
    /// Another worker holds that attempt; nothing changed.
    Foreign,
}

/// What the store made of a renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Renewal {
    /// The lease goes on for this long.
    Kept(Duration),
    /// A cancellation of this reason waits for the attempt.
    Cancelling(CancelReason),
    /// Another attempt may run: this one is fenced.
    Lost,
    /// Another worker holds that attempt; nothing changed.
    Foreign,
}

/// What became of attempts that were given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Released {
    /// Ready again.
    pub released: u64,
    /// Held by another worker than was said, and still so.
    pub foreign: u64,
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Succeeded(_) => "succeeded",
            Self::Failed(_) => "failed",
            Self::Fatal(_) => "fatal",
            Self::RetryAfter(..) => "retry_after",
            Self::Cancelled(_) => "cancelled",
            Self::TimedOut(_) => "timed_out",
        }
    }

    /// Success without a result: the common end, told with two values.
    fn is_plain(&self) -> bool {
        matches!(self, Self::Succeeded(result) if result.is_empty())
    }

    fn payload(&self, random: u32) -> Value {
        match self {
            Self::Succeeded(result) => Value::Bytes(result.clone()),
            Self::Failed(message)
            | Self::Fatal(message)
            | Self::Cancelled(message)
            | Self::TimedOut(message) => Value::from(format!("{random} 0 {message}")),
            Self::RetryAfter(delay, message) => {
                Value::from(format!("{random} {} {message}", delay.as_millis()))
            }
        }
    }
}

impl Store {
    /// Ends up to 1,000 attempts of one partition; the verdicts come in their order. Repeating is harmless.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it is unknown whether they are settled: repeat.
    pub async fn settle(
        &self,
        partition: PartitionId,
        settlements: &[Settlement],
    ) -> Result<Vec<Verdict>, Error> {
        let (workers, numbers) = numbered(settlements.iter().map(|one| &one.worker));
        let (plain, others): (Vec<_>, Vec<_>) = settlements
            .iter()
            .zip(numbers)
            .enumerate()
            .partition(|(_, (settlement, _))| settlement.outcome.is_plain());
        let mut args: Vec<Value> = Vec::with_capacity(4 + 2 * plain.len() + 4 * others.len());
        args.push(Value::from(""));
        args.push(Value::from(workers));
        args.push(Value::from(plain.len().to_string()));
        for (_, (settlement, worker)) in &plain {
            push_holder(&mut args, &settlement.attempt, *worker);
        }
        args.push(Value::from(others.len().to_string()));
        for (_, (settlement, worker)) in &others {
            push_holder(&mut args, &settlement.attempt, *worker);
            args.push(Value::from_static_str(settlement.outcome.word()));
            args.push(settlement.outcome.payload(settlement.random));
        }
        let value = self
            .redis
            .call(&SETTLE, vec![self.keys.wheel(partition)], args)
            .await?;
        let mut reply = Reply::expect(SETTLE.name(), value, "SETTLED")?;
        reply.number()?;
        let verdicts =
            letters(
                SETTLE.name(),
                &reply.text()?,
                settlements.len(),
                |letter| match letter {
                    'S' => Some(Verdict::Settled),
                    'R' => Some(Verdict::Retrying),
                    'G' => Some(Verdict::Gone),
                    'L' => Some(Verdict::LeaseLost),
                    'F' => Some(Verdict::Foreign),
                    _ => None,
                },
            )?;
        let mut ordered: Vec<_> = plain.iter().chain(&others).zip(verdicts).collect();
        ordered.sort_unstable_by_key(|((index, _), _)| *index);
        Ok(ordered.into_iter().map(|(_, verdict)| verdict).collect())
    }

    /// Prolongs the leases of up to 1,000 attempts of one partition.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it is unknown whether they are: repeat.
    pub async fn renew(
        &self,
        partition: PartitionId,
        attempts: &[Holding],
    ) -> Result<Vec<Renewal>, Error> {
        let value = self
            .redis
            .call(&RENEW, vec![self.keys.wheel(partition)], holders(attempts))
            .await?;
        let mut reply = Reply::expect(RENEW.name(), value, "RENEWED")?;
        reply.number()?;
        let verdicts = reply.text()?;
        let mut details = reply.texts()?.into_iter();
        letters(
            RENEW.name(),
            &verdicts,
            attempts.len(),
            |letter| match letter {
                'K' => details
                    .next()?
                    .parse()
                    .ok()
                    .map(|lease| Renewal::Kept(Duration::from_millis(lease))),
                'C' => details
                    .next()
                    .map(|word| Renewal::Cancelling(wake::reason(&word))),
                'L' => Some(Renewal::Lost),
                'F' => Some(Renewal::Foreign),
                _ => None,
            },
        )
    }

    /// Gives back up to 1,000 attempts of one partition that did not start, those that are still held. Repeating is harmless.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: repeat, or leave it to the end of the dispatch lease.
    pub async fn release(
        &self,
        partition: PartitionId,
        attempts: &[Holding],
    ) -> Result<Released, Error> {
        let value = self
            .redis
            .call(
                &RELEASE,
                vec![self.keys.wheel(partition)],
                holders(attempts),
            )
            .await?;
        let mut reply = Reply::expect(RELEASE.name(), value, "RELEASED")?;
        Ok(Released {
            released: reply.number()?,
            foreign: reply.number()?,
        })
    }
}

impl Holding {
    /// As scripts that take one attempt want it.
    pub(crate) fn holder(&self) -> Value {
        Value::from(format!("{} {}", self.attempt.attempt, self.worker))
    }
}

fn holders(attempts: &[Holding]) -> Vec<Value> {
    let (workers, numbers) = numbered(attempts.iter().map(|holding| &holding.worker));
    let mut args: Vec<Value> = Vec::with_capacity(3 + 2 * attempts.len());
    args.push(Value::from(""));
    args.push(Value::from(workers));
    args.push(Value::from(attempts.len().to_string()));
    for (holding, number) in attempts.iter().zip(numbers) {
        push_holder(&mut args, &holding.attempt, number);
    }
    args
}

/// The workers of a call, each once and separated by spaces, and which of them each item names, the first being 1. A batch is mostly of
/// few workers: naming each once keeps it short.
fn numbered<'a>(workers: impl Iterator<Item = &'a WorkerId>) -> (String, Vec<usize>) {
    let mut known: HashMap<&WorkerId, usize> = HashMap::new();
    let mut names = String::new();
    let numbers = workers.map(|worker| {
        let next = known.len() + 1;
        *known.entry(worker).or_insert_with(|| {
            if next > 1 {
                names.push(' ');
            }
            names.push_str(worker.as_str());
            next
        })
    });
    let numbers = numbers.collect();
    (names, numbers)
}

fn push_holder(args: &mut Vec<Value>, attempt: &AttemptRef, worker: usize) {
    args.push(Value::from(attempt.context.as_str()));
    args.push(Value::from(format!("{} {worker}", attempt.attempt)));
}

fn letters<T>(
    script: &'static str,
    text: &str,
    count: usize,
    read: impl FnMut(char) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let verdicts: Option<Vec<T>> = text.chars().map(read).collect();
    verdicts
        .filter(|verdicts| verdicts.len() == count)
        .ok_or_else(|| Error::contract(script, text))
}
