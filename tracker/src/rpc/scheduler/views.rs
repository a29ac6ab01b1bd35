//! What the store answers, as messages.

use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::convert::{level_to_wire, state_to_wire};
use tickwheel_proto::v1;
use tickwheel_store::context::{ContextView, LogLine, PastAttempt};
use tickwheel_store::job::{JobState, JobView};
use tickwheel_store::record::Queue;

use crate::rpc::api::ApiContext;

/// A job.
pub(super) fn job(api: &ApiContext, view: &JobView) -> v1::Job {
    let state = match view.state {
        JobState::Active => v1::JobState::Active,
        JobState::Paused => v1::JobState::Paused,
        JobState::Finished | JobState::Deleting => v1::JobState::Finished,
    };
    v1::Job {
        spec: Some((&view.spec).into()),
        revision: view.revision,
        state: state.into(),
        next_due_ms: view
            .next_due
            .filter(|_| view.state == JobState::Active)
            .map(TimestampMs::as_u64),
        last_due_ms: view.last_due.map(TimestampMs::as_u64),
        fired: view.fired,
        active: view
            .active
            .iter()
            .map(|id| id.as_str().to_owned())
            .collect(),
        queued: view.queued,
        partition: u32::from(api.store.partition_of_job(&view.spec.name).as_u16()),
        pause_note: view.note.clone(),
        created_ms: view.created.as_u64(),
        updated_ms: view.updated.as_u64(),
    }
}

/// A context, with why it waits.
pub(super) fn context(api: &ApiContext, view: ContextView) -> v1::Context {
    let millis = |at: Option<TimestampMs>| at.map_or(0, TimestampMs::as_u64);
    let waiting_reason = waiting_reason(api, &view);
    let (progress_percent, progress_message) =
        view.progress.map_or((0, String::new()), |(percent, text)| {
            (u32::from(percent), text)
        });
    v1::Context {
        id: view.id.into(),
        job: view.job.map(String::from).unwrap_or_default(),
        group: view.group.map(String::from).unwrap_or_default(),
        handler: view.handler.map(String::from).unwrap_or_default(),
        due_ms: view.due.as_u64(),
        state: state_to_wire(view.state).into(),
        attempt: view.attempt.as_u32(),
        failures: view.failures,
        worker: view.worker.map(String::from).unwrap_or_default(),
        claimed_ms: millis(view.claimed),
        ended_ms: millis(view.ended),
        error: view.error,
        error_type: view.error_type,
        waiting_reason,
        priority: view
            .options
            .map_or(0, |options| u32::from(options.priority.as_u8())),
        body: view.body,
        result: view.result,
        progress_percent,
        progress_message,
        log: view.log.into_iter().map(log_line).collect(),
        log_cut: view.log_cut,
        body_dropped: view.body_dropped.unwrap_or_default(),
        attempts: view.attempts.into_iter().map(past_attempt).collect(),
        next_attempt_ms: millis(view.next_attempt),
        lease_expires_ms: millis(view.lease_expires),
        upstream: view.upstream.map(crate::dispatch::upstream),
        fan: None,
    }
}

fn past_attempt(past: PastAttempt) -> v1::PastAttempt {
    v1::PastAttempt {
        attempt: past.attempt.as_u32(),
        worker: past.worker.map(String::from).unwrap_or_default(),
        claimed_ms: past.claimed.map_or(0, TimestampMs::as_u64),
        ended_ms: past.ended.as_u64(),
        outcome: past.outcome,
        error: past.error,
        error_type: past.error_type,
    }
}

/// A line of a log.
pub(super) fn log_line(line: LogLine) -> v1::LoggedLine {
    v1::LoggedLine {
        time_ms: line.at.as_u64(),
        attempt: line.attempt.as_u32(),
        level: level_to_wire(line.level).into(),
        line: line.text,
    }
}

/// Why a context waits, in words; empty when it does not.
pub(super) fn waiting_reason(api: &ApiContext, view: &ContextView) -> String {
    match view.state {
        ContextState::Scheduled => format!("it is due at {}", view.due),
        ContextState::Retrying => {
            let at = view
                .next_attempt
                .map(|at| at.to_string())
                .unwrap_or_default();
            format!(
                "attempt {} failed; the next one starts at {at}",
                view.attempt
            )
        }
        ContextState::Queued => "an earlier context of its job has not ended".to_owned(),
        ContextState::Ready => match (&view.group, &view.handler) {
            (Some(group), Some(handler)) => api.waits_for(&Queue {
                group: group.clone(),
                handler: handler.clone(),
                placement: view.placement,
                fair: false,
                stopped: None,
            }),
            (None, _) | (_, None) => "it is about to be dispatched".to_owned(),
        },
        ContextState::Running => view
            .cancel
            .as_ref()
            .map(|reason| format!("it is being cancelled: {reason}"))
            .unwrap_or_default(),
        ContextState::WaitingForSubtasks => "its subtasks have not ended".to_owned(),
        ContextState::Succeeded
        | ContextState::Failed
        | ContextState::TimedOut
        | ContextState::Cancelled
        | ContextState::Expired => String::new(),
    }
}
