//! What became of a job's due times and contexts: plain reads of its two lists.

use bytes::Bytes;
use fred::interfaces::ListInterface;
use tickwheel_core::id::JobName;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict};
use tickwheel_core::time::TimestampMs;

use crate::error::Error;
use crate::listed::Listed;
use crate::record::Settled;
use crate::store::Store;

/// Records of one command, where not all of them are wanted.
const CHUNK: u32 = 1_000;
/// So that the last one of the chunk before is in this one, whatever a job writes between two commands.
const CHUNK_LEAST: u32 = 50;
/// Of a record's text: an id and two instants.
const CURSOR_BYTES_MAX: usize = 1_024;

/// Which records of a ledger are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerRange {
    /// Those of due times from here on; `None`: from the oldest that is kept.
    pub from: Option<TimestampMs>,
    /// Those of due times before this; `None`: up to the newest.
    pub to: Option<TimestampMs>,
    /// With one of these verdicts; none: all.
    pub verdicts: Vec<LedgerVerdict>,
    /// That of an earlier page; empty: from the newest on.
    pub cursor: String,
    /// At most so many.
    pub limit: u32,
}

impl LedgerRange {
    /// A record of several due times is wanted if one of them is.
    fn wants(&self, record: &LedgerRecord) -> bool {
        self.from.is_none_or(|from| record.to >= from)
            && self.to.is_none_or(|to| record.from < to)
            && (self.verdicts.is_empty() || self.verdicts.contains(&record.verdict))
    }

    fn wants_all(&self) -> bool {
        self.from.is_none() && self.to.is_none() && self.verdicts.is_empty()
    }
}

impl Store {
    /// The newest `limit` records of the ledger of `job`, the newest first. Empty when there is no such job.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn ledger(&self, job: &JobName, limit: u32) -> Result<Listed<LedgerRecord>, Error> {
        let range = LedgerRange {
            limit,
            ..LedgerRange::default()
        };
        self.ledger_page(job, &range).await
    }

    /// The records of the ledger of `job` that `range` wants, the newest first; the cursor is empty behind the oldest. Those it does not want
    /// are read as well, a thousand with each command. Empty when there is no such job.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a cursor of no ledger, [`Error::Unavailable`] when Redis does not answer.
    pub async fn ledger_page(
        &self,
        job: &JobName,
        range: &LedgerRange,
    ) -> Result<Listed<LedgerRecord>, Error> {
        let key = self.keys.ledger(self.partition_of_job(job), job);
        let mut listed = Listed::default();
        // How many records are newer than those that come next, and the oldest of them: should more be written meanwhile, it is seen again.
        let (mut newer, mut seen) = match range.cursor.as_str() {
            "" => (0, None),
            cursor => match self.newer_than(&key, cursor).await? {
                Some(newer) => (newer, Some(Bytes::copy_from_slice(cursor.as_bytes()))),
                None => return Ok(listed), // it was dropped, and all that is older with it
            },
        };
        let mut left = range.limit;
        while left > 0 {
            let chunk = if range.wants_all() {
                left.clamp(CHUNK_LEAST, CHUNK)
            } else {
                CHUNK
            };
            let lines = self.chunk(&key, newer, chunk).await;
            let mut lines = listed.readable("ledger", lines)?.unwrap_or_default();
            let is_last = lines.len() < chunk as usize;
            if let Some(again) = lines.iter().position(|line| Some(line) == seen.as_ref()) {
                // So many more are newer than those that come next.
                newer += i64::try_from(lines.len() - again).unwrap_or(i64::MAX);
                lines.truncate(again);
            }
            for line in lines.iter().rev() {
                newer += 1;
                seen = Some(line.clone());
                let text = String::from_utf8_lossy(line);
                let record = text
                    .parse::<LedgerRecord>()
                    .map_err(|_| Error::damaged("record/ledger", &text));
                let Some(record) = listed.readable("ledger", record)? else {
                    continue;
                };
                if range.wants(&record) {
                    listed.items.push(record);
                    left -= 1;
                }
                if left == 0 {
                    listed.next = text.into_owned();
                    return Ok(listed);
                }
            }
            if is_last {
                break;
            }
        }
        Ok(listed)
    }

    /// How many records of a ledger are not older than that of a cursor; `None` when it is not kept any more.
    async fn newer_than(&self, key: &str, cursor: &str) -> Result<Option<i64>, Error> {
        let is_record = cursor.len() <= CURSOR_BYTES_MAX && cursor.parse::<LedgerRecord>().is_ok();
        if !is_record {
            return Err(Error::bad_cursor(cursor));
        }
        let redis = self.redis.plain();
        let place = redis.lpos(key, cursor, Some(-1), None, None).await;
        let place: Option<i64> =
            place.map_err(|error| Error::from_redis("lpos", error, ToOwned::to_owned))?;
        let Some(place) = place else {
            return Ok(None);
        };
        let length: i64 = redis
            .llen(key)
            .await
            .map_err(|error| Error::from_redis("llen", error, ToOwned::to_owned))?;
        Ok(Some((length - place).max(0)))
    }

    /// `count` records behind the newest `newer`, the oldest of them first.
    async fn chunk(&self, key: &str, newer: i64, count: u32) -> Result<Vec<Bytes>, Error> {
        let (first, last) = (-newer - i64::from(count), -newer - 1);
        let read = self.redis.plain().lrange(key, first, last).await;
        read.map_err(|error| Error::from_redis("lrange", error, ToOwned::to_owned))
    }

    /// The newest `limit` ended contexts of `job`, the newest first. Empty when there is no such job.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn runs(&self, job: &JobName, limit: u32) -> Result<Listed<Settled>, Error> {
        let lines = self
            .newest(self.keys.runs(self.partition_of_job(job), job), limit)
            .await;
        newest_first("runs", lines, |line| Settled::parse(line))
    }

    async fn newest(&self, key: String, limit: u32) -> Result<Vec<Bytes>, Error> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let read = self.redis.plain().lrange(key, -i64::from(limit), -1).await;
        read.map_err(|error| Error::from_redis("lrange", error, ToOwned::to_owned))
    }
}

/// What can be read of `lines`, the newest first. A list that is no list has one record that cannot be.
fn newest_first<T>(
    list: &'static str,
    lines: Result<Vec<Bytes>, Error>,
    record: impl Fn(&Bytes) -> Result<T, Error>,
) -> Result<Listed<T>, Error> {
    let mut listed = Listed::default();
    let lines = listed.readable(list, lines)?.unwrap_or_default();
    for line in lines.iter().rev() {
        listed.add(list, record(line))?;
    }
    Ok(listed)
}
