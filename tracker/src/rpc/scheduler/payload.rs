//! What of an answer is the callers' own, and is shown to those only who may see it: bodies, results, errors, logs.

use tickwheel_proto::v1;

use crate::live::Subscription;

/// An answer that may have some.
pub(super) trait Payload {
    /// Takes it out.
    fn hide(&mut self);
}

/// Answers that have none.
macro_rules! without_payload {
    ($($answer:ident)*) => {
        $(impl Payload for v1::$answer {
            fn hide(&mut self) {}
        })*
    };
}

without_payload! {
    ApplyJobsResponse DeleteJobResponse Submitted SubmitResponse PreviewJobResponse GetLedgerResponse JobStats ChangeDeadResponse ListWorkersResponse Worker
    Cluster Overview Wheel ListUpcomingResponse Group GroupLimits ListGroupsResponse ListLimitsResponse LoginLink MadeToken RevokeTokenResponse ListTokensResponse ListAuditResponse
}

/// The text of an explanation is written by who knows whether it may say more.
impl Payload for v1::ExplainJobResponse {
    fn hide(&mut self) {}
}

impl Payload for v1::ExplainContextResponse {
    fn hide(&mut self) {}
}

/// A stream shows its caller what he may see, event by event.
impl Payload for Subscription {
    fn hide(&mut self) {}
}

impl Payload for v1::Job {
    fn hide(&mut self) {
        if let Some(spec) = &mut self.spec {
            spec.body.clear();
            if let Some(model) = spec.model.as_mut().and_then(|model| model.kind.as_mut()) {
                hide_items(model);
            }
        }
    }
}

/// Items of a sharding are given to handlers, as bodies are.
fn hide_items(model: &mut v1::model::Kind) {
    if let v1::model::Kind::Sharding(sharding) = model {
        for item in &mut sharding.items {
            item.parameter.clear();
        }
    }
}

impl Payload for v1::ListJobsResponse {
    fn hide(&mut self) {
        self.jobs.iter_mut().for_each(Payload::hide);
    }
}

impl Payload for v1::Context {
    fn hide(&mut self) {
        self.body.clear();
        self.result.clear();
        self.error.clear();
        self.progress_message.clear();
        for line in &mut self.log {
            line.line.clear();
        }
        for attempt in &mut self.attempts {
            attempt.error.clear();
        }
        if let Some(upstream) = &mut self.upstream {
            upstream.error.clear();
        }
    }
}

impl Payload for v1::CancelContextResponse {
    fn hide(&mut self) {
        self.context.iter_mut().for_each(Payload::hide);
    }
}

impl Payload for v1::ListContextsResponse {
    fn hide(&mut self) {
        self.contexts.iter_mut().for_each(Payload::hide);
    }
}

impl Payload for v1::ListDeadResponse {
    fn hide(&mut self) {
        self.contexts.iter_mut().for_each(Payload::hide);
    }
}

impl Payload for v1::GetLogResponse {
    fn hide(&mut self) {
        for line in &mut self.lines {
            line.line.clear();
        }
    }
}

impl Payload for v1::ListSubtasksResponse {
    fn hide(&mut self) {
        for subtask in &mut self.subtasks {
            subtask.body.clear();
            subtask.error.clear();
        }
    }
}
