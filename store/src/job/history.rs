//! What became of a job's due times and contexts: plain reads of its two lists.

use bytes::Bytes;
use fred::interfaces::ListInterface;
use tickwheel_core::id::JobName;
use tickwheel_core::ledger::LedgerRecord;

use crate::error::Error;
use crate::listed::Listed;
use crate::record::Settled;
use crate::store::Store;

impl Store {
    /// The newest `limit` records of the ledger of `job`, the newest first. Empty when there is no such job.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn ledger(&self, job: &JobName, limit: u32) -> Result<Listed<LedgerRecord>, Error> {
        let lines = self
            .newest(self.keys.ledger(self.partition_of_job(job), job), limit)
            .await;
        let record = |line: &Bytes| {
            let text = String::from_utf8_lossy(line).into_owned();
            text.parse()
                .map_err(|_| Error::damaged("record/ledger", text))
        };
        newest_first("ledger", lines, record)
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
