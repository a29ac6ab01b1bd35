//! Jobs that wait for other jobs. Script: `lua/job/follow.lua`.

use fred::types::Value;
use tickwheel_core::id::JobName;
use tickwheel_core::job::AfterOn;

use crate::error::Error;
use crate::script::FOLLOW_JOB;
use crate::store::Store;

/// Followers of one job.
pub const FOLLOWERS_MAX: usize = 100;

impl Store {
    /// Has `follower` told of the ends of `upstream` from now on, or from when a job of that name is registered. Idempotent; another `on`
    /// replaces the one before.
    ///
    /// # Errors
    /// [`Error::Full`] when it has [`FOLLOWERS_MAX`] followers.
    pub async fn add_follower(
        &self,
        upstream: &JobName,
        follower: &JobName,
        on: AfterOn,
    ) -> Result<(), Error> {
        self.follow(upstream, follower, on.as_str()).await
    }

    /// Has `follower` no longer told. Idempotent.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: repeat.
    pub async fn remove_follower(
        &self,
        upstream: &JobName,
        follower: &JobName,
    ) -> Result<(), Error> {
        self.follow(upstream, follower, "").await
    }

    async fn follow(
        &self,
        upstream: &JobName,
        follower: &JobName,
        on: &'static str,
    ) -> Result<(), Error> {
        let args = vec![
            Value::from(upstream.as_str()),
            Value::from(follower.as_str()),
            Value::from(on),
        ];
        let (status, _) = self.call_job(&FOLLOW_JOB, upstream, args).await?;
        match status.as_str() {
            "FOLLOWED" => Ok(()),
            "FULL" => Err(followers_full(upstream)),
            other => Err(Error::contract(FOLLOW_JOB.name(), other)),
        }
    }
}

/// A job has so many followers that no other may be told of its ends.
#[must_use]
pub fn followers_full(upstream: &JobName) -> Error {
    Error::Full(format!(
        "job `{upstream}` has {FOLLOWERS_MAX} followers, and a job has at most so many: have some follow another one, or delete them"
    ))
}
