//! `ctx.results`: what the subtasks came to, page by page.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use futures_util::Stream;
use serde::de::DeserializeOwned;
use tickwheel_core::bounds::RESULTS_PAGE_MAX;
use tickwheel_proto::v1::{self, FetchResults};

use super::{Answer, FanError, Request, SubtaskKind};
use crate::context::Context;
use crate::handler::decode_json;

/// How one subtask ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubtaskResult<T> {
    /// Its number.
    pub index: u64,
    /// Its result, or the message of its last failure.
    pub outcome: Result<T, String>,
}

/// The results of a context's subtasks, each once, in the order in which they ended. Has at most one page (1,000 results, 1 MiB) in memory.
pub struct Results<T> {
    ctx: Context,
    decode: fn(&Bytes) -> Result<T, serde_json::Error>,
    cursor: u64,
    page: VecDeque<v1::SubtaskResult>,
    ended: bool,
    result: PhantomData<fn() -> T>,
}

impl<T> Results<T> {
    fn new(ctx: Context, decode: fn(&Bytes) -> Result<T, serde_json::Error>) -> Self {
        Self {
            ctx,
            decode,
            cursor: 0,
            page: VecDeque::new(),
            ended: false,
            result: PhantomData,
        }
    }

    /// The next one; `None` when all were read. Cancel safe: a call that is dropped loses no result.
    ///
    /// # Errors
    /// [`FanError`]. After [`FanError::Decode`] the next call goes on with the next result.
    pub async fn next(&mut self) -> Result<Option<SubtaskResult<T>>, FanError> {
        if self.page.is_empty() && !self.ended {
            self.fetch().await?;
        }
        let Some(result) = self.page.pop_front() else {
            return Ok(None);
        };
        let index = result.index;
        let outcome = if result.succeeded {
            let read = (self.decode)(&result.result);
            Ok(read.map_err(|error| FanError::Decode {
                index,
                source: error.into(),
            })?)
        } else {
            Err(result.error)
        };
        Ok(Some(SubtaskResult { index, outcome }))
    }

    /// As a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<SubtaskResult<T>, FanError>> + Send
    where
        T: Send,
    {
        futures_util::stream::try_unfold(self, |mut results| async move {
            let next = results.next().await?;
            Ok(next.map(|result| (result, results)))
        })
    }

    async fn fetch(&mut self) -> Result<(), FanError> {
        let attempt = self.ctx.inner();
        let is_reduce = self
            .ctx
            .subtask()
            .is_some_and(|subtask| subtask.kind == SubtaskKind::Reduce);
        if !is_reduce {
            return Err(FanError::NotAReduce);
        }
        let fetch = FetchResults {
            context_id: String::from(&*attempt.key.context),
            attempt: attempt.key.attempt,
            cursor: self.cursor,
            limit: RESULTS_PAGE_MAX,
        };
        let one_at_a_time = attempt.fan().fetching.lock().await;
        let answer = attempt.ask(Request::Fetch(fetch)).await;
        drop(one_at_a_time);
        let Ok(Answer::Results(page)) = answer else {
            return Err(FanError::LeaseLost);
        };
        if !page.error.is_empty() {
            return Err(FanError::Refused(page.error));
        }
        self.ended = page.results.is_empty();
        self.cursor = page.next;
        self.page = page.results.into();
        Ok(())
    }
}

impl<T> fmt::Debug for Results<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results")
            .field("cursor", &self.cursor)
            .field("page", &self.page.len())
            .finish_non_exhaustive()
    }
}

impl Context {
    /// The results of the subtasks, in the handler of a [`reduce`](Self::reduce): JSON results as `T`; an empty one reads as `null`. Each
    /// call begins at the first result.
    #[must_use]
    pub fn results<T: DeserializeOwned>(&self) -> Results<T> {
        Results::new(self.clone(), |bytes| decode_json(bytes))
    }

    /// Like [`results`](Self::results), for subtasks whose handlers answer with bytes.
    #[must_use]
    pub fn results_raw(&self) -> Results<Bytes> {
        Results::new(self.clone(), |bytes| Ok(bytes.clone()))
    }
}
