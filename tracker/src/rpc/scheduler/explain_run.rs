//! Where a run stands, and why, in words.

use tickwheel_core::access::Permission;
use tickwheel_core::run::ContextState;
use tickwheel_core::time::{TimestampMs, rough_span as span};
use tickwheel_proto::v1;
use tickwheel_store::context::ContextView;

use super::call::Call;
use super::contexts::existing;
use super::given::context_id;
use super::guard::has_job;
use super::{subtasks, views};
use crate::error::Error;

/// Earlier runs of its job that a queued run names.
const EARLIER_NAMED: usize = 3;

pub(super) async fn explain(
    call: &Call<'_>,
    request: v1::ContextRef,
) -> Result<v1::ExplainContextResponse, Error> {
    let view = existing(call, &context_id(&request.id)?).await?;
    call.matching.learn(std::slice::from_ref(&view)).await;
    let now = call.store.time().await?;
    let mut sentences = vec![was_due(&view, now)];
    sentences.extend(stands(call, &view, now).await?);
    sentences.extend(attempts(call, &view));
    let text = sentences.join(" ");
    Ok(v1::ExplainContextResponse { text })
}

fn was_due(view: &ContextView, now: TimestampMs) -> String {
    if view.due > now {
        format!(
            "It is due at {}, in {}.",
            view.due,
            span(view.due.ms_since(now))
        )
    } else {
        format!("It was due at {}.", view.due)
    }
}

/// What it does at present, or how it ended.
async fn stands(
    call: &Call<'_>,
    view: &ContextView,
    now: TimestampMs,
) -> Result<Option<String>, Error> {
    let worker = view
        .worker
        .as_ref()
        .map(|worker| format!(" on worker `{worker}`"))
        .unwrap_or_default();
    Ok(Some(match view.state {
        ContextState::Scheduled => return Ok(None),
        ContextState::Queued => queued(call, view).await?,
        ContextState::Ready => {
            let waits = now.ms_since(view.due.min(now));
            format!(
                "It has waited for {}: {}.",
                span(waits),
                views::waiting_reason(call, view)
            )
        }
        ContextState::Retrying => {
            let at = view.next_attempt.unwrap_or(now);
            let left = if at > now {
                format!(", in {}", span(at.ms_since(now)))
            } else {
                String::new()
            };
            format!(
                "Attempt {} did not succeed; the next one may start at {at}{left}.",
                view.attempt
            )
        }
        ContextState::Running => {
            let since = view.claimed.unwrap_or(now);
            let lease = view
                .lease_expires
                .map(|until| format!(", and its lease ends at {until} unless it is renewed"))
                .unwrap_or_default();
            let reason = views::waiting_reason(call, view);
            let stopped = if reason.is_empty() {
                String::new()
            } else {
                format!(" At present {reason}.")
            };
            format!(
                "Attempt {} runs{worker} since {since}, for {}{lease}.{stopped}",
                view.attempt,
                span(now.ms_since(since.min(now)))
            )
        }
        ContextState::WaitingForSubtasks => match subtasks::of(call, view).await? {
            Some(fan) => format!(
                "Its own attempt is over, and its subtasks are not: of {} there are {} running and {} waiting, {} succeeded and {} failed.",
                fan.total, fan.running, fan.waiting, fan.succeeded, fan.failed
            ),
            None => "Its own attempt is over, and its subtasks are not.".to_owned(),
        },
        ContextState::Expired => format!(
            "It expired{}: no worker started it by its start deadline.",
            at(view.ended)
        ),
        ContextState::Succeeded
        | ContextState::Failed
        | ContextState::TimedOut
        | ContextState::Cancelled => ended(call, view, &worker),
    }))
}

fn at(instant: Option<TimestampMs>) -> String {
    instant.map(|at| format!(" at {at}")).unwrap_or_default()
}

async fn queued(call: &Call<'_>, view: &ContextView) -> Result<String, Error> {
    let job = match &view.job {
        Some(job) => call.store.get_job(job).await?,
        None => None,
    };
    let Some(job) = job.filter(|job| has_job(call.caller.sight(), &job.spec)) else {
        return Ok("It waits for an earlier run of its job to end.".to_owned());
    };
    let mut named: Vec<String> = job
        .active
        .iter()
        .take(EARLIER_NAMED)
        .map(|id| format!("`{id}`"))
        .collect();
    if job.active.len() > EARLIER_NAMED {
        named.push(format!("{} more", job.active.len() - EARLIER_NAMED));
    }
    let earlier = if named.is_empty() {
        "which just ended".to_owned()
    } else {
        named.join(", ")
    };
    let policy = job.spec.overlap;
    let (name, queued) = (&job.spec.name, job.queued);
    Ok(format!(
        "It waits for earlier runs of the job `{name}` ({earlier}), by the overlap policy {policy}; {queued} wait so."
    ))
}

fn ended(call: &Call<'_>, view: &ContextView, worker: &str) -> String {
    let how = match view.state {
        ContextState::Succeeded => "It succeeded",
        ContextState::TimedOut => "It took longer than its timeout, and ended",
        ContextState::Cancelled => "It was cancelled, and ended",
        ContextState::Failed
        | ContextState::Expired
        | ContextState::Scheduled
        | ContextState::Queued
        | ContextState::Ready
        | ContextState::Running
        | ContextState::Retrying
        | ContextState::WaitingForSubtasks => "It failed",
    };
    let (Some(claimed), Some(ended)) = (view.claimed, view.ended) else {
        return format!(
            "{how}{} without having started.{}",
            at(view.ended),
            error(call, &view.error)
        );
    };
    format!(
        "{how}{} in attempt {}{worker}: it started {} after the due time and took {}.{}",
        at(view.ended),
        view.attempt,
        span(claimed.ms_since(view.due.min(claimed))),
        span(ended.ms_since(claimed.min(ended))),
        error(call, &view.error)
    )
}

/// What its handler, or who stopped it, said: for those who may see payload.
fn error(call: &Call<'_>, text: &str) -> String {
    if text.is_empty() || !call.caller.may(Permission::ReadPayload) {
        return String::new();
    }
    format!(" The message: {text}")
}

/// The attempts before the last one.
fn attempts(call: &Call<'_>, view: &ContextView) -> Option<String> {
    let last = view.attempts.last()?;
    let worker = last
        .worker
        .as_ref()
        .map(|worker| format!(" on worker `{worker}`"))
        .unwrap_or_default();
    let ended = format!(
        "attempt {} ended as {}{worker}{}",
        last.attempt,
        last.outcome,
        at(Some(last.ended))
    );
    let error = error(call, &last.error);
    Some(match view.failures {
        0 | 1 => format!("Before that, {ended}.{error}"),
        several => format!("Before that, {several} attempts did not succeed: {ended}.{error}"),
    })
}
