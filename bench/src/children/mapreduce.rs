//! The handlers of the map-reduce scenario: a map over numbers, a subtask that answers with its number, and a reduce that counts each.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tickwheel_worker::{Context, HandlerResult, MapOptions};

use crate::report;

/// Maps the numbers below the one in its body.
pub(crate) const MAP: &str = "map";
/// Answers with the number in its body.
pub(crate) const LEAF: &str = "leaf";
/// Counts every result.
pub(crate) const REDUCE: &str = "reduce";

/// What the reduce found.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reduced {
    /// Results in all.
    pub(crate) results: usize,
    /// Numbers of subtasks among them.
    pub(crate) distinct: usize,
    /// Subtasks that succeeded, each counted once.
    pub(crate) succeeded: usize,
    pub(crate) failed: usize,
    /// Of the numbers that subtasks answered with.
    pub(crate) sum: u64,
}

/// What records of this handler's starts have as their key.
pub(crate) fn key_of(handler: &str) -> u64 {
    report::hash(handler)
}

pub(super) async fn map(ctx: Context, body: Bytes) -> HandlerResult<Bytes> {
    let numbers = 0..number(&body)?;
    let items = numbers.map(|number| Bytes::copy_from_slice(&number.to_le_bytes()));
    ctx.map_raw(LEAF, items, MapOptions::new()).await?;
    ctx.reduce(REDUCE).await?;
    Ok(Bytes::new())
}

pub(super) fn leaf(body: Bytes) -> HandlerResult<Bytes> {
    number(&body)?;
    Ok(body)
}

pub(super) async fn reduce(ctx: Context) -> HandlerResult<Bytes> {
    let (mut reduced, mut seen) = (Reduced::default(), Seen::default());
    let mut results = ctx.results_raw();
    while let Some(result) = results.next().await? {
        reduced.results += 1;
        let new = seen.add(result.index);
        reduced.distinct += usize::from(new);
        match result.outcome {
            Ok(bytes) => {
                reduced.succeeded += usize::from(new);
                reduced.sum += number(&bytes)?;
            }
            Err(_) => reduced.failed += 1,
        }
    }
    Ok(serde_json::to_vec(&reduced)?.into())
}

fn number(bytes: &Bytes) -> HandlerResult<u64> {
    let bytes = bytes.first_chunk::<8>().ok_or("a number has 8 bytes")?;
    Ok(u64::from_le_bytes(*bytes))
}

/// Which numbers were there: a bit for each.
#[derive(Debug, Default)]
struct Seen(Vec<u64>);

impl Seen {
    /// `false`: it was there before.
    fn add(&mut self, number: u64) -> bool {
        let place = usize::try_from(number / 64).unwrap_or(usize::MAX);
        let bit = 1 << (number % 64);
        if place >= self.0.len() {
            self.0.resize(place + 1, 0);
        }
        self.0.get_mut(place).is_some_and(|word| {
            let new = *word & bit == 0;
            *word |= bit;
            new
        })
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_worker::testing::Harness;

    use super::*;

    #[test]
    fn a_number_is_new_once() {
        let mut seen = Seen::default();
        let added = [0, 63, 64, 1_000_000, 63, 0].map(|number| seen.add(number));
        assert_eq!(added, [true, true, true, true, false, false]);
    }

    #[tokio::test]
    async fn every_result_is_counted_once() {
        let harness = Harness::new()
            .handle_raw(MAP, map)
            .handle_raw(LEAF, |_, body| async { leaf(body) })
            .handle_raw(REDUCE, |ctx, _| reduce(ctx));
        let call = harness.call(MAP).body_raw(2_500_u64.to_le_bytes().to_vec());
        let ran = call.run().await;
        assert_eq!(
            (ran.mapped.len(), ran.reduce.as_deref()),
            (2_500, Some(REDUCE))
        );
        let done = harness
            .fan_out_raw(MAP, 2_500_u64.to_le_bytes().to_vec())
            .await;
        let expected = Reduced {
            results: 2_500,
            distinct: 2_500,
            succeeded: 2_500,
            failed: 0,
            sum: 2_499 * 2_500 / 2,
        };
        assert_eq!(done.result::<Reduced>().unwrap(), expected);
    }
}
