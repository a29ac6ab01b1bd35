//! Jobs that wait for other jobs. Script: `lua/job/follow.lua`.

use fred::types::Value;
use tickwheel_core::id::JobName;
use tickwheel_core::job::AfterOn;

use crate::error::Error;
use crate::script::FOLLOW_JOB;
use crate::store::Store;

impl Store {
    /// Has `follower` told of the ends of `upstream` from now on, or from when a job of that name is registered. Idempotent; another `on`
    /// replaces the one before.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it has 100 followers.
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
            "FULL" => Err(Error::Conflict(format!(
                "job `{upstream}` has as many followers as it can have"
            ))),
            other => Err(Error::contract(FOLLOW_JOB.name(), other)),
        }
    }
}
