//! Deleting jobs. Script: `lua/job/delete.lua`.

use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::job::AfterOn;
use tickwheel_core::time::TimestampMs;

use super::{changed, followers_of, no_job};
use crate::args::Args;
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

/// What became of a deletion that spares a job of which something has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum IdleDeletion {
    /// It is deleted.
    Deleted(Deleted),
    /// Something of it has begun; these contexts, up to 100, have not ended yet. Nothing was done.
    Begun(Vec<ContextId>),
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
    /// That of which something has begun.
    Begun,
}

/// What the calls of a deletion came to.
enum Calls {
    Deleted(Deleted),
    Followed(Vec<(JobName, AfterOn)>),
    Kept,
    Begun(Vec<ContextId>),
}

impl Calls {
    /// What nobody asked for.
    fn unasked(&self) -> Error {
        let word = match self {
            Self::Deleted(_) => "DELETED",
            Self::Followed(_) => "FOLLOWED",
            Self::Kept => "KEPT",
            Self::Begun(_) => "BEGUN",
        };
        Error::contract(DELETE_JOB.name(), word)
    }
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
        self.delete_whole(job, Sparing::Nothing, None).await
    }

    /// The same, only while it has `revision`; one whose deletion began is deleted all the same. `None`: whatever it has.
    ///
    /// # Errors
    /// As [`Store::delete_job`], and [`Error::Changed`]; then nothing was written.
    pub async fn delete_job_if(
        &self,
        job: &JobName,
        revision: Option<u64>,
    ) -> Result<Deleted, Error> {
        self.delete_whole(job, Sparing::Nothing, revision).await
    }

    /// The same, unless other jobs follow it.
    ///
    /// # Errors
    /// As [`Store::delete_job_if`].
    pub async fn delete_job_alone(
        &self,
        job: &JobName,
        revision: Option<u64>,
    ) -> Result<Deletion, Error> {
        match self.delete(job, Sparing::Followed, revision).await? {
            Calls::Deleted(deleted) => Ok(Deletion::Deleted(deleted)),
            Calls::Followed(followers) => Ok(Deletion::Followed(followers)),
            other @ (Calls::Kept | Calls::Begun(_)) => Err(other.unasked()),
        }
    }

    /// Deletes `job`, whoever follows it, unless one of its contexts runs; a `once` job also not when one ran before, ended or not. When it is
    /// deleted and nothing goes on, it fires no more from then on, and a `once` job never did.
    ///
    /// # Errors
    /// As [`Store::delete_job`].
    pub async fn delete_idle_job(&self, job: &JobName) -> Result<IdleDeletion, Error> {
        match self.delete(job, Sparing::Begun, None).await? {
            Calls::Deleted(deleted) => Ok(IdleDeletion::Deleted(deleted)),
            Calls::Begun(ids) => Ok(IdleDeletion::Begun(ids)),
            other @ (Calls::Kept | Calls::Followed(_)) => Err(other.unasked()),
        }
    }

    /// Deletes a finished `once` job that no other one follows and that nothing happened to since `before`; answers whether it was one. It
    /// looks again in the call that begins, so one that runs once more stays.
    ///
    /// # Errors
    /// As [`Store::delete_job`].
    pub async fn forget_job(&self, job: &JobName, before: TimestampMs) -> Result<bool, Error> {
        match self.delete(job, Sparing::NotOver(before), None).await? {
            Calls::Deleted(_) => Ok(true),
            Calls::Kept => Ok(false),
            other @ (Calls::Followed(_) | Calls::Begun(_)) => Err(other.unasked()),
        }
    }

    /// Goes on with a deletion that began; a job that is not being deleted stays.
    ///
    /// # Errors
    /// [`Error::NotFound`] when none began, or it is over; [`Error::Unavailable`]: repeat.
    pub(crate) async fn finish_deletion(&self, job: &JobName) -> Result<Deleted, Error> {
        self.delete_whole(job, Sparing::NotBegun, None).await
    }

    async fn delete_whole(
        &self,
        job: &JobName,
        sparing: Sparing,
        revision: Option<u64>,
    ) -> Result<Deleted, Error> {
        match self.delete(job, sparing, revision).await? {
            Calls::Deleted(deleted) => Ok(deleted),
            other @ (Calls::Kept | Calls::Followed(_) | Calls::Begun(_)) => Err(other.unasked()),
        }
    }

    async fn delete(
        &self,
        job: &JobName,
        sparing: Sparing,
        revision: Option<u64>,
    ) -> Result<Calls, Error> {
        let over_ms = match sparing {
            Sparing::NotOver(before) => Some(before.as_u64()),
            Sparing::Nothing | Sparing::NotBegun | Sparing::Followed | Sparing::Begun => None,
        };
        let mut cancelled = 0;
        loop {
            let args = Args::new()
                .with("job", job.as_str())
                .with_flag("resume", matches!(sparing, Sparing::NotBegun))
                .with_flag("alone", matches!(sparing, Sparing::Followed))
                .with_optional_number("over_ms", over_ms)
                .with_optional_number("if_revision", revision)
                .with_flag("idle", matches!(sparing, Sparing::Begun))
                .alone();
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
                "CHANGED" => return Err(changed(job, reply.number()?)),
                "KEPT" => return Ok(Calls::Kept),
                "BEGUN" => {
                    let mut ids = Vec::with_capacity(reply.len());
                    while !reply.is_empty() {
                        // One that is no id is no context of the job.
                        ids.extend(reply.text()?.parse());
                    }
                    return Ok(Calls::Begun(ids));
                }
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
