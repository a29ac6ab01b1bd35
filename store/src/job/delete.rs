//! Deleting jobs. Script: `lua/job/delete.lua`.

use fred::types::Value;
use tickwheel_core::id::JobName;
use tickwheel_core::job::AfterOn;
use tickwheel_core::time::TimestampMs;

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

/// What a deletion spares.
enum Sparing {
    Nothing,
    /// What is not being deleted already.
    NotBegun,
    /// What others follow.
    Followed,
    /// What is no finished `once` job, or something happened to since.
    NotOver(TimestampMs),
}

/// What the calls of a deletion came to.
enum Calls {
    Deleted(Deleted),
    Followed(Vec<(JobName, AfterOn)>),
    Kept,
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
        self.delete_whole(job, Sparing::Nothing).await
    }

    /// The same, unless other jobs follow it.
    ///
    /// # Errors
    /// As [`Store::delete_job`].
    pub async fn delete_job_alone(&self, job: &JobName) -> Result<Deletion, Error> {
        match self.delete(job, Sparing::Followed).await? {
            Calls::Deleted(deleted) => Ok(Deletion::Deleted(deleted)),
            Calls::Followed(followers) => Ok(Deletion::Followed(followers)),
            Calls::Kept => Err(Error::contract(DELETE_JOB.name(), "KEPT")),
        }
    }

    /// Deletes a finished `once` job that no other one follows and that nothing happened to since `before`; answers whether it was one. It
    /// looks again in the call that begins, so one that runs once more stays.
    ///
    /// # Errors
    /// As [`Store::delete_job`].
    pub async fn forget_job(&self, job: &JobName, before: TimestampMs) -> Result<bool, Error> {
        match self.delete(job, Sparing::NotOver(before)).await? {
            Calls::Deleted(_) => Ok(true),
            Calls::Kept => Ok(false),
            Calls::Followed(_) => Err(Error::contract(DELETE_JOB.name(), "FOLLOWED")),
        }
    }

    /// Goes on with a deletion that began; a job that is not being deleted stays.
    ///
    /// # Errors
    /// [`Error::NotFound`] when none began, or it is over; [`Error::Unavailable`]: repeat.
    pub(crate) async fn finish_deletion(&self, job: &JobName) -> Result<Deleted, Error> {
        self.delete_whole(job, Sparing::NotBegun).await
    }

    async fn delete_whole(&self, job: &JobName, sparing: Sparing) -> Result<Deleted, Error> {
        match self.delete(job, sparing).await? {
            Calls::Deleted(deleted) => Ok(deleted),
            Calls::Followed(_) => Err(Error::contract(DELETE_JOB.name(), "FOLLOWED")),
            Calls::Kept => Err(Error::contract(DELETE_JOB.name(), "KEPT")),
        }
    }

    async fn delete(&self, job: &JobName, sparing: Sparing) -> Result<Calls, Error> {
        let (begun, alone, over) = match sparing {
            Sparing::Nothing => ("0", "0", String::new()),
            Sparing::NotBegun => ("1", "0", String::new()),
            Sparing::Followed => ("0", "1", String::new()),
            Sparing::NotOver(before) => ("0", "0", before.as_u64().to_string()),
        };
        let mut cancelled = 0;
        loop {
            let args = vec![
                Value::from(""),
                Value::from(job.as_str()),
                Value::from(begun),
                Value::from(alone),
                Value::from(over.as_str()),
            ];
            let (status, mut reply) = self.call_job(&DELETE_JOB, job, args).await?;
            match status.as_str() {
                "MORE" => cancelled += reply.number()?,
                "DELETED" => {
                    cancelled += reply.number()?;
                    return Ok(Calls::Deleted(Deleted {
                        cancelled,
                        running: reply.number()?,
                    }));
                }
                "KEPT" => return Ok(Calls::Kept),
                "FOLLOWED" => {
                    let mut followers = Vec::with_capacity(reply.len());
                    while !reply.is_empty() {
                        let text = reply.text()?;
                        let read = followers_of(&text);
                        followers
                            .extend(read.ok_or_else(|| Error::contract(DELETE_JOB.name(), text))?);
                    }
                    return Ok(Calls::Followed(followers));
                }
                "NO_JOB" => return Err(no_job(job)),
                other => return Err(Error::contract(DELETE_JOB.name(), other)),
            }
        }
    }
}
