//! A caller of a tracker's `SchedulerService`.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_client::{Api, Builder, Error};
use tickwheel_core::job::JobSpec;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict};
use tickwheel_proto::v1;
use tonic::Status;

use super::secrets::{Secrets, Who};
use super::wait::until;

/// No call of a test waits longer, but for those that wait for an end.
const CALL_LIMIT: Duration = Duration::from_secs(20);

fn builder(url: &str, limit: Duration, secrets: Option<&Secrets>) -> Builder {
    let builder = tickwheel_client::Client::builder([url])
        .timeout(limit)
        .connect_timeout(limit)
        .tries(1);
    match secrets {
        Some(secrets) => builder
            .trust(secrets.trust(Who::Caller))
            .token_file(secrets.token(Who::Caller)),
        None => builder,
    }
}

/// A connection to one tracker. A call is made once: a test wants to see what becomes of it.
#[derive(Debug, Clone)]
pub struct Client {
    client: tickwheel_client::Client,
    /// The generated client, for calls that a test wants to make itself.
    pub raw: Api,
}

impl Client {
    /// Connects to `url`.
    ///
    /// # Errors
    /// When nothing listens there.
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_as(url, None).await
    }

    /// The same of who shows these, where there are any.
    ///
    /// # Errors
    /// When nothing listens there.
    pub async fn connect_as(url: &str, secrets: Option<&Secrets>) -> Result<Self> {
        let builder = builder(url, CALL_LIMIT, secrets);
        Self::of(builder.connect().await?)
    }

    /// A client that connects with its first call, and again after each failure, and shows these where there are any. No call
    /// waits longer than `limit`.
    ///
    /// # Errors
    /// When `url` is none.
    pub fn lazy(url: &str, limit: Duration, secrets: Option<&Secrets>) -> Result<Self> {
        Self::of(builder(url, limit, secrets).lazy()?)
    }

    fn of(client: tickwheel_client::Client) -> Result<Self> {
        let raw = client.api()?;
        Ok(Self { client, raw })
    }

    /// Registers jobs.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn apply(&mut self, specs: &[JobSpec]) -> Result<Vec<v1::AppliedJob>, Status> {
        self.client.apply(specs).await.map_err(Error::into_status)
    }

    /// One job.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn job(&mut self, name: &str) -> Result<v1::Job, Status> {
        self.client.get_job(name).await.map_err(Error::into_status)
    }

    /// Pauses a job.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn pause(&mut self, name: &str) -> Result<v1::Job, Status> {
        let paused = self.client.pause_job(name, "by a test").await;
        paused.map_err(Error::into_status)
    }

    /// Resumes a job.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn resume(&mut self, name: &str) -> Result<v1::Job, Status> {
        let resumed = self.client.resume_job(name).await;
        resumed.map_err(Error::into_status)
    }

    /// Deletes a job that no other one follows.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn delete(&mut self, name: &str) -> Result<v1::DeleteJobResponse, Status> {
        let deleted = self.client.delete_job(name, false).await;
        deleted.map_err(Error::into_status)
    }

    /// Runs a job now.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn run(&mut self, name: &str) -> Result<v1::Submitted, Status> {
        let request = v1::RunJobRequest {
            name: name.to_owned(),
            ..v1::RunJobRequest::default()
        };
        let submitted = self.client.run_job(request).await;
        submitted.map_err(Error::into_status)
    }

    /// All of a job's ledger, the oldest record first.
    ///
    /// # Errors
    /// As the tracker says, or when a record cannot be read.
    pub async fn ledger(&mut self, name: &str) -> Result<Vec<LedgerRecord>> {
        let records = self.client.ledger(name, 100_000).await?.records;
        let read = |record| {
            LedgerRecord::try_from(record)
                .map_err(|wrong| anyhow::anyhow!("ledger of {name}: {wrong:?}"))
        };
        records.into_iter().rev().map(read).collect()
    }

    /// Waits until `job` has fired `count` times, by its trigger or otherwise; answers with its ledger.
    ///
    /// # Errors
    /// When it has not after `limit`.
    pub async fn fired(
        &mut self,
        job: &str,
        count: usize,
        limit: Duration,
    ) -> Result<Vec<LedgerRecord>> {
        until(
            &format!("{job} has fired {count} times"),
            limit,
            async || {
                let records = self.ledger(job).await?;
                let fired = records
                    .iter()
                    .filter(|record| record.verdict == LedgerVerdict::Fired)
                    .count();
                ensure!(
                    fired >= count,
                    "it has fired {fired} times, its ledger ends with {:?}",
                    records.last()
                );
                Ok(records)
            },
        )
        .await
    }

    /// Waits until a job is in this state.
    ///
    /// # Errors
    /// When it is not after `limit`.
    pub async fn in_state(
        &mut self,
        job: &str,
        state: v1::JobState,
        limit: Duration,
    ) -> Result<v1::Job> {
        until(
            &format!("{job} is {}", state.as_str_name()),
            limit,
            async || {
                let view = self.job(job).await?;
                ensure!(
                    view.state() == state,
                    "it is {}",
                    view.state().as_str_name()
                );
                Ok(view)
            },
        )
        .await
    }

    /// Submits contexts; answers with their ids.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn submit(&mut self, contexts: Vec<v1::Submission>) -> Result<Vec<String>, Status> {
        let submitted = self.client.submit_all(contexts).await;
        let submitted = submitted.map_err(Error::into_status)?;
        Ok(submitted.into_iter().map(|one| one.id).collect())
    }

    /// Submits one context; answers with its id.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn submit_one(&mut self, context: v1::Submission) -> Result<String> {
        let ids = self.submit(vec![context]).await?;
        ids.into_iter().next().context("an answer without an id")
    }

    /// One context.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn context(&mut self, id: &str) -> Result<v1::Context, Status> {
        self.client.get(id).await.map_err(Error::into_status)
    }

    /// Cancels a context.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn cancel(&mut self, id: &str) -> Result<v1::Context, Status> {
        self.client.cancel(id).await.map_err(Error::into_status)
    }

    /// Waits until a context has ended, or 15 s are over; answers with it either way.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn end_of(&mut self, id: &str) -> Result<v1::Context, Status> {
        let request = v1::WaitContextRequest {
            id: id.to_owned(),
            timeout_ms: 15_000,
        };
        Ok(self.raw.wait_context(request).await?.into_inner())
    }
}
