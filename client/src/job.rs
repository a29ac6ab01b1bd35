//! A job of a task.

use tickwheel_core::{GroupName, HandlerName, JobName, JobSpec, Task, Trigger, Violation};
use tonic::Status;

use crate::error::{Error, Refusal, RefusalKind};

/// A job that submits `task` whenever `trigger` says, with every policy and option at its default.
///
/// # Errors
/// [`Error::Refused`] when a name breaks a rule, [`Error::Json`] when the task cannot be written.
pub fn job<T: Task>(name: &str, task: &T, trigger: Trigger) -> Result<JobSpec, Error> {
    let mut spec = JobSpec::new(
        JobName::new(name).map_err(refused)?,
        GroupName::new(T::GROUP).map_err(refused)?,
        HandlerName::new(T::HANDLER).map_err(refused)?,
        trigger,
    );
    let body = serde_json::to_vec(task).map_err(|source| Error::Json {
        what: format!("a body of `{}`", T::HANDLER),
        source,
    })?;
    spec.body = body.into();
    Ok(spec)
}

fn refused(broken: Violation) -> Error {
    let status = Status::invalid_argument(broken.to_string());
    Error::Refused(Box::new(Refusal {
        kind: RefusalKind::Invalid,
        message: "1 mistake in the job".to_owned(),
        violations: vec![broken],
        context_ids: Vec::new(),
        taken: Vec::new(),
        status,
    }))
}
