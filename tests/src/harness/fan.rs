//! Handlers of rig workers that fan out, and what tests tell them and hear from them.
//!
//! | name | what it does | body |
//! |---|---|---|
//! | `map` | maps numbers, and names a reduce | [`Mapping`] |
//! | `spread` | maps so many numbers for `ok` | a number |
//! | `nap` | answers with its number after 20 ms | a number |
//! | `stay` | until it is told to stop | |
//! | `seventh` | answers with its number; fails for good where that ends with 07 | a number |
//! | `never` | fails | |
//! | `count` | a reduce: counts the results | |
//! | `parts` | a reduce: answers with what each part knew, in their order | |
//! | `part` | answers with its part after so many ms | a number |
//! | `part_once_bad` | as `part`, and part 1 fails at its first attempt | a number |
//! | `even_part` | as `part`, and parts with an odd number fail for good | a number |

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use tickwheel_worker::{Context, HandlerResult, MapOptions, ReduceWhen, fatal};

/// Names of the handlers.
pub const ALL: &[&str] = &[
    "map",
    "spread",
    "nap",
    "stay",
    "seventh",
    "never",
    "count",
    "parts",
    "part",
    "part_once_bad",
    "even_part",
];

/// Items after which a slow map rests.
const PAGE: u64 = 1_000;

/// How long a subtask naps.
const NAP: Duration = Duration::from_millis(20);

/// What the handler `map` is told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Mapping {
    /// It maps the numbers below.
    pub items: u64,
    /// The handler of the subtasks.
    pub leaf: String,
    /// The reduce; empty: none.
    pub reduce: String,
    /// It runs only when all succeed.
    pub all_must_succeed: bool,
    /// Attempts of each subtask, without a pause between them; 0: as usual.
    pub max_attempts: u32,
    /// Subtasks at once; 0: any number.
    pub parallelism: u32,
    /// Rests so long after each page.
    pub rest_ms: u64,
}

/// What the handler `count` found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Subtasks that succeeded.
    pub succeeded: u64,
    /// Subtasks that failed.
    pub failed: u64,
    /// Numbers of subtasks among the results.
    pub distinct: u64,
    /// Of the numbers that subtasks answered with.
    pub sum: u64,
}

/// What the handler `part` knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartSeen {
    /// Its index.
    pub index: u64,
    /// How many there are.
    pub total: u64,
    /// Of its item.
    pub parameter: String,
}

/// Runs one of these handlers; `None` when `handler` is none of them.
pub(super) async fn perform(
    handler: &str,
    ctx: &Context,
    body: &Bytes,
    number: u64,
) -> Option<HandlerResult<Bytes>> {
    Some(match handler {
        "map" => map(ctx, body).await,
        "spread" => spread(ctx, number).await,
        "nap" => {
            tokio::time::sleep(NAP).await;
            Ok(body.clone())
        }
        "stay" => {
            let reason = ctx.cancelled().await;
            Err(format!("stopped: {reason:?}").into())
        }
        "seventh" if number % 100 == 7 => Err(fatal("its number ends with 07")),
        "seventh" => Ok(body.clone()),
        "never" => Err("it never succeeds".into()),
        "count" => count(ctx).await,
        "parts" => parts(ctx).await,
        "part" => part(ctx, number, |_| false).await,
        "part_once_bad" => {
            let first = ctx.failures() == 0;
            part(ctx, number, |index| first && index == 1).await
        }
        "even_part" => part(ctx, number, |index| index % 2 == 1).await,
        _ => return None,
    })
}

async fn map(ctx: &Context, body: &Bytes) -> HandlerResult<Bytes> {
    let mapping: Mapping = serde_json::from_slice(body)?;
    let rest = Duration::from_millis(mapping.rest_ms);
    let items = stream::iter(0..mapping.items).then(move |number| async move {
        if number % PAGE == PAGE - 1 && !rest.is_zero() {
            tokio::time::sleep(rest).await;
        }
        number
    });
    let mut options = MapOptions::new().parallelism(mapping.parallelism);
    if mapping.max_attempts > 0 {
        options = options
            .max_attempts(mapping.max_attempts)
            .fixed_delay(Duration::ZERO);
    }
    ctx.map_stream(&mapping.leaf, items, options).await?;
    if !mapping.reduce.is_empty() {
        let when = if mapping.all_must_succeed {
            ReduceWhen::Succeeded
        } else {
            ReduceWhen::Ended
        };
        ctx.reduce_when(&mapping.reduce, when).await?;
    }
    Ok(Bytes::new())
}

async fn spread(ctx: &Context, items: u64) -> HandlerResult<Bytes> {
    ctx.map("ok", 0..items).await?;
    Ok(Bytes::from(items.to_string()))
}

async fn count(ctx: &Context) -> HandlerResult<Bytes> {
    let (mut counted, mut seen) = (Counted::default(), HashSet::new());
    let mut results = ctx.results::<u64>();
    while let Some(result) = results.next().await? {
        counted.distinct += u64::from(seen.insert(result.index));
        match result.outcome {
            Ok(number) => {
                counted.succeeded += 1;
                counted.sum += number;
            }
            Err(_) => counted.failed += 1,
        }
    }
    Ok(serde_json::to_vec(&counted)?.into())
}

async fn parts(ctx: &Context) -> HandlerResult<Bytes> {
    let mut seen = Vec::new();
    let mut results = ctx.results::<PartSeen>();
    while let Some(result) = results.next().await? {
        seen.push(result.outcome?);
    }
    seen.sort_unstable();
    Ok(serde_json::to_vec(&seen)?.into())
}

async fn part(ctx: &Context, ms: u64, fails: impl Fn(u64) -> bool) -> HandlerResult<Bytes> {
    let shard = ctx.shard().ok_or_else(|| fatal("it is no part"))?;
    tokio::time::sleep(Duration::from_millis(ms)).await;
    if fails(shard.index) {
        return Err(format!("part {} fails", shard.index).into());
    }
    let seen = PartSeen {
        index: shard.index,
        total: shard.total,
        parameter: shard.parameter,
    };
    Ok(serde_json::to_vec(&seen)?.into())
}
