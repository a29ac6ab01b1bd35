//! Reading what the subtasks of a root returned. Script: `lua/fan/results.lua`.

use std::sync::LazyLock;

use bytes::Bytes;
use fred::types::Value;

use crate::error::Error;
use crate::lease::Holding;
use crate::record::error_type;
use crate::reply::Reply;
use crate::script::FAN_RESULTS;
use crate::seldom::Seldom;
use crate::store::Store;

/// One damage may have hit many.
static UNREAD: LazyLock<Seldom> = LazyLock::new(Seldom::default);

/// How a subtask ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubtaskResult {
    /// Its number.
    pub index: u64,
    /// What it returned, or why it failed.
    pub end: Result<Bytes, String>,
}

/// What a reduce is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Results {
    /// A page of them.
    Page(ResultsPage),
    /// The attempt does not hold its context any more.
    Stale,
    /// Another worker holds that attempt.
    Foreign,
}

/// A page of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultsPage {
    /// Where the next one begins.
    pub next: u64,
    /// None: the end.
    pub results: Vec<SubtaskResult>,
}

impl Store {
    /// Reads results for a running reduce, from the `cursor`-th on, at most `limit` (1 to 1,000) and 1 MiB.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: repeat.
    pub async fn fan_results(
        &self,
        reduce: &Holding,
        cursor: u64,
        limit: u32,
    ) -> Result<Results, Error> {
        let context = &reduce.attempt.context;
        let partition = self.known(context.partition(), context.as_str())?;
        let args = vec![
            Value::from(context.as_str()),
            reduce.holder(),
            Value::from(cursor.to_string()),
            Value::from(limit.to_string()),
        ];
        let value = self
            .redis
            .call(&FAN_RESULTS, vec![self.keys.wheel(partition)], args)
            .await?;
        let (status, mut reply) = Reply::open(FAN_RESULTS.name(), value)?;
        match status.as_str() {
            "STALE" => Ok(Results::Stale),
            "FOREIGN" => Ok(Results::Foreign),
            "PAGE" => {
                let next = reply.number()?;
                let mut list = reply.list()?;
                let mut results = Vec::with_capacity(list.len());
                while !list.is_empty() {
                    match result(&list.bytes()?) {
                        Ok(one) => results.push(one),
                        // The reduce gets all that can be read, rather than nothing for ever.
                        Err(error) => {
                            if let Some(kept_back) = UNREAD.say("") {
                                tracing::error!(context = %reduce.attempt.context, %error, kept_back, "a result cannot be read");
                            }
                        }
                    }
                }
                Ok(Results::Page(ResultsPage { next, results }))
            }
            other => Err(Error::contract(FAN_RESULTS.name(), other)),
        }
    }
}

/// `<n> <s or f> <result or error>`.
pub(super) fn result(text: &Bytes) -> Result<SubtaskResult, Error> {
    let malformed = || Error::damaged("record/result", String::from_utf8_lossy(text));
    let mut ends = text.iter().enumerate().filter(|(_, byte)| **byte == b' ');
    let (Some((number, _)), Some((word, _))) = (ends.next(), ends.next()) else {
        return Err(malformed());
    };
    let index = str::from_utf8(text.get(..number).unwrap_or_default())
        .ok()
        .and_then(|index| index.parse().ok())
        .ok_or_else(malformed)?;
    let rest = text.slice(word + 1..);
    let end = match text.get(number + 1..word) {
        Some(b"s") => Ok(rest),
        Some(b"f") => Err(error_type::split(&String::from_utf8_lossy(&rest)).1),
        _ => return Err(malformed()),
    };
    Ok(SubtaskResult { index, end })
}
