//! Jobs: registering, reading, running, and what became of their due times.

use tickwheel_core::TimestampMs;
use tickwheel_proto::v1;

use crate::call::{Client, Repeat};
use crate::contexts::repeat_if;
use crate::error::Error;

impl Client {
    /// Registers or changes jobs. One that is as it was changes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] with all mistakes of all jobs; then nothing is written. As [`Client::call`].
    pub async fn apply<I>(&self, jobs: I) -> Result<Vec<v1::AppliedJob>, Error>
    where
        I: IntoIterator,
        I::Item: Into<v1::JobSpec>,
    {
        self.apply_as(jobs, false).await
    }

    /// Says what [`Client::apply`] would do, and writes nothing.
    ///
    /// # Errors
    /// As [`Client::apply`].
    pub async fn plan<I>(&self, jobs: I) -> Result<Vec<v1::AppliedJob>, Error>
    where
        I: IntoIterator,
        I::Item: Into<v1::JobSpec>,
    {
        self.apply_as(jobs, true).await
    }

    async fn apply_as<I>(&self, jobs: I, dry_run: bool) -> Result<Vec<v1::AppliedJob>, Error>
    where
        I: IntoIterator,
        I::Item: Into<v1::JobSpec>,
    {
        let jobs = jobs.into_iter().map(Into::into).collect();
        let request = v1::ApplyJobsRequest {
            jobs,
            dry_run,
            ..v1::ApplyJobsRequest::default()
        };
        let answer = self
            .call(Repeat::Harmless, request, async |mut api, r| {
                api.apply_jobs(r).await
            })
            .await?;
        Ok(answer.jobs)
    }

    /// Registers or changes one job, only from `revision` to the next; 0: only where there is none of its name. One that is as it shall be already
    /// is left as it is.
    ///
    /// # Errors
    /// As [`Client::apply`], and a refusal of the kind [`RefusalKind::Changed`](crate::RefusalKind::Changed) where it has another one.
    pub async fn apply_if(
        &self,
        job: impl Into<v1::JobSpec>,
        revision: u64,
    ) -> Result<v1::AppliedJob, Error> {
        let request = v1::ApplyJobsRequest {
            jobs: vec![job.into()],
            if_revision: Some(revision),
            ..v1::ApplyJobsRequest::default()
        };
        let answer = self
            .call(Repeat::Harmless, request, async |mut api, r| {
                api.apply_jobs(r).await
            })
            .await?;
        Ok(answer.jobs.into_iter().next().unwrap_or_default())
    }

    /// A page of the registered jobs.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn list_jobs(
        &self,
        request: v1::ListJobsRequest,
    ) -> Result<v1::ListJobsResponse, Error> {
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.list_jobs(r).await
        })
        .await
    }

    /// One job.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn get_job(&self, name: &str) -> Result<v1::Job, Error> {
        self.call(Repeat::Harmless, reference(name), async |mut api, r| {
            api.get_job(r).await
        })
        .await
    }

    /// Lets a job not fire until it is resumed; `note` says why.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn pause_job(&self, name: &str, note: &str) -> Result<v1::Job, Error> {
        let request = v1::PauseJobRequest {
            name: name.to_owned(),
            note: note.to_owned(),
        };
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.pause_job(r).await
        })
        .await
    }

    /// Lets a paused job fire again.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn resume_job(&self, name: &str) -> Result<v1::Job, Error> {
        self.call(Repeat::Harmless, reference(name), async |mut api, r| {
            api.resume_job(r).await
        })
        .await
    }

    /// Deletes a job; one that others follow only with `force`.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn delete_job(
        &self,
        name: &str,
        force: bool,
    ) -> Result<v1::DeleteJobResponse, Error> {
        self.delete_job_as(v1::DeleteJobRequest {
            name: name.to_owned(),
            force,
            ..v1::DeleteJobRequest::default()
        })
        .await
    }

    /// The same, only while it has `revision`.
    ///
    /// # Errors
    /// As [`Client::call`], and a refusal of the kind [`RefusalKind::Changed`](crate::RefusalKind::Changed) where it has another one.
    pub async fn delete_job_if(
        &self,
        name: &str,
        force: bool,
        revision: u64,
    ) -> Result<v1::DeleteJobResponse, Error> {
        self.delete_job_as(v1::DeleteJobRequest {
            name: name.to_owned(),
            force,
            if_revision: Some(revision),
        })
        .await
    }

    async fn delete_job_as(
        &self,
        request: v1::DeleteJobRequest,
    ) -> Result<v1::DeleteJobResponse, Error> {
        self.call(Repeat::Unsent, request, async |mut api, r| {
            api.delete_job(r).await
        })
        .await
    }

    /// Runs a job now, as its overlap policy lets it.
    ///
    /// # Errors
    /// As [`Client::call`]; it is made again only if it has a key.
    pub async fn run_job(&self, request: v1::RunJobRequest) -> Result<v1::Submitted, Error> {
        let repeat = repeat_if(!request.dedup_key.is_empty());
        self.call(repeat, request, async |mut api, r| api.run_job(r).await)
            .await
    }

    /// When a job, or one that is not registered yet, would be due.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn preview_job(
        &self,
        request: v1::PreviewJobRequest,
    ) -> Result<v1::PreviewJobResponse, Error> {
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.preview_job(r).await
        })
        .await
    }

    /// What became of a job's due times, the newest first, `limit` at most (100,000).
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn ledger(&self, name: &str, limit: u32) -> Result<v1::GetLedgerResponse, Error> {
        let request = v1::GetLedgerRequest {
            name: name.to_owned(),
            limit,
            ..v1::GetLedgerRequest::default()
        };
        self.ledger_page(request).await
    }

    /// A page of what became of a job's due times, the newest first: of some time, with some verdicts.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn ledger_page(
        &self,
        request: v1::GetLedgerRequest,
    ) -> Result<v1::GetLedgerResponse, Error> {
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.get_ledger(r).await
        })
        .await
    }

    /// How a job fared: its due times and runs in numbers, over time.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn job_stats(&self, request: v1::GetJobStatsRequest) -> Result<v1::JobStats, Error> {
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.get_job_stats(r).await
        })
        .await
    }

    /// What became of one due time of a job, in words.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn explain_job(
        &self,
        name: &str,
        at: TimestampMs,
    ) -> Result<v1::ExplainJobResponse, Error> {
        let request = v1::ExplainJobRequest {
            name: name.to_owned(),
            at_ms: at.as_u64(),
        };
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.explain_job(r).await
        })
        .await
    }
}

fn reference(name: &str) -> v1::JobRef {
    v1::JobRef {
        name: name.to_owned(),
    }
}
