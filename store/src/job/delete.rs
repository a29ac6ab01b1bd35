//! Deleting jobs. Script: `lua/job/delete.lua`.

use fred::types::Value;
use tickwheel_core::id::JobName;
use tickwheel_core::job::AfterOn;

use super::{followers_of, no_job};
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

/// What became of a deletion that spares a job that others follow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Deletion {
    /// It is deleted.
    Deleted(Deleted),
    /// These jobs follow it, by what it says of itself; nothing was done.
    Followed(Vec<(JobName, AfterOn)>),
}

impl Store {
    /// Deletes `job` with its ledger, its runs and its contexts that have not started.
    ///
    /// When the future is dropped, or fails, half way, the job is in state `deleting`: repeat. The caller takes an `after` job from its
    /// upstream ([`Store::remove_follower`]). Jobs that follow it wait until one of its name is registered.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such job; [`Error::Unavailable`]: repeat.
    pub async fn delete_job(&self, job: &JobName) -> Result<Deleted, Error> {
        match self.delete(job, "0", "0").await? {
            Deletion::Deleted(deleted) => Ok(deleted),
            Deletion::Followed(_) => Err(Error::contract(DELETE_JOB.name(), "FOLLOWED")),
        }
    }

    /// The same, unless other jobs follow it.
    ///
    /// # Errors
    /// As [`Store::delete_job`].
    pub async fn delete_job_alone(&self, job: &JobName) -> Result<Deletion, Error> {
        self.delete(job, "0", "1").await
    }

    /// Goes on with a deletion that began; a job that is not being deleted stays.
    ///
    /// # Errors
    /// [`Error::NotFound`] when none began, or it is over; [`Error::Unavailable`]: repeat.
    pub(crate) async fn finish_deletion(&self, job: &JobName) -> Result<Deleted, Error> {
        match self.delete(job, "1", "0").await? {
            Deletion::Deleted(deleted) => Ok(deleted),
            Deletion::Followed(_) => Err(Error::contract(DELETE_JOB.name(), "FOLLOWED")),
        }
    }

    async fn delete(&self, job: &JobName, resume: &str, alone: &str) -> Result<Deletion, Error> {
        let mut cancelled = 0;
        loop {
            let args = vec![
                Value::from(""),
                Value::from(job.as_str()),
                Value::from(resume),
                Value::from(alone),
            ];
            let (status, mut reply) = self.call_job(&DELETE_JOB, job, args).await?;
            match status.as_str() {
                "MORE" => cancelled += reply.number()?,
                "DELETED" => {
                    cancelled += reply.number()?;
                    return Ok(Deletion::Deleted(Deleted {
                        cancelled,
                        running: reply.number()?,
                    }));
                }
                "FOLLOWED" => {
                    let mut followers = Vec::with_capacity(reply.len());
                    while !reply.is_empty() {
                        let text = reply.text()?;
                        let read = followers_of(&text);
                        followers
                            .extend(read.ok_or_else(|| Error::contract(DELETE_JOB.name(), text))?);
                    }
                    return Ok(Deletion::Followed(followers));
                }
                "NO_JOB" => return Err(no_job(job)),
                other => return Err(Error::contract(DELETE_JOB.name(), other)),
            }
        }
    }
}
