//! What a tracker says: work, cancellations, confirmations.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::rejection::Reason;
use tickwheel_proto::v1::{
    Assignment, AttemptRef, CancelAttempt, Confirmation, Rejection, Renewed, TrackerMessage,
};
use tokio::time::Instant;
use tracing::warn;

use super::{Connection, Phase, Protocol, Running};
use crate::attempt::{Attempt, AttemptKey, CancelReason, Sink, later};
use crate::bounds::STORE_AWAY;
use crate::handler::Handler;
use crate::registry::{Entry, Registry};

/// An attempt to be run.
pub(crate) struct Start {
    pub(crate) attempt: Arc<Attempt>,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) body: Bytes,
}

/// How a message came.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) connection: Connection,
    pub(crate) registry: &'a Registry,
    /// For what the handlers will say.
    pub(crate) sink: &'a Arc<dyn Sink>,
    pub(crate) now: Instant,
}

/// What an assignment meets on this worker.
enum Fate<'a> {
    Run(&'a Entry),
    Refuse(Reason),
    /// It already runs here, or a newer attempt of its context came before.
    Ignore,
    /// It has ended here.
    AnswerAgain,
}

impl Protocol {
    /// All of a message but its Welcome and Roster. Returns the attempts to be run: they hold a permit from now on.
    pub(crate) fn take(&mut self, message: TrackerMessage, arrival: Arrival<'_>) -> Vec<Start> {
        let Arrival {
            connection, now, ..
        } = arrival;
        if !self
            .links
            .get(connection.link)
            .is_some_and(|link| link.is(connection) && link.is_live())
        {
            return Vec::new();
        }
        self.confirm(connection.link, message.confirm, now);
        for confirmation in message.split {
            self.split_confirmed(confirmation, now);
        }
        for page in message.results {
            self.results_arrived(page);
        }
        for cancel in message.cancel {
            self.cancel(&cancel, now);
        }
        for renewed in message.renewed {
            self.renewed(connection.link, &renewed, now);
        }
        if message.store_away {
            self.store_away(connection.link, now);
        }
        if message.drain {
            self.tracker_drains(connection);
        }
        let mut starts = Vec::with_capacity(message.dispatch.len());
        for assignment in message.dispatch {
            starts.extend(self.assign(assignment, arrival));
        }
        if !starts.is_empty() {
            self.wake_for_credit();
            self.wake_timer(later(now, self.settings.accept_after));
        }
        starts
    }

    fn assign(&mut self, mut assignment: Assignment, arrival: Arrival<'_>) -> Option<Start> {
        let link = arrival.connection.link;
        self.stats.received += 1;
        if let Some(link) = self.links.get_mut(link) {
            link.received += 1;
        }
        let key = AttemptKey::new(&assignment.context_id, assignment.attempt);
        self.overtaken.arrived(&key, arrival.now);
        match self.fate(&key, &assignment, arrival.registry) {
            Fate::Run(entry) => {
                let body = std::mem::take(&mut assignment.body);
                let name = Arc::clone(&entry.name);
                let attempt =
                    Attempt::new(key, assignment, name, Arc::clone(arrival.sink), arrival.now);
                return Some(Start {
                    handler: Arc::clone(&entry.handler),
                    body,
                    attempt: self.admit(link, attempt),
                });
            }
            Fate::Refuse(reason) => {
                let handler = match reason {
                    Reason::Busy => {
                        self.stats.busy += 1;
                        String::new()
                    }
                    Reason::UnknownHandler => {
                        self.stats.unknown_handler += 1;
                        assignment.handler
                    }
                    Reason::Draining | Reason::Unspecified => {
                        self.stats.draining_refused += 1;
                        String::new()
                    }
                };
                self.refuse(Some(link), &key, reason, handler);
            }
            Fate::Ignore => {
                self.stats.duplicates += 1;
                self.wake(link);
            }
            Fate::AnswerAgain => {
                self.stats.duplicates += 1;
                self.queue(Some(link)).settle.push_back(key);
                self.wake(link);
            }
        }
        None
    }

    fn fate<'a>(
        &self,
        key: &AttemptKey,
        assignment: &Assignment,
        registry: &'a Registry,
    ) -> Fate<'a> {
        if self.running.contains_key(key) || self.overtaken.has(key) {
            return Fate::Ignore;
        }
        if self.spool.get(key).is_some() {
            return Fate::AnswerAgain;
        }
        if self.phase != Phase::Serving {
            return Fate::Refuse(Reason::Draining);
        }
        let Some(entry) = registry.get(&assignment.handler) else {
            return Fate::Refuse(Reason::UnknownHandler);
        };
        let needs = || assignment.requires.clone().into_iter().collect();
        let short = !assignment.requires.is_empty() && !self.resources.has_free(&needs());
        if self.free() == 0 || short {
            Fate::Refuse(Reason::Busy)
        } else {
            Fate::Run(entry)
        }
    }

    fn admit(&mut self, link: usize, attempt: Attempt) -> Arc<Attempt> {
        self.resources.reserve(&attempt.requires);
        let attempt = Arc::new(attempt);
        let running = Running {
            attempt: Arc::clone(&attempt),
            link,
            lease: attempt
                .lease_until()
                .saturating_duration_since(attempt.arrived),
            announced_on: None,
            unanswered_since: None,
            renew_at: attempt.arrived,
            queued: false,
            progress: None,
            progress_queued: false,
            progress_after: attempt.arrived,
        };
        self.running.insert(attempt.key.clone(), running);
        attempt
    }

    pub(super) fn refuse(
        &mut self,
        link: Option<usize>,
        key: &AttemptKey,
        reason: Reason,
        handler: String,
    ) {
        let AttemptRef {
            context_id,
            attempt,
        } = key.to_ref();
        let rejection = Rejection {
            context_id,
            attempt,
            reason: reason.into(),
            handler,
        };
        self.queue(link).rejected.push_back(rejection);
        if let Some(link) = link {
            self.wake(link);
        }
    }

    fn cancel(&mut self, cancel: &CancelAttempt, now: Instant) {
        let key = AttemptKey::new(&cancel.context_id, cancel.attempt);
        match CancelReason::of_wire(cancel.reason) {
            CancelReason::Fenced => self.fence(&key, now),
            reason @ (CancelReason::Requested
            | CancelReason::TimedOut
            | CancelReason::Replaced
            | CancelReason::Draining) => {
                if let Some(running) = self.running.get(&key) {
                    running.attempt.cancel.cancel(reason, now);
                    self.wake_timer(now);
                }
            }
        }
    }

    /// Redis does not answer the tracker of this link.
    fn store_away(&mut self, link: usize, now: Instant) {
        if let Some(link) = self.links.get_mut(link) {
            link.store_away_until = Some(later(now, STORE_AWAY));
        }
        self.wake_timer(now);
    }

    /// The lease is prolonged, counted from the instant it was asked for: a message read late prolongs nothing.
    fn renewed(&mut self, link: usize, renewed: &Renewed, now: Instant) {
        let key = AttemptKey::new(&renewed.context_id, renewed.attempt);
        let Some(running) = self.running.get_mut(&key) else {
            return;
        };
        let attempt = &running.attempt;
        if attempt.cancel.reason() == Some(CancelReason::Fenced) {
            return;
        }
        let asked = running.unanswered_since.take().unwrap_or(now);
        running.lease = Duration::from_millis(renewed.lease_ms);
        running.renew_at = later(asked, running.lease / 3);
        attempt.set_lease_until(attempt.lease_until().max(later(asked, running.lease)));
        if attempt.lease_until() <= now {
            // Redis was away since it was asked for: a new question tells how long it lasts.
            running.renew_at = now;
        } else if let Some(link) = self.links.get_mut(link) {
            link.store_away_until = None;
        }
        let renew_at = running.renew_at;
        self.wake_timer(renew_at);
    }

    /// The attempt has lost its lease.
    pub(super) fn fence(&mut self, key: &AttemptKey, now: Instant) {
        let Some(running) = self.running.get(key) else {
            return;
        };
        if running.attempt.cancel.reason() != Some(CancelReason::Fenced) {
            warn!(attempt = %key, "the lease is lost: the handler is told, its outcome will be dropped");
            running.attempt.cancel.cancel(CancelReason::Fenced, now);
            running.attempt.set_lease_until(now);
            self.stats.fenced += 1;
            self.wake_timer(now);
            self.drop_calls(key);
        }
    }

    fn confirm(&mut self, link: usize, confirmations: Vec<Confirmation>, now: Instant) {
        if confirmations.is_empty() {
            return;
        }
        let freed = self.spool_is_tight();
        let (mut unwritten, count) = (Vec::new(), confirmations.len());
        for confirmation in confirmations {
            let key = AttemptKey::new(&confirmation.context_id, confirmation.attempt);
            // A verdict of a later protocol confirms too.
            let verdict = Verdict::try_from(confirmation.verdict).unwrap_or_default();
            if verdict == Verdict::Unavailable {
                unwritten.push(key);
            } else if self.spool.confirm(key.clone()) {
                self.stats.confirmed += 1;
                self.count_verdict(&key, verdict, &confirmation.error);
            } else if verdict == Verdict::Stale {
                self.fence(&key, now);
            }
        }
        let wrote_none = unwritten.len() == count;
        self.postpone(link, unwritten, now);
        if wrote_none {
            return;
        }
        if let Some(link) = self.links.get_mut(link) {
            link.last_confirmed = Some(now);
            while link
                .in_flight
                .front()
                .is_some_and(|sent| !self.spool.awaits(&sent.key, sent.sending))
            {
                link.in_flight.pop_front();
            }
        }
        if freed {
            self.wake_for_credit();
        }
        self.tell_drained();
    }

    fn count_verdict(&mut self, key: &AttemptKey, verdict: Verdict, error: &str) {
        match verdict {
            Verdict::Stale => {
                self.stats.stale += 1;
                warn!(attempt = %key, "an outcome was refused: its attempt had lost the lease");
            }
            Verdict::Refused => {
                self.stats.refused += 1;
                warn!(attempt = %key, error, "an outcome was refused");
            }
            Verdict::Unspecified
            | Verdict::Settled
            | Verdict::AlreadySettled
            | Verdict::Unavailable
            | Verdict::Retrying => {}
        }
    }

    /// Whether the spool, and not the permits, limits what this worker takes.
    fn spool_is_tight(&self) -> bool {
        self.permits.spool_max.saturating_sub(self.unconfirmed())
            < usize::try_from(self.permits.permits).unwrap_or(usize::MAX)
    }
}
