//! What workers are told of their reports, one frame for each stream.

use std::sync::Arc;

use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::{Confirmation, TrackerMessage};
use tickwheel_store::Error;
use tickwheel_store::lease::AttemptRef;

use crate::sessions::Session;

/// What a worker reads with [`Verdict::Unavailable`].
pub(super) fn unwritten(error: &Error) -> &'static str {
    if matches!(error, Error::Unavailable { .. }) {
        "Redis does not answer this tracker: report it again"
    } else {
        "it could not be written, the log of the tracker says why: report it again"
    }
}

/// Of an id that no tracker gave, so much comes back: no id is longer.
const ECHO_BYTES_MAX: usize = 512;

/// Confirmations that gather.
#[derive(Debug, Default)]
pub(crate) struct Confirmations(Vec<(Arc<Session>, Vec<Confirmation>)>);

impl Confirmations {
    pub(super) fn add(&mut self, session: &Arc<Session>, attempt: AttemptRef, verdict: Verdict) {
        self.tell(session, attempt, verdict, "");
    }

    /// With a sentence for people.
    pub(super) fn tell(
        &mut self,
        session: &Arc<Session>,
        attempt: AttemptRef,
        verdict: Verdict,
        error: &str,
    ) {
        let confirmation = Confirmation {
            context_id: attempt.context.into(),
            attempt: attempt.attempt.as_u32(),
            verdict: verdict.into(),
            error: error.to_owned(),
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

/// Tells a worker that these settlements could not be read, and why; each by the id and the number that it was sent with.
pub(crate) fn answer_refused(session: &Arc<Session>, unread: Vec<(String, u32, String)>) {
    if unread.is_empty() {
        return;
    }
    let refusal = |(mut context_id, attempt, error): (String, u32, String)| {
        context_id.truncate(context_id.floor_char_boundary(ECHO_BYTES_MAX));
        Confirmation {
            context_id,
            attempt,
            verdict: Verdict::Refused.into(),
            error,
        }
    };
    let confirm = unread.into_iter().map(refusal).collect();
    session
        .send(TrackerMessage {
            confirm,
            ..TrackerMessage::default()
        })
        .ok();
}
