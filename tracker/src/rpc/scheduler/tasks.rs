//! Tasks of xcron: jobs of one namespace, one group and one handler, created and deleted by whoever may submit contexts there.
//!
//! Whoever may do that may register such a job and no other one: what a task is like is said here, and not by its caller.

use std::time::Duration;

use bytes::Bytes;
use tickwheel_core::Durability;
use tickwheel_core::error::Violation;
use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::job::Trigger;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_proto::v1::trigger::{Cron, Kind, Once};
use tickwheel_store::Store;
use tickwheel_store::job::{IdleDeletion, JobState, JobView};
use tokio::time::Instant;

use super::call::Call;
use super::payload::Payload;
use super::{apply, contexts};
use crate::error::Error;
use crate::rpc::error::{ErrorCode, code_of};

/// Where tasks are.
const NAMESPACE: &str = "xcron";
/// Whose workers make the callbacks.
const GROUP: &str = "xcron";
/// What makes them.
const HANDLER: &str = "http";
/// Characters of the name of a task. Those that are made here have 36.
const ID_CHARS_MAX: usize = 64;
/// A callback that is under way when its task is deleted has so long to end.
const STOPS_WITHIN: Duration = Duration::from_secs(10);
const SECOND_MS: u64 = 1_000;

/// The name of a task: what is behind the namespace of its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskId {
    job: JobName,
}

/// When a task is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TaskTime {
    /// By a crontab, in a zone.
    Crontab { expression: String, zone: String },
    /// Once, at a second since 1970.
    Once { at_s: u64 },
}

/// How often a callback is tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tries {
    /// In all.
    pub(crate) most: u32,
    /// Between two of them.
    pub(crate) delay: Duration,
}

/// A task as it shall be.
#[derive(Debug, Clone)]
pub(crate) struct NewTask {
    job: v1::JobSpec,
    at: Option<TimestampMs>,
}

/// A task that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// When it was created.
    pub(crate) created: TimestampMs,
    /// When it is due.
    pub(crate) time: TaskTime,
    /// How often it fired, by its time or otherwise.
    pub(crate) runs: u64,
    /// What its handler is given; empty for those who may not see it.
    pub(crate) call: Bytes,
}

impl TaskId {
    /// The name as given.
    ///
    /// # Errors
    /// A violation of the field `task_id`.
    pub(crate) fn new(given: &str) -> Result<Self, Violation> {
        let wrong = || {
            let rule = format!("has 1..={ID_CHARS_MAX} letters, digits and . _ -");
            Violation::new("task_id", rule, given)
        };
        if given.contains('/') || given.len() > ID_CHARS_MAX {
            return Err(wrong());
        }
        let job = JobName::new(format!("{NAMESPACE}/{given}")).map_err(|_| wrong())?;
        Ok(Self { job })
    }

    /// The name of its job.
    pub(crate) fn job(&self) -> &str {
        self.job.as_str()
    }
}

impl NewTask {
    /// A task whose handler is given `call`.
    pub(crate) fn new(id: &TaskId, time: TaskTime, call: Vec<u8>, tries: Tries) -> Self {
        let (kind, at) = match time {
            TaskTime::Crontab { expression, zone } => {
                let time_zone = zone;
                let cron = Cron {
                    expression,
                    time_zone,
                };
                (Kind::Cron(cron), None)
            }
            TaskTime::Once { at_s } => {
                let at_ms = at_s.saturating_mul(SECOND_MS);
                (Kind::Once(Once { at_ms }), Some(TimestampMs::new(at_ms)))
            }
        };
        let delay_ms = u64::try_from(tries.delay.as_millis()).unwrap_or(u64::MAX);
        let retry = v1::Retry {
            max_attempts: tries.most,
            delay_ms,
            ..v1::Retry::default()
        };
        let misfire = v1::Misfire {
            policy: v1::misfire::Policy::FireOnce.into(),
            ..v1::Misfire::default()
        };
        let job = v1::JobSpec {
            name: id.job().to_owned(),
            group: GROUP.to_owned(),
            handler: HANDLER.to_owned(),
            body: call.into(),
            trigger: Some(v1::Trigger { kind: Some(kind) }),
            misfire: Some(misfire),
            options: Some(v1::ContextOptions {
                retry: Some(retry),
                ..v1::ContextOptions::default()
            }),
            ..v1::JobSpec::default()
        };
        Self { job, at }
    }

    /// The job that it is.
    pub(super) fn job(&self) -> &v1::JobSpec {
        &self.job
    }
}

impl Task {
    /// The task that a job is; `None` of any other job, which somebody else put beside the tasks.
    fn of(view: JobView) -> Option<Self> {
        let spec = view.spec;
        let is_task = spec.group.as_str() == GROUP && spec.handler.as_str() == HANDLER;
        let time = match spec.trigger {
            Trigger::Cron {
                expression,
                time_zone,
            } => TaskTime::Crontab {
                expression,
                zone: time_zone,
            },
            Trigger::Once { at_ms } if at_ms.as_u64().is_multiple_of(SECOND_MS) => TaskTime::Once {
                at_s: at_ms.as_u64() / SECOND_MS,
            },
            Trigger::Once { .. }
            | Trigger::FixedRate { .. }
            | Trigger::FixedDelay { .. }
            | Trigger::Manual
            | Trigger::After { .. } => return None,
        };
        is_task.then(|| Self {
            created: view.created,
            time,
            runs: view.fired.saturating_add(view.manual),
            call: spec.body,
        })
    }
}

impl Payload for Task {
    fn hide(&mut self) {
        self.call.clear();
    }
}

fn none(id: &TaskId) -> Error {
    Error::not_found("job", id.job())
}

/// What is registered under the name of a task.
async fn view(call: &Call<'_>, id: &TaskId) -> Result<JobView, Error> {
    let view = call.store.get_job(&id.job).await?;
    view.ok_or_else(|| none(id))
}

pub(super) async fn create(
    call: &Call<'_>,
    task: NewTask,
    asked: Option<Durability>,
) -> Result<v1::ApplyJobsResponse, Error> {
    if let Some(at) = task.at {
        let now = call.store.time().await?.as_u64() / SECOND_MS;
        let at = at.as_u64() / SECOND_MS;
        // The second that goes on is not past.
        if at < now {
            let rule = format!("is not in the past: it is {now} by the clock of the cluster");
            return Err(Violation::new("format", rule, at).into());
        }
    }
    let request = v1::ApplyJobsRequest {
        jobs: vec![task.job],
        dry_run: false,
        ..v1::ApplyJobsRequest::default()
    };
    apply::apply(call, request, asked).await
}

pub(super) async fn query(call: &Call<'_>, id: TaskId) -> Result<Task, Error> {
    let view = view(call, &id).await?;
    if view.state == JobState::Deleting {
        return Err(none(&id));
    }
    Task::of(view).ok_or_else(|| none(&id))
}

/// Deletes a task, so that nothing is called any more from when this returns: in one script, and only while no callback of it is under way.
/// One that is meant to be made once is left as it is when that comes too late.
pub(super) async fn delete(
    call: &Call<'_>,
    id: TaskId,
    asked: Option<Durability>,
) -> Result<v1::DeleteJobResponse, Error> {
    let view = view(call, &id).await?;
    // A deletion that did not come to its end goes on.
    let goes_on = view.state == JobState::Deleting;
    let task = Task::of(view).filter(|_| !goes_on);
    if task.is_none() && !goes_on {
        return Err(none(&id));
    }
    let is_once = task.is_some_and(|task| matches!(task.time, TaskTime::Once { .. }));
    let store = call.durable(call.durability(NAMESPACE, asked))?;
    let until = Instant::now() + STOPS_WITHIN;
    loop {
        match store.delete_idle_job(&id.job).await? {
            IdleDeletion::Deleted(deleted) if deleted.running == 0 => {
                return Ok(v1::DeleteJobResponse {
                    cancelled: deleted.cancelled,
                    ..v1::DeleteJobResponse::default()
                });
            }
            IdleDeletion::Deleted(_) => return Err(still_called("it is deleted")),
            IdleDeletion::Begun(_) if is_once => {
                let why =
                    "it has fired: there is nothing left to delete, and it is forgotten by itself";
                return Err(Error::conflict(why));
            }
            IdleDeletion::Begun(running) => stop(call, &store, &running, until).await?,
        }
    }
}

/// Stops callbacks that are under way, and waits until they have ended.
async fn stop(
    call: &Call<'_>,
    store: &Store,
    running: &[ContextId],
    until: Instant,
) -> Result<(), Error> {
    for id in running {
        // Where it has ended meanwhile, there is nothing to do.
        drop(store.cancel_context(id).await?);
    }
    for id in running {
        let left = until.saturating_duration_since(Instant::now());
        let timeout_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        if timeout_ms == 0 {
            return Err(still_called("nothing was deleted"));
        }
        let wait = v1::WaitContextRequest {
            id: id.to_string(),
            timeout_ms,
        };
        match contexts::wait(call, wait).await {
            Err(error) if code_of(&error) != ErrorCode::NotFound => return Err(error),
            // What is not known any more has ended.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

fn still_called(what: &str) -> Error {
    Error::Busy(format!(
        "{what}; a callback that began before has not ended: try again in a moment"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_has_a_name_of_one_word() {
        for good in [
            "12345",
            "e2f4b4-0ffd-4eaf-8185-f",
            "a.b_c",
            &"x".repeat(ID_CHARS_MAX),
        ] {
            let id = TaskId::new(good).unwrap();
            assert_eq!(id.job(), format!("xcron/{good}"));
        }
        for wrong in [
            "",
            "a/b",
            "/",
            "..",
            "a b",
            "ä",
            "a\n",
            "a\0",
            &"x".repeat(ID_CHARS_MAX + 1),
        ] {
            let wrong = TaskId::new(wrong).unwrap_err();
            assert_eq!(wrong.field, "task_id");
        }
    }

    #[test]
    fn a_new_task_is_a_job_of_xcron_whatever_it_calls() {
        let tries = Tries {
            most: 1,
            delay: Duration::from_secs(1),
        };
        let id = TaskId::new("1").unwrap();
        let call = br#"{"url":"x"}"#.to_vec();
        let task = NewTask::new(
            &id,
            TaskTime::Once {
                at_s: 4_102_444_800,
            },
            call,
            tries,
        );
        let spec = tickwheel_core::job::JobSpec::try_from(task.job().clone()).unwrap();
        assert_eq!(spec.name.as_str(), "xcron/1");
        assert_eq!(
            (spec.group.as_str(), spec.handler.as_str()),
            ("xcron", "http")
        );
        assert_eq!(spec.options.retry.max_attempts, 1);
        assert_eq!(spec.check(), Ok(()));
    }
}
