//! A whole fan-out without a cluster: the root, all subtasks, the reduce.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tickwheel_proto::v1::SubtaskResult;

use super::Harness;
use super::ran::{Mapped, Ran, failed, succeeded};
use crate::error::BoxError;
use crate::fan::SubtaskKind;
use crate::handler::encode_json;
use crate::outcome::Outcome;

/// Subtasks of one run of [`Harness::fan_out`]: a test that makes more maps without end.
const SUBTASKS_MAX: usize = 1_000_000;

/// What a fan-out did.
#[derive(Debug)]
#[non_exhaustive]
pub struct FannedOut {
    /// The run that mapped first.
    pub root: Ran,
    /// The last attempt of each subtask, in the order in which they were mapped.
    pub subtasks: Vec<Ran>,
    /// The reduce, if one was named.
    pub reduce: Option<Ran>,
}

impl FannedOut {
    /// The result of the whole: that of the reduce, or of the root when there is none.
    ///
    /// # Errors
    /// When the root, the reduce, or without a reduce any subtask did not succeed, or the result is no `T`.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, BoxError> {
        let Some(reduce) = &self.reduce else {
            for (index, ran) in self.subtasks.iter().enumerate() {
                if !ran.succeeded() {
                    return Err(
                        format!("subtask {index} did not succeed: {:?}", ran.outcome).into(),
                    );
                }
            }
            return self.root.result();
        };
        reduce.result()
    }
}

impl Harness {
    /// Runs a handler that maps, then every subtask (they may map again), then the reduce, one after the other. A subtask that fails is
    /// repeated at once, as often as its options allow. The reduce gets the body of the root.
    ///
    /// ```
    /// use tickwheel_worker::{Context, testing::Harness};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let harness = Harness::new()
    ///     .handle("all", |ctx: Context, shops: u64| async move {
    ///         ctx.map("shop", 0..shops).await?;
    ///         ctx.reduce("sum").await?;
    ///         Ok(())
    ///     })
    ///     .handle("shop", |_: Context, shop: u64| async move { Ok(shop * 2) })
    ///     .handle("sum", |ctx: Context, _: u64| async move {
    ///         let (mut sum, mut results) = (0, ctx.results::<u64>());
    ///         while let Some(result) = results.next().await? {
    ///             sum += result.outcome?;
    ///         }
    ///         Ok(sum)
    ///     });
    /// let done = harness.fan_out("all", &4).await;
    /// assert_eq!(done.subtasks.len(), 4);
    /// assert_eq!(done.result::<u64>().unwrap(), 12);
    /// # }
    /// ```
    pub async fn fan_out(&self, handler: &str, body: &(impl Serialize + ?Sized)) -> FannedOut {
        match encode_json(body) {
            Ok(body) => self.fan_out_raw(handler, body).await,
            Err(_) => {
                let root = self.run(handler, body).await;
                self.fan_out_of(root, Bytes::new()).await
            }
        }
    }

    /// Like [`fan_out`](Self::fan_out), with a body as it is.
    pub async fn fan_out_raw(&self, handler: &str, body: impl Into<Bytes>) -> FannedOut {
        let body = body.into();
        let root = self.call(handler).body_raw(body.clone()).run().await;
        self.fan_out_of(root, body).await
    }

    async fn fan_out_of(&self, mut root: Ran, body: Bytes) -> FannedOut {
        let mut reduce = root.reduce.clone();
        let mut waiting: VecDeque<Mapped> = root.mapped.iter().cloned().collect();
        let (mut subtasks, mut results) = (Vec::new(), Vec::new());
        while let Some(item) = waiting.pop_front() {
            if subtasks.len() == SUBTASKS_MAX {
                root.outcome = Some(Outcome::Fatal(format!("more than {SUBTASKS_MAX} subtasks")));
                break;
            }
            let index = subtasks.len() as u64;
            let ran = self.to_its_end(&item, index).await;
            waiting.extend(ran.mapped.iter().cloned());
            reduce = ran.reduce.clone().or(reduce);
            results.push(as_result(index, &ran));
            subtasks.push(ran);
        }
        let reduce = match reduce {
            Some(handler) if root.succeeded() => {
                let call = self.call(&handler).context_id("0.0.test~r");
                let call = call.body_raw(body).raw_results(results);
                Some(call.run().await)
            }
            Some(_) | None => None,
        };
        FannedOut {
            root,
            subtasks,
            reduce,
        }
    }

    /// All attempts of a subtask; the last one counts, with what the earlier ones mapped.
    async fn to_its_end(&self, item: &Mapped, index: u64) -> Ran {
        let (mut attempt, mut mapped) = (1, Vec::new());
        loop {
            let call = self
                .call(&item.handler)
                .context_id(format!("0.0.test~{index}"))
                .subtask(SubtaskKind::Map, index, 0)
                .attempt(attempt)
                .failures(attempt - 1)
                .max_attempts(item.max_attempts)
                .mapped_before(mapped.len() as u64)
                .body_raw(item.bytes.clone());
            let mut ran = call.run().await;
            mapped.append(&mut ran.mapped);
            let again = matches!(
                ran.outcome,
                Some(Outcome::Failed(_) | Outcome::RetryAfter(..) | Outcome::TimedOut)
            );
            if !again || attempt >= item.max_attempts {
                ran.mapped = mapped;
                return ran;
            }
            attempt += 1;
        }
    }
}

fn as_result(index: u64, ran: &Ran) -> SubtaskResult {
    match &ran.outcome {
        Some(Outcome::Succeeded(result)) => succeeded(index, result.clone()),
        _ => failed(index, ran.error().unwrap_or("cancelled").to_owned()),
    }
}
