//! Contexts: submitting, finding, cancelling, running again.

use tickwheel_core::Task;
use tickwheel_proto::v1;

use crate::call::{Client, Repeat};
use crate::error::Error;
use crate::run::Run;
use crate::submission::Submission;

/// Whose dedup keys are meant: each job has its own for its runs, and each namespace its own for what is submitted into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOf<'a> {
    /// What was submitted without a namespace: into `default`.
    Submitted,
    /// What was submitted into this namespace.
    SubmittedTo(&'a str),
    /// Runs of this job that were asked for.
    Job(&'a str),
}

impl Client {
    /// Submits a task, due at once and with the defaults of every option; [`Client::send`] takes one that says more.
    ///
    /// # Errors
    /// As [`Client::send`], and [`Error::Json`] when the task cannot be written.
    pub async fn submit<T: Task>(&self, task: &T) -> Result<Run<T>, Error> {
        self.send(Submission::of(task)?).await
    }

    /// Submits one context. It is in the store when this returns.
    ///
    /// # Errors
    /// [`Error::Refused`] with every rule that it breaks; [`Error::Unavailable`]: unless it has a key, or was never sent, nobody knows whether
    /// it was accepted.
    pub async fn send<T>(&self, submission: Submission<T>) -> Result<Run<T>, Error> {
        let submitted = self.submit_all([submission]).await?;
        let one = submitted
            .into_iter()
            .next()
            .ok_or_else(|| tonic::Status::internal("the tracker answered without a context"))?;
        Ok(Run::new(self.clone(), one))
    }

    /// Submits 1 to 1,000 contexts in one call; the answers are in their order. Either all of a partition are accepted or none.
    ///
    /// # Errors
    /// As [`Client::send`]; it is made again only if all of them have a key.
    pub async fn submit_all<I>(&self, submissions: I) -> Result<Vec<v1::Submitted>, Error>
    where
        I: IntoIterator,
        I::Item: Into<v1::Submission>,
    {
        let contexts: Vec<v1::Submission> = submissions.into_iter().map(Into::into).collect();
        let repeat = repeat_if(contexts.iter().all(|one| !one.dedup_key.is_empty()));
        let request = v1::SubmitRequest { contexts };
        let answer = self
            .call(repeat, request, async |mut api, r| api.submit(r).await)
            .await?;
        Ok(answer.contexts)
    }

    /// The context that a key of the caller's stands for.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn find(&self, dedup_key: &str, of: KeyOf<'_>) -> Result<v1::Context, Error> {
        let (job, namespace) = match of {
            KeyOf::Submitted => ("", ""),
            KeyOf::SubmittedTo(namespace) => ("", namespace),
            KeyOf::Job(job) => (job, ""),
        };
        let request = v1::FindContextRequest {
            dedup_key: dedup_key.to_owned(),
            job: job.to_owned(),
            namespace: namespace.to_owned(),
        };
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.find_context(r).await
        })
        .await
    }

    /// A page of contexts, over all partitions: what has not ended, and behind it what has, the newest end first.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn list(
        &self,
        request: v1::ListContextsRequest,
    ) -> Result<v1::ListContextsResponse, Error> {
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.list_contexts(r).await
        })
        .await
    }

    /// One context.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn get(&self, id: &str) -> Result<v1::Context, Error> {
        self.call(Repeat::Harmless, context(id), async |mut api, r| {
            api.get_context(r).await
        })
        .await
    }

    /// Where a context stands, and why, in words.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn explain(&self, id: &str) -> Result<v1::ExplainContextResponse, Error> {
        self.call(Repeat::Harmless, context(id), async |mut api, r| {
            api.explain_context(r).await
        })
        .await
    }

    /// A page of a context's log, from a cursor of an earlier one; empty: from the oldest line.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn log(&self, id: &str, cursor: &str) -> Result<v1::GetLogResponse, Error> {
        let request = v1::GetLogRequest {
            context_id: id.to_owned(),
            cursor: cursor.to_owned(),
        };
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.get_log(r).await
        })
        .await
    }

    /// Cancels a context wherever it is: one that waits has ended when this returns, one that runs is told through its worker.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn cancel(&self, id: &str) -> Result<v1::Context, Error> {
        let answer = self
            .call(Repeat::Harmless, context(id), async |mut api, r| {
                api.cancel_context(r).await
            })
            .await?;
        Ok(answer.context.unwrap_or_default())
    }

    /// Lets an ended context run again.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn retry(&self, id: &str) -> Result<v1::Context, Error> {
        self.call(Repeat::Unsent, context(id), async |mut api, r| {
            api.retry_context(r).await
        })
        .await
    }

    /// A page of the subtasks of a split context.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn subtasks(
        &self,
        request: v1::ListSubtasksRequest,
    ) -> Result<v1::ListSubtasksResponse, Error> {
        self.call(Repeat::Harmless, request, async |mut api, r| {
            api.list_subtasks(r).await
        })
        .await
    }
}

pub(crate) fn repeat_if(harmless: bool) -> Repeat {
    if harmless {
        Repeat::Harmless
    } else {
        Repeat::Unsent
    }
}

fn context(id: &str) -> v1::ContextRef {
    v1::ContextRef { id: id.to_owned() }
}
