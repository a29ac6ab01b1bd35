//! Which jobs were planned with an older table of time zones. Script: `lua/job/zones.lua`.

use fred::types::Value;
use tickwheel_core::id::JobName;
use tickwheel_core::partition::PartitionId;

use crate::error::Error;
use crate::reply::Reply;
use crate::script::JOB_ZONES;
use crate::store::Store;

/// The plans of a partition, beside the edition of this store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum StalePlans {
    /// None is from an older edition.
    None,
    /// All are from this newer edition: this process has an old table.
    Newer(String),
    /// Some may be.
    Page {
        /// Active cron jobs whose plans are from an older edition.
        jobs: Vec<JobName>,
        /// Where the next page starts; `None`: this was the last.
        after: Option<String>,
    },
    /// All pages were planned anew, but another process planned with an older edition meanwhile.
    Again,
}

impl Store {
    /// One page of the jobs of `partition` that were planned with an older edition than [`Store::zones`], behind the name `after`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub async fn stale_plans(
        &self,
        partition: PartitionId,
        after: Option<&str>,
    ) -> Result<StalePlans, Error> {
        self.job_zones(partition, after.unwrap_or_default(), "0")
            .await
    }

    /// Notes that the jobs of all pages are planned anew.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer: the pages are gone through again.
    pub async fn plans_are_current(&self, partition: PartitionId) -> Result<StalePlans, Error> {
        self.job_zones(partition, "", "1").await
    }

    async fn job_zones(
        &self,
        partition: PartitionId,
        after: &str,
        done: &str,
    ) -> Result<StalePlans, Error> {
        let args = vec![
            Value::from(self.zones.as_str()),
            Value::from(after),
            Value::from(done),
        ];
        let keys = vec![self.keys.wheel(partition)];
        let value = self.redis.call(&JOB_ZONES, keys, args).await?;
        let (status, mut reply) = Reply::open(JOB_ZONES.name(), value)?;
        match status.as_str() {
            "CURRENT" => Ok(StalePlans::None),
            "NEWER" => Ok(StalePlans::Newer(reply.text()?)),
            "AGAIN" => Ok(StalePlans::Again),
            "STALE" => {
                let after = Some(reply.text()?).filter(|after| !after.is_empty());
                let mut jobs = Vec::with_capacity(reply.len());
                while !reply.is_empty() {
                    // A name that is none belongs to nothing that could be planned; a check names it.
                    jobs.extend(JobName::new(&reply.text()?).ok());
                }
                Ok(StalePlans::Page { jobs, after })
            }
            other => Err(Error::contract(JOB_ZONES.name(), other)),
        }
    }
}
