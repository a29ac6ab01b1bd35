//! What workers are told of their reports, one frame for each stream.

use std::sync::Arc;

use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::{Confirmation, TrackerMessage};
use tickwheel_store::lease::AttemptRef;

use crate::sessions::Session;

/// Confirmations that gather.
#[derive(Debug, Default)]
pub(crate) struct Confirmations(Vec<(Arc<Session>, Vec<Confirmation>)>);

impl Confirmations {
    pub(super) fn add(&mut self, session: &Arc<Session>, attempt: AttemptRef, verdict: Verdict) {
        let confirmation = Confirmation {
            context_id: attempt.context.into(),
            attempt: attempt.attempt.as_u32(),
            verdict: verdict.into(),
        };
        let known = self
            .0
            .iter_mut()
            .find(|(known, _)| Arc::ptr_eq(known, session));
        match known {
            Some((_, list)) => list.push(confirmation),
            None => self.0.push((Arc::clone(session), vec![confirmation])),
        }
    }

    pub(super) fn send(self) {
        for (session, confirm) in self.0 {
            // A stream that ended takes its confirmations along: the worker reports again and is told that it is settled.
            session
                .send(TrackerMessage {
                    confirm,
                    ..TrackerMessage::default()
                })
                .ok();
        }
    }
}

/// Tells a worker that these attempts hold nothing.
pub(crate) fn answer_stale(session: &Arc<Session>, attempts: Vec<AttemptRef>) {
    let mut confirmations = Confirmations::default();
    for attempt in attempts {
        confirmations.add(session, attempt, Verdict::Stale);
    }
    confirmations.send();
}
