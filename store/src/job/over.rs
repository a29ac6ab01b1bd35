//! Which finished `once` jobs may be forgotten. Script: `lua/job/over.lua`.

use std::time::Duration;

use fred::types::Value;
use tickwheel_core::id::JobName;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;

use crate::error::Error;
use crate::reply::Reply;
use crate::script::JOBS_OVER;
use crate::store::Store;

/// Some jobs of a partition that are over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct OverPage {
    /// They have finished, no other job follows them, and by their own records nothing happened to them since `before`.
    pub jobs: Vec<JobName>,
    /// What to give [`Store::forget_job`].
    pub before: TimestampMs,
    /// Where the next page starts; `None`: this was the last.
    pub after: Option<String>,
}

impl Store {
    /// Looks at a page of the jobs of `partition`, behind the name `after`, for `once` jobs that finished and that nothing happened to for `keep`,
    /// a second to ten years.
    ///
    /// # Errors
    /// [`Error::NotFound`] when this cluster has no such partition; [`Error::Unavailable`] when Redis does not answer.
    pub async fn jobs_over(
        &self,
        partition: PartitionId,
        keep: Duration,
        after: Option<&str>,
    ) -> Result<OverPage, Error> {
        let partition = self.known(partition, &partition.to_string())?;
        let args = vec![
            Value::from(""),
            Value::from(keep.as_millis().to_string()),
            Value::from(after.unwrap_or_default()),
        ];
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(&JOBS_OVER, keys, args).await?;
        let mut reply = Reply::expect(JOBS_OVER.name(), value, "OVER")?;
        let before = TimestampMs::new(reply.number()?);
        let after = Some(reply.text()?).filter(|after| !after.is_empty());
        let mut jobs = Vec::with_capacity(reply.len());
        while !reply.is_empty() {
            // A name that is none cannot be deleted by it; a check names it.
            jobs.extend(JobName::new(&reply.text()?).ok());
        }
        Ok(OverPage {
            jobs,
            before,
            after,
        })
    }
}
