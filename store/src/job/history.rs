//! What became of a job's due times and contexts: plain reads of its two lists.

use bytes::Bytes;
use fred::interfaces::ListInterface;
use tickwheel_core::id::JobName;
use tickwheel_core::ledger::LedgerRecord;

use crate::error::Error;
use crate::record::Settled;
use crate::store::Store;

impl Store {
    /// The newest `limit` records of the ledger of `job`, the newest first. Empty when there is no such job.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn ledger(&self, job: &JobName, limit: u32) -> Result<Vec<LedgerRecord>, Error> {
        let lines = self
            .newest(self.keys.ledger(self.partition_of_job(job), job), limit)
            .await?;
        let record = |line: Bytes| {
            let text = String::from_utf8_lossy(&line).into_owned();
            text.parse()
                .map_err(|_| Error::contract("record/ledger", text))
        };
        lines.into_iter().rev().map(record).collect()
    }

    /// The newest `limit` ended contexts of `job`, the newest first. Empty when there is no such job.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn runs(&self, job: &JobName, limit: u32) -> Result<Vec<Settled>, Error> {
        let lines = self
            .newest(self.keys.runs(self.partition_of_job(job), job), limit)
            .await?;
        lines
            .iter()
            .rev()
            .map(|line| Settled::parse(line))
            .collect()
    }

    async fn newest(&self, key: String, limit: u32) -> Result<Vec<Bytes>, Error> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let read = self.redis.plain().lrange(key, -i64::from(limit), -1).await;
        read.map_err(|error| Error::from_redis("lrange", error, ToOwned::to_owned))
    }
}
