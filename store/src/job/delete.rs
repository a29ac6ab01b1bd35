//! Deleting jobs. Script: `lua/job/delete.lua`.

use fred::types::Value;
use tickwheel_core::id::JobName;

use super::no_job;
use crate::error::Error;
use crate::script::DELETE_JOB;
use crate::store::Store;

/// What became of a deleted job's contexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Deleted {
    /// Had not started and were cancelled.
    pub cancelled: u64,
    /// Go on running.
    pub running: u64,
}

impl Store {
    /// Deletes `job` with its ledger, its runs and its contexts that have not started.
    ///
    /// When the future is dropped, or fails, half way, the job is in state `deleting`: repeat. The caller takes an `after` job from its
    /// upstream ([`Store::remove_follower`]).
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such job; [`Error::Unavailable`]: repeat.
    pub async fn delete_job(&self, job: &JobName) -> Result<Deleted, Error> {
        self.delete(job, "0").await
    }

    /// Goes on with a deletion that began; a job that is not being deleted stays.
    ///
    /// # Errors
    /// [`Error::NotFound`] when none began, or it is over; [`Error::Unavailable`]: repeat.
    pub(crate) async fn finish_deletion(&self, job: &JobName) -> Result<Deleted, Error> {
        self.delete(job, "1").await
    }

    async fn delete(&self, job: &JobName, resume: &str) -> Result<Deleted, Error> {
        let mut cancelled = 0;
        loop {
            let args = vec![
                Value::from(""),
                Value::from(job.as_str()),
                Value::from(resume),
            ];
            let (status, mut reply) = self.call_job(&DELETE_JOB, job, args).await?;
            match status.as_str() {
                "MORE" => cancelled += reply.number()?,
                "DELETED" => {
                    cancelled += reply.number()?;
                    return Ok(Deleted {
                        cancelled,
                        running: reply.number()?,
                    });
                }
                "NO_JOB" => return Err(no_job(job)),
                other => return Err(Error::contract(DELETE_JOB.name(), other)),
            }
        }
    }
}
