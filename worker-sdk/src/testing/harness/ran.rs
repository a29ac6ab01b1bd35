//! What a run did, and the place where it is told: a tracker that keeps everything and refuses what the real one refuses.

use bytes::Bytes;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tickwheel_core::bounds::RESULTS_PAGE_MAX;
use tickwheel_proto::v1::split_confirmation::Verdict;
use tickwheel_proto::v1::{self, FetchResults, ResultsPage, Split, SplitConfirmation};
use tokio::sync::oneshot;

use crate::attempt::{Attempt, Said, Sink};
use crate::error::BoxError;
use crate::fan::{Answer, Reply, Request};
use crate::handler::decode_json;
use crate::outcome::Outcome;

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// What would be settled; `None` when the attempt was fenced, or given back by a drain.
    pub outcome: Option<Outcome>,
    /// The log lines, in order.
    pub logs: Vec<String>,
    /// All progress told: percent and message.
    pub progress: Vec<(u32, String)>,
    /// The items it mapped, in order.
    pub mapped: Vec<Mapped>,
    /// The reduce it named.
    pub reduce: Option<String>,
}

/// An item that a handler mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mapped {
    /// The handler that is to run it.
    pub handler: String,
    /// As it is sent.
    pub bytes: Bytes,
    /// How often it may fail.
    pub max_attempts: u32,
}

impl Mapped {
    /// The item, read from JSON.
    ///
    /// # Errors
    /// When it is no `T`.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, BoxError> {
        Ok(decode_json(&self.bytes)?)
    }
}

impl Ran {
    pub(super) fn without_run(error: String) -> Self {
        Self {
            outcome: Some(Outcome::Fatal(error)),
            logs: Vec::new(),
            progress: Vec::new(),
            mapped: Vec::new(),
            reduce: None,
        }
    }

    /// The result of a typed handler that succeeded.
    ///
    /// # Errors
    /// When it did not succeed, or the result is no `T`.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, BoxError> {
        match &self.outcome {
            Some(Outcome::Succeeded(result)) => Ok(decode_json(result)?),
            other => Err(format!("the handler did not succeed: {other:?}").into()),
        }
    }

    /// Whether the handler succeeded.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Succeeded(_)))
    }

    /// The message of a failure.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match self.outcome.as_ref()? {
            Outcome::Failed(error) | Outcome::Fatal(error) | Outcome::RetryAfter(_, error) => {
                Some(error)
            }
            Outcome::Succeeded(_) | Outcome::Cancelled | Outcome::TimedOut => None,
        }
    }
}

/// What the handler says while it runs.
#[derive(Debug)]
pub(super) struct Told {
    said: Mutex<Ran>,
    mapped_before: u64,
    results: Vec<v1::SubtaskResult>,
}

impl Told {
    pub(super) fn new(mapped_before: u64, results: Vec<v1::SubtaskResult>) -> Self {
        Self {
            said: Mutex::new(Ran::without_run(String::new())),
            mapped_before,
            results,
        }
    }

    pub(super) fn take_ran(&self, outcome: Option<Outcome>, last_line: Option<String>) -> Ran {
        let mut ran = std::mem::replace(&mut *self.said.lock(), Ran::without_run(String::new()));
        ran.outcome = outcome;
        ran.logs.extend(last_line);
        ran
    }

    fn split(&self, split: &Split) -> SplitConfirmation {
        let mut said = self.said.lock();
        let had = self.mapped_before + said.mapped.len() as u64;
        let known = usize::try_from(had.saturating_sub(split.offset)).unwrap_or(usize::MAX);
        let max_attempts = split.options.as_ref().and_then(|options| options.retry);
        let max_attempts = max_attempts.map_or(1, |retry| retry.max_attempts);
        let new = split.items.iter().skip(known).map(|item| Mapped {
            handler: split.handler.clone(),
            bytes: item.clone(),
            max_attempts,
        });
        said.mapped.extend(new);
        if !split.reduce.is_empty() {
            said.reduce = Some(split.reduce.clone());
        }
        SplitConfirmation {
            context_id: split.context_id.clone(),
            attempt: split.attempt,
            offset: split.offset,
            verdict: Verdict::Taken.into(),
            error: String::new(),
            taken: self.mapped_before + said.mapped.len() as u64,
        }
    }

    fn page(&self, fetch: &FetchResults) -> ResultsPage {
        let from = usize::try_from(fetch.cursor).unwrap_or(usize::MAX);
        let limit = fetch.limit.min(RESULTS_PAGE_MAX) as usize;
        let results: Vec<_> = self
            .results
            .iter()
            .skip(from)
            .take(limit)
            .cloned()
            .collect();
        ResultsPage {
            context_id: fetch.context_id.clone(),
            attempt: fetch.attempt,
            cursor: fetch.cursor,
            next: fetch.cursor + results.len() as u64,
            results,
            error: String::new(),
        }
    }
}

impl Sink for Told {
    fn log(&self, _: &Attempt, said: Said) -> bool {
        self.said.lock().logs.push(said.line);
        true
    }

    fn progress(&self, _: &Attempt, percent: u32, message: String) {
        self.said.lock().progress.push((percent, message));
    }

    fn ask(&self, _: &Attempt, request: Request) -> Reply {
        let (reply, answer) = oneshot::channel();
        let said = match &request {
            Request::Split(split) => Answer::Split(self.split(split)),
            Request::Fetch(fetch) => Answer::Results(self.page(fetch)),
        };
        // The receiver is the one below.
        reply.send(said).ok();
        answer
    }
}

pub(super) fn succeeded(index: u64, result: Bytes) -> v1::SubtaskResult {
    v1::SubtaskResult {
        index,
        succeeded: true,
        result,
        error: String::new(),
    }
}

pub(super) fn failed(index: u64, error: String) -> v1::SubtaskResult {
    v1::SubtaskResult {
        index,
        succeeded: false,
        result: Bytes::new(),
        error,
    }
}
