//! Reading, cancelling, retrying and awaiting contexts.

use std::time::Duration;

use tickwheel_core::Durability;
use tickwheel_core::error::Violation;
use tickwheel_core::id::{ContextId, DedupKey};
use tickwheel_core::run::ContextState;
use tickwheel_proto::convert::namespace_of;
use tickwheel_proto::v1;
use tickwheel_store::Cancelled;
use tickwheel_store::context::ContextView;
use tickwheel_store::wheel::KeyOwner;
use tokio::time::Instant;

use super::call::Call;
use super::given::{context_id, job_name};
use super::{lists, subtasks, views};
use crate::error::Error;
use crate::outcomes::WAITS_MAX;
use crate::rpc::api::ApiContext;

const WAIT_DEFAULT_MS: u64 = 30_000;
const WAIT_MAX_MS: u64 = 600_000;
/// Where the log of a context begins that has none.
const NO_LOG: &str = "0";
/// A context that is waited for is read again after this, whatever was told.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);
/// The same of a subtask, whose end is told by its root.
const LOOK_AT_SUBTASK: Duration = Duration::from_secs(1);

pub(super) async fn existing(api: &ApiContext, id: &ContextId) -> Result<ContextView, Error> {
    let view = api.store.get_context(id).await?;
    view.ok_or_else(|| Error::not_found("context", id.as_str()))
}

pub(super) async fn get(api: &ApiContext, request: v1::ContextRef) -> Result<v1::Context, Error> {
    whole(api, existing(api, &context_id(&request.id)?).await?).await
}

/// A context with all that there is to say of it.
async fn whole(api: &ApiContext, view: ContextView) -> Result<v1::Context, Error> {
    api.matching.learn(std::slice::from_ref(&view)).await;
    let fan = subtasks::of(api, &view).await?;
    Ok(v1::Context {
        fan,
        ..views::context(api, view)
    })
}

/// The context that a caller's own key stands for.
pub(super) async fn find(
    call: &Call<'_>,
    request: v1::FindContextRequest,
) -> Result<v1::Context, Error> {
    let key = DedupKey::new(&request.dedup_key)?;
    let job = match request.job.as_str() {
        "" => None,
        job => Some(job_name(job).map_err(|_| bad_job(job))?),
    };
    let namespace = namespace_of(&request.namespace)?;
    let owner = match &job {
        Some(_) if !request.namespace.is_empty() => {
            let rule = "is not given beside a job, whose name has one";
            return Err(Violation::new("namespace", rule, request.namespace).into());
        }
        Some(job) => KeyOwner::Job(job),
        None => KeyOwner::Namespace(&namespace),
    };
    let found = call.store.context_of_key(&key, owner).await?;
    let none = || Error::not_found("dedup key", key.as_str());
    let view = existing(call, &found.ok_or_else(none)?).await?;
    if !view.is_in(call.caller.sight()) {
        return Err(none());
    }
    whole(call, view).await
}

pub(super) async fn log(
    call: &Call<'_>,
    request: v1::GetLogRequest,
) -> Result<v1::GetLogResponse, Error> {
    let id = context_id(&request.context_id)?;
    if is_hidden(call, &id).await? {
        // As the log of a context that there is not.
        return Ok(v1::GetLogResponse {
            cursor: NO_LOG.to_owned(),
            ..v1::GetLogResponse::default()
        });
    }
    let page = call.store.log(&id, &request.cursor).await?;
    Ok(v1::GetLogResponse {
        lines: page.lines.into_iter().map(views::log_line).collect(),
        cursor: page.cursor,
        lost: page.lost,
    })
}

/// Whether a context is there, and its caller does not see it.
async fn is_hidden(call: &Call<'_>, id: &ContextId) -> Result<bool, Error> {
    let sight = call.caller.sight();
    if !sight.namespaces.matches(id.namespace()) {
        return Ok(true);
    }
    if !sight.asks_for_more() {
        return Ok(false);
    }
    let known = call.store.get_context(id).await?;
    Ok(known.is_none_or(|view| !view.is_in(sight)))
}

pub(super) async fn list(
    call: &Call<'_>,
    request: v1::ListContextsRequest,
) -> Result<v1::ListContextsResponse, Error> {
    lists::contexts(call, request).await
}

fn bad_job(given: &str) -> Violation {
    Violation::new("job", "is a job's name", given)
}

pub(super) async fn cancel(
    api: &ApiContext,
    request: v1::ContextRef,
    asked: Option<Durability>,
) -> Result<v1::CancelContextResponse, Error> {
    let id = context_id(&request.id)?;
    let store = api.durable(api.durability(id.namespace(), asked))?;
    // The end of a subtask is told by its root: it is not found afterwards.
    let subtask = match id.subtask() {
        Some(_) => api.store.get_context(&id).await?,
        None => None,
    };
    let cancelled = store.cancel_context(&id).await?;
    crash_point!("after_cancel_script");
    match (cancelled, subtask) {
        (Cancelled::Ended, Some(view)) => {
            let state = ContextState::Cancelled;
            Ok(v1::CancelContextResponse {
                context: Some(views::context(api, ContextView { state, ..view })),
            })
        }
        (Cancelled::Ended | Cancelled::Stopping | Cancelled::Running { .. }, _) => {
            let view = existing(api, &id).await?;
            Ok(v1::CancelContextResponse {
                context: Some(views::context(api, view)),
            })
        }
        (Cancelled::Nowhere, _) => {
            let view = existing(api, &id).await?;
            Err(Error::conflict(format!(
                "context `{id}` has ended: {}",
                view.state
            )))
        }
    }
}

pub(super) async fn retry(
    api: &ApiContext,
    request: v1::ContextRef,
    asked: Option<Durability>,
) -> Result<v1::Context, Error> {
    let id = context_id(&request.id)?;
    let store = api.durable(api.durability(id.namespace(), asked))?;
    let view = store.retry_context(&id).await?;
    Ok(views::context(api, view))
}

/// Answers when the context has ended, or at the time limit. Dropping the call ends the waiting.
pub(super) async fn wait(
    api: &ApiContext,
    request: v1::WaitContextRequest,
) -> Result<v1::Context, Error> {
    let id = context_id(&request.id)?;
    let limit = match request.timeout_ms {
        0 => WAIT_DEFAULT_MS,
        given if given <= WAIT_MAX_MS => given,
        given => {
            return Err(
                Violation::new("timeout_ms", format!("is at most {WAIT_MAX_MS}"), given).into(),
            );
        }
    };
    let until = Instant::now() + Duration::from_millis(limit);
    let wait = api.waits.begin(&id).await.ok_or_else(|| {
        Error::Busy(format!(
            "{WAITS_MAX} callers wait at this tracker: wait at another one, or read the context every few seconds"
        ))
    })?;
    let pause = match id.subtask() {
        Some(_) => LOOK_AT_SUBTASK,
        None => LOOK_ANYWAY,
    };
    loop {
        let told = wait.told();
        tokio::pin!(told);
        told.as_mut().enable();
        let view = existing(api, &id).await?;
        let now = Instant::now();
        if view.state.is_settled() || now >= until {
            return Ok(views::context(api, view));
        }
        // Told or not, it is read again.
        tokio::time::timeout_at((now + pause).min(until), told)
            .await
            .ok();
    }
}
