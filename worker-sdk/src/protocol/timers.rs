//! What only time brings about: announcing, renewing and losing leases, giving up handlers, asking again for confirmations.
//!
//! The task in `timer.rs` calls `on_timer` at the instant the last call named, or earlier when it is woken.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::link::InFlight;
use super::{Protocol, Running};
use crate::attempt::{Attempt, AttemptKey, CancelReason, later};
use crate::bounds::{CONFIRM_PATIENCE, CONFIRM_ROUNDS, LEAK_SLACK, TIMER_PAUSE, UNAVAILABLE_PAUSE};

/// Leases that only an absent store keeps from being lost are looked at this often.
const AWAY_PAUSE: Duration = Duration::from_millis(250);

/// What is due for one attempt.
#[derive(Debug, Default)]
struct Due {
    announce: Vec<AttemptKey>,
    progress: Vec<AttemptKey>,
    fence: Vec<AttemptKey>,
    give_up: Vec<(Arc<Attempt>, CancelReason)>,
    next: Option<Instant>,
}

/// What holds for every attempt when the timer fires.
#[derive(Debug, Clone, Copy)]
struct Conditions {
    accept_after: Duration,
    /// No tracker can prolong a lease, nor take one back.
    store_away: bool,
}

impl Due {
    fn at(&mut self, at: Instant) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    fn look(&mut self, key: &AttemptKey, running: &Running, conditions: Conditions, now: Instant) {
        let attempt = &running.attempt;
        if let Some(end) = attempt
            .times_out_at()
            .filter(|_| attempt.cancel.reason().is_none())
        {
            // Normally its own task sees the end; one whose thread is held cannot.
            let seen_late = later(end, LEAK_SLACK);
            if seen_late <= now {
                attempt.cancel.cancel(CancelReason::TimedOut, now);
            }
            self.at(seen_late);
        }
        if let (Some(reason), Some(since)) = (attempt.cancel.reason(), attempt.cancel.since()) {
            let end = later(since, attempt.grace.saturating_add(LEAK_SLACK));
            if end <= now {
                self.give_up.push((Arc::clone(attempt), reason));
                return;
            }
            self.at(end);
            if reason == CancelReason::Fenced {
                return;
            }
        }
        let lease_until = attempt.lease_until();
        if lease_until <= now && !conditions.store_away {
            self.fence.push(key.clone());
            self.at(later(now, attempt.grace.saturating_add(LEAK_SLACK)));
            return;
        }
        self.at(if lease_until <= now {
            later(now, AWAY_PAUSE)
        } else {
            lease_until
        });
        if !running.queued {
            let announce_at = if running.announced_on.is_some() {
                running.renew_at
            } else {
                later(
                    attempt.arrived,
                    conditions.accept_after.min(running.lease / 2),
                )
            };
            if announce_at <= now {
                self.announce.push(key.clone());
            } else {
                self.at(announce_at);
            }
        }
        if running.progress.is_some() && !running.progress_queued {
            if running.progress_after <= now {
                self.progress.push(key.clone());
            } else {
                self.at(running.progress_after);
            }
        }
    }
}

impl Protocol {
    /// Does what is due, and returns when to look again; `None`: when woken.
    pub(crate) fn on_timer(&mut self, now: Instant) -> Option<Instant> {
        let mut due = Due::default();
        let conditions = Conditions {
            accept_after: self.settings.accept_after,
            store_away: self.is_store_away(now),
        };
        for (key, running) in &self.running {
            due.look(key, running, conditions, now);
        }
        for key in due.fence {
            self.fence(&key, now);
        }
        for key in due.progress {
            self.queue_progress(&key, now);
        }
        for key in due.announce {
            self.announce(key, now);
        }
        for (attempt, reason) in due.give_up {
            warn!(
                attempt = %attempt.key, handler = %attempt.handler,
                "a handler does not stop and holds on to its thread; its attempt ends without it"
            );
            self.give_up(&attempt, reason);
        }
        let ask = self.ask_again(now);
        let calls = self.overdue_calls(now);
        let next = due.next.into_iter().chain(ask).chain(calls).min();
        self.timer_at = next.map(|next| next.max(now + TIMER_PAUSE));
        self.timer_at
    }

    /// Every tracker that can be reached said lately that Redis does not answer it.
    fn is_store_away(&self, now: Instant) -> bool {
        let mut live = self.links.iter().filter(|link| link.is_live()).peekable();
        live.peek().is_some() && live.all(|link| link.store_away_until.is_some_and(|at| at > now))
    }

    /// Makes sure that the timer fires at this instant or earlier.
    pub(super) fn wake_timer(&mut self, at: Instant) {
        if self.timer_at.is_none_or(|planned| planned > at) {
            self.timer_at = Some(at);
            self.timer_changed.notify_one();
        }
    }

    /// Queues the announcement or renewal of a running attempt.
    pub(super) fn announce(&mut self, key: AttemptKey, now: Instant) {
        let Some(running) = self.running.get_mut(&key) else {
            return;
        };
        running.queued = true;
        running.renew_at = now;
        let first = running.announced_on.is_none();
        let link = running.link;
        let unanswered = running
            .announced_on
            .filter(|_| running.unanswered_since.is_some());
        let target = if first {
            self.route(link)
        } else {
            unanswered
                .and_then(|silent| self.other_live_link(silent))
                .or(self.primary)
                .or_else(|| self.route(link))
        };
        let queue = self.queue(target);
        if first {
            queue.accepted.push_back(key);
        } else {
            queue.renew.push_back(key);
        }
        if let Some(target) = target {
            self.wake(target);
        }
    }

    /// The tracker of this link could not write these outcomes: they are sent again in a moment.
    pub(super) fn postpone(&mut self, index: usize, unwritten: Vec<AttemptKey>, now: Instant) {
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        if unwritten.is_empty() {
            link.unavailable = 0;
            return;
        }
        let pause = UNAVAILABLE_PAUSE.saturating_mul(1 << link.unavailable.min(8));
        let at = later(now, pause.min(CONFIRM_PATIENCE));
        link.unavailable += 1;
        for key in unwritten {
            if let Some(sending) = self.spool.sent_over(&key, index) {
                link.postponed.push_back((at, key, sending));
            }
        }
        self.wake_timer(at);
    }

    /// What is to be sent again over another link than this one, if there is one.
    fn postponed(&mut self, index: usize, now: Instant) -> Option<AttemptKey> {
        let Self { links, spool, .. } = self;
        let postponed = &mut links.get_mut(index)?.postponed;
        while postponed.front().is_some_and(|(at, ..)| *at <= now) {
            let (_, key, sending) = postponed.pop_front()?;
            if spool.awaits(&key, sending) {
                return Some(key);
            }
        }
        None
    }

    /// Sends outcomes anew whose confirmation is overdue. Returns when to look again.
    fn ask_again(&mut self, now: Instant) -> Option<Instant> {
        let mut next = None;
        for index in 0..self.links.len() {
            while let Some(key) = self.postponed(index, now) {
                self.send_again(key, index);
            }
            while let Some(sent) = self.overdue(index, now) {
                if !self.spool.awaits(&sent.key, sent.sending) {
                    continue;
                }
                let other = self.other_live_link(index);
                if other.is_none()
                    && sent.rounds < CONFIRM_ROUNDS
                    && self.still_confirms(index, now)
                {
                    self.in_flight(index).push_back(InFlight {
                        since: now,
                        rounds: sent.rounds + 1,
                        ..sent
                    });
                    continue;
                }
                self.send_again(sent.key, index);
            }
            let link = self.links.get(index);
            let first = link.and_then(|link| link.in_flight.front());
            let again = link.and_then(|link| link.postponed.front());
            next = first
                .map(|sent| sent.since + CONFIRM_PATIENCE)
                .into_iter()
                .chain(again.map(|(at, ..)| *at))
                .chain(next)
                .min();
        }
        next.or_else(|| (self.unconfirmed() > 0).then(|| now + CONFIRM_PATIENCE))
    }

    /// Queues an outcome that was sent over `silent` in vain: for the link its context came over, else the primary tracker's, else any;
    /// for `silent` itself only if there is no other.
    pub(super) fn send_again(&mut self, key: AttemptKey, silent: usize) {
        self.stats.resent += 1;
        let origin = self
            .spool
            .get(&key)
            .map(|kept| kept.link)
            .filter(|origin| *origin != silent);
        let origin = origin.filter(|origin| self.route(*origin) == Some(*origin));
        let target = origin
            .or_else(|| self.other_live_link(silent))
            .or_else(|| self.route(silent));
        self.queue(target).settle.push_back(key);
        if let Some(target) = target {
            self.wake(target);
        }
    }

    fn overdue(&mut self, index: usize, now: Instant) -> Option<InFlight> {
        let in_flight = &mut self.links.get_mut(index)?.in_flight;
        in_flight
            .front()
            .filter(|sent| sent.since + CONFIRM_PATIENCE <= now)?;
        in_flight.pop_front()
    }

    fn in_flight(&mut self, index: usize) -> &mut VecDeque<InFlight> {
        #[expect(
            clippy::indexing_slicing,
            reason = "links are never removed, and the index comes from their range"
        )]
        &mut self.links[index].in_flight
    }

    fn still_confirms(&self, index: usize, now: Instant) -> bool {
        let last = self.links.get(index).and_then(|link| link.last_confirmed);
        last.is_some_and(|at| at + CONFIRM_PATIENCE > now)
    }

    /// That of the primary tracker if it is another one, else any other live link.
    pub(super) fn other_live_link(&self, index: usize) -> Option<usize> {
        let others = self
            .links
            .iter()
            .enumerate()
            .filter(|(other, link)| *other != index && link.is_live());
        others
            .map(|(other, _)| other)
            .min_by_key(|other| self.primary != Some(*other))
    }
}
