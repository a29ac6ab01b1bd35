//! The three operations: from what was asked to what is answered.

use tickwheel_core::Durability;

use super::callback::Callback;
use super::envelope::{Code, Data, Refused, in_a_line};
use super::request;
use super::uuid::uuid;
use crate::config::Xcron;
use crate::error::Error;
use crate::rpc::error::{ErrorCode, code_of, violations_of};
use crate::rpc::scheduler::{Calls, NewTask, TaskId, TaskTime, Tries};

const SECOND_MS: u64 = 1_000;

pub(super) async fn create(
    calls: &Calls<'_>,
    settings: &Xcron,
    body: &[u8],
    durability: Option<Durability>,
) -> Result<Data, Refused> {
    let wanted = request::create(body, &settings.zone, &settings.guard)?;
    let task_id = uuid(rand::random());
    let id = TaskId::new(&task_id).map_err(|wrong| Refused::request(&wrong.into()))?;
    let tries = Tries {
        most: settings.max_attempts,
        delay: settings.retry_delay,
    };
    let task = NewTask::new(&id, wanted.time, wanted.call, tries);
    match calls.create_task(task, durability).await {
        Ok(()) => Ok(Data::Created { task_id }),
        Err(error) => Err(not_created(&error, &task_id)),
    }
}

fn not_created(error: &Error, task_id: &str) -> Refused {
    let refused = Refused::of(error);
    match code_of(error) {
        ErrorCode::Invalid => {
            let wrong = violations_of(error).cloned().unwrap_or_default();
            let is_past = wrong.iter().all(|one| one.field == "format");
            let code = if is_past { Code::Past } else { Code::NotAdded };
            Refused::new(code, in_a_line(&wrong))
        }
        ErrorCode::Exhausted if matches!(error, Error::Store(_) | Error::NoRoom(_)) => {
            Refused::new(Code::NotAdded, refused.message)
        }
        ErrorCode::NotFound | ErrorCode::Conflict | ErrorCode::Changed => {
            Refused::new(Code::NotAdded, refused.message)
        }
        // It may have been written.
        ErrorCode::Unavailable | ErrorCode::Unconfirmed => {
            let message = format!(
                "{}; whether there is a task is told by queryTask of {task_id}",
                refused.message
            );
            Refused::new(refused.code, message)
        }
        ErrorCode::Exhausted
        | ErrorCode::Unauthenticated
        | ErrorCode::Denied
        | ErrorCode::Contract
        | ErrorCode::Damaged
        | ErrorCode::Unusable => refused,
    }
}

pub(super) async fn delete(
    calls: &Calls<'_>,
    body: &[u8],
    durability: Option<Durability>,
) -> Result<Data, Refused> {
    let (task_id, id) = request::named(body)?;
    match calls.delete_task(id, durability).await {
        Ok(()) => Ok(Data::None),
        Err(error) => Err(not_there(&error, &task_id)),
    }
}

pub(super) async fn query(calls: &Calls<'_>, query: &str) -> Result<Data, Refused> {
    let (task_id, id) = request::asked(query)?;
    let task = calls.query_task(id).await;
    let task = task.map_err(|error| not_there(&error, &task_id))?;
    let (kind, format) = match task.time {
        TaskTime::Crontab { expression, .. } => (1, expression),
        TaskTime::Once { at_s } => (2, at_s.to_string()),
    };
    Ok(Data::Task {
        task_id,
        create_time: (task.created.as_u64() / SECOND_MS).to_string(),
        kind,
        format,
        run_count: task.runs,
        callback: Callback::read(&task.call),
    })
}

/// Why nothing was done with a task that was named.
fn not_there(error: &Error, task_id: &str) -> Refused {
    let refused = Refused::of(error);
    match code_of(error) {
        ErrorCode::NotFound => Refused::new(Code::NotFound, format!("there is no task {task_id}")),
        ErrorCode::Conflict | ErrorCode::Changed => Refused::new(
            Code::NotFound,
            format!("task {task_id}: {}", refused.message),
        ),
        // Of one task, that is no matter of how much is asked.
        ErrorCode::Exhausted => Refused::new(Code::Unavailable, refused.message),
        ErrorCode::Invalid
        | ErrorCode::Unauthenticated
        | ErrorCode::Denied
        | ErrorCode::Unavailable
        | ErrorCode::Unconfirmed
        | ErrorCode::Contract
        | ErrorCode::Damaged
        | ErrorCode::Unusable => refused,
    }
}
