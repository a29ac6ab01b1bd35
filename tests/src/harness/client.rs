//! A caller of a tracker's `SchedulerService`.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tickwheel_core::job::JobSpec;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict};
use tickwheel_proto::v1;
use tickwheel_proto::v1::scheduler_service_client::SchedulerServiceClient;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use super::wait::until;

/// No call of a test waits longer, but for those that wait for an end.
const CALL_LIMIT: Duration = Duration::from_secs(20);
const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A connection to one tracker.
#[derive(Debug, Clone)]
pub struct Client {
    /// The generated client, for calls that a test wants to make itself.
    pub raw: SchedulerServiceClient<Channel>,
}

impl Client {
    /// Connects to `url`.
    ///
    /// # Errors
    /// When nothing listens there.
    pub async fn connect(url: &str) -> Result<Self> {
        let endpoint = Endpoint::from_shared(url.to_owned())?
            .connect_timeout(CALL_LIMIT)
            .timeout(CALL_LIMIT);
        let channel = endpoint
            .connect()
            .await
            .with_context(|| format!("connect to {url}"))?;
        let raw = SchedulerServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Self {
            raw: raw.max_encoding_message_size(MESSAGE_BYTES_MAX),
        })
    }

    /// A client that connects with its first call, and again after each failure. No call waits longer than `limit`.
    ///
    /// # Errors
    /// When `url` is none.
    pub fn lazy(url: &str, limit: Duration) -> Result<Self> {
        let endpoint = Endpoint::from_shared(url.to_owned())?
            .connect_timeout(limit)
            .timeout(limit);
        let raw = SchedulerServiceClient::new(endpoint.connect_lazy());
        Ok(Self {
            raw: raw.max_decoding_message_size(MESSAGE_BYTES_MAX),
        })
    }

    /// Registers jobs.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn apply(&mut self, specs: &[JobSpec]) -> Result<Vec<v1::AppliedJob>, Status> {
        let jobs = specs.iter().map(v1::JobSpec::from).collect();
        Ok(self
            .raw
            .apply_jobs(v1::ApplyJobsRequest {
                jobs,
                dry_run: false,
            })
            .await?
            .into_inner()
            .jobs)
    }

    /// One job.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn job(&mut self, name: &str) -> Result<v1::Job, Status> {
        Ok(self.raw.get_job(reference(name)).await?.into_inner())
    }

    /// Pauses a job.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn pause(&mut self, name: &str) -> Result<v1::Job, Status> {
        let request = v1::PauseJobRequest {
            name: name.to_owned(),
            note: "by a test".to_owned(),
        };
        Ok(self.raw.pause_job(request).await?.into_inner())
    }

    /// Resumes a job.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn resume(&mut self, name: &str) -> Result<v1::Job, Status> {
        Ok(self.raw.resume_job(reference(name)).await?.into_inner())
    }

    /// Deletes a job that no other one follows.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn delete(&mut self, name: &str) -> Result<v1::DeleteJobResponse, Status> {
        let request = v1::DeleteJobRequest {
            name: name.to_owned(),
            force: false,
        };
        Ok(self.raw.delete_job(request).await?.into_inner())
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
        Ok(self.raw.run_job(request).await?.into_inner())
    }

    /// All of a job's ledger, the oldest record first.
    ///
    /// # Errors
    /// As the tracker says, or when a record cannot be read.
    pub async fn ledger(&mut self, name: &str) -> Result<Vec<LedgerRecord>> {
        let request = v1::GetLedgerRequest {
            name: name.to_owned(),
            limit: 100_000,
        };
        let records = self.raw.get_ledger(request).await?.into_inner().records;
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
        let submitted = self
            .raw
            .submit(v1::SubmitRequest { contexts })
            .await?
            .into_inner()
            .contexts;
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
        Ok(self.raw.get_context(context(id)).await?.into_inner())
    }

    /// Cancels a context.
    ///
    /// # Errors
    /// As the tracker says.
    pub async fn cancel(&mut self, id: &str) -> Result<v1::CancelContextResponse, Status> {
        Ok(self.raw.cancel_context(context(id)).await?.into_inner())
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

fn reference(name: &str) -> v1::JobRef {
    v1::JobRef {
        name: name.to_owned(),
    }
}

fn context(id: &str) -> v1::ContextRef {
    v1::ContextRef { id: id.to_owned() }
}
