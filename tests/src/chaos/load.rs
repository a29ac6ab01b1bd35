//! A caller that goes on submitting whatever happens, and keeps account of the answers.
//!
//! Every context has a dedup key. A call without an answer is unknown, so its batch is sent again, to the next tracker, until it is
//! answered; a refusal is an answer. What was accepted must not be lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use parking_lot::Mutex;
use tickwheel_proto::v1;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::seed::Seed;
use crate::harness::client::Client;
use crate::harness::jobs::{delayed, submission};
use crate::harness::{Secrets, wall_ms};

const TICK: Duration = Duration::from_millis(100);
/// A call waits no longer for its answer.
const CALL_LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);
/// After the end of the load, unknown answers are asked for so long.
const SETTLE_LIMIT: Duration = Duration::from_secs(30);

/// What the trackers answered.
#[derive(Debug, Default, Clone)]
pub struct Accounts {
    /// Contexts that were accepted, with the instant of the answer.
    pub accepted: Vec<(String, u64)>,
    /// Contexts that were refused, by code.
    pub refused: BTreeMap<String, u64>,
    /// Calls that failed without a verdict, by code.
    pub failed_calls: BTreeMap<String, u64>,
    /// Contexts whose fate is unknown at the end.
    pub unknown: u64,
}

/// A running load. Dropping it ends it.
#[derive(Debug)]
pub struct Load {
    accounts: Arc<Mutex<Accounts>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Load {
    /// Submits about `rate` contexts per second, in turn to the trackers at `urls`.
    ///
    /// # Errors
    /// When one of `urls` is none.
    pub fn start(
        (urls, secrets): (&[String], Option<&Secrets>),
        rate: u32,
        seed: u64,
    ) -> Result<Self> {
        let clients: Vec<Client> = urls
            .iter()
            .map(|url| Client::lazy(url, CALL_LIMIT, secrets))
            .collect::<Result<_>>()?;
        let (accounts, stop) = (Arc::default(), CancellationToken::new());
        let submitter = Submitter {
            clients,
            accounts: Arc::clone(&accounts),
            stop: stop.clone(),
        };
        let task = tokio::spawn(submitter.run(rate, Seed::new(seed)));
        Ok(Self {
            accounts,
            stop,
            task,
        })
    }

    /// The answers so far.
    #[must_use]
    pub fn accounts(&self) -> Accounts {
        self.accounts.lock().clone()
    }

    /// Adds a context that somebody else submitted.
    pub fn add(&self, id: &str) {
        self.accounts
            .lock()
            .accepted
            .push((id.to_owned(), wall_ms()));
    }

    /// Submits no more, and waits until every batch has its answer.
    pub async fn finish(&mut self) -> Accounts {
        self.stop.cancel();
        // A submitter that panicked leaves its accounts.
        (&mut self.task).await.ok();
        self.accounts()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Submitter {
    clients: Vec<Client>,
    accounts: Arc<Mutex<Accounts>>,
    stop: CancellationToken,
}

impl Submitter {
    async fn run(self, rate: u32, mut seed: Seed) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut batches, mut number) = (JoinSet::new(), 0);
        let run = seed.number();
        while self.stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let count = (u64::from(rate) + number % 10) / 10;
            if count == 0 {
                number += u64::from(rate.min(1));
                continue;
            }
            let batch = (0..count)
                .map(|_| {
                    number += 1;
                    one(&mut seed, format!("chaos-{run}-{number}"))
                })
                .collect();
            batches.spawn(self.clone().submit(batch, seed.index(self.clients.len())));
            while batches.try_join_next().is_some() {}
        }
        while batches.join_next().await.is_some() {}
    }

    /// Sends a batch until it is answered, or long after the load was stopped.
    async fn submit(mut self, batch: Vec<v1::Submission>, first: usize) {
        let mut give_up = None;
        for attempt in 0_usize.. {
            let at = (first + attempt) % self.clients.len().max(1);
            let Some(client) = self.clients.get_mut(at) else {
                return;
            };
            let answer = client.submit(batch.clone()).await;
            if self.answered(answer, batch.len()) {
                return;
            }
            if self.stop.is_cancelled() {
                let limit = *give_up.get_or_insert_with(|| Instant::now() + SETTLE_LIMIT);
                if Instant::now() > limit {
                    self.accounts.lock().unknown += u64::try_from(batch.len()).unwrap_or(u64::MAX);
                    return;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// AttemptLogs an answer; false when there was none.
    fn answered(&self, answer: Result<Vec<String>, Status>, count: usize) -> bool {
        let mut accounts = self.accounts.lock();
        match answer {
            Ok(ids) => {
                let now = wall_ms();
                let ids = ids.into_iter().map(|id| (id, now));
                accounts.accepted.extend(ids);
                true
            }
            Err(status) => {
                let (code, refused) = (format!("{:?}", status.code()), is_refusal(status.code()));
                if refused {
                    let count = u64::try_from(count).unwrap_or(u64::MAX);
                    *accounts.refused.entry(code).or_default() += count;
                } else {
                    *accounts.failed_calls.entry(code).or_default() += 1;
                }
                refused
            }
        }
    }
}

/// True when nothing was written and the same call would be refused again.
fn is_refusal(code: Code) -> bool {
    [
        Code::ResourceExhausted,
        Code::InvalidArgument,
        Code::FailedPrecondition,
        Code::PermissionDenied,
        Code::Unimplemented,
    ]
    .contains(&code)
}

/// Half of the contexts do nothing, a quarter take a while, a quarter come due later.
fn one(seed: &mut Seed, dedup_key: String) -> v1::Submission {
    let context = match seed.between(0, 4) {
        0 => submission("sleep", seed.between(20, 200)),
        1 => delayed(
            submission("ok", 1),
            Duration::from_millis(seed.between(50, 1_500)),
        ),
        _ => submission("ok", 1),
    };
    v1::Submission {
        dedup_key,
        ..context
    }
}
