//! The protocol of a worker as a state machine: what runs, what is to be said to whom, and who has confirmed what.
//!
//! No I/O and no waiting here: tasks of the session lock it for a moment, tell it what happened and at what
//! instant, and take from it what to do. An attempt is in exactly one place: `running`, or the spool.

mod call;
mod calls;
mod finish;
mod frame;
mod heartbeat;
mod link;
mod overtaken;
mod queue;
mod receive;
mod streams;
#[cfg(test)]
mod tests;
mod timers;
mod tracker_settings;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tickwheel_proto::v1::Report;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::attempt::{Attempt, AttemptKey, CancelReason};
use crate::outcome::spool::Spool;
use crate::permit::Permits;
use crate::resources::Resources;
use crate::stats::Stats;

pub(crate) use frame::Next;
pub(crate) use link::{Connected, Connection};
pub(crate) use receive::{Arrival, Start};

use call::{Call, CallKey};
use link::Link;
use overtaken::Overtaken;
use queue::Queue;
use tracker_settings::TrackerSettings;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Serving,
    /// Refuses new work.
    Draining,
    /// Ends its streams once everything is said.
    Ending,
}

#[derive(Debug)]
struct Running {
    attempt: Arc<Attempt>,
    /// The link it came over; what is said about it goes there as long as it is live.
    link: usize,
    /// How long a tracker last said the lease lasts; at first the short one it came with.
    lease: Duration,
    /// The link over which it was last announced or renewed.
    announced_on: Option<usize>,
    /// When it was last announced or renewed without an answer so far: the first of those times.
    unanswered_since: Option<Instant>,
    renew_at: Instant,
    /// Waits in some queue to be announced or renewed.
    queued: bool,
    progress: Option<(u32, String)>,
    /// Its progress waits in some queue.
    progress_queued: bool,
    progress_after: Instant,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Protocol {
    permits: Permits,
    resources: Resources,
    running: HashMap<AttemptKey, Running>,
    overtaken: Overtaken,
    spool: Spool,
    calls: HashMap<CallKey, Call>,
    links: Vec<Link>,
    /// What waits while no link is live.
    unrouted: Queue,
    /// The link of the tracker that writes this worker's heartbeats to Redis.
    primary: Option<usize>,
    settings: TrackerSettings,
    phase: Phase,
    report: Report,
    /// What attempts took lately from arrival to outcome.
    response_ms: Option<f32>,
    stats: Stats,
    /// When the timer fires next; `None`: when it is woken.
    timer_at: Option<Instant>,
    timer_changed: Arc<Notify>,
    drained: Arc<Notify>,
}

impl Protocol {
    pub(crate) fn new(permits: Permits, resources: Resources) -> Self {
        Self {
            permits,
            resources,
            running: HashMap::new(),
            overtaken: Overtaken::default(),
            spool: Spool::default(),
            calls: HashMap::new(),
            links: Vec::new(),
            unrouted: Queue::default(),
            primary: None,
            settings: TrackerSettings::default(),
            phase: Phase::Serving,
            report: Report::default(),
            response_ms: None,
            stats: Stats::default(),
            timer_at: None,
            timer_changed: Arc::default(),
            drained: Arc::default(),
        }
    }

    /// Notified when the timer has to fire earlier than it planned.
    pub(crate) fn timer_changed(&self) -> Arc<Notify> {
        Arc::clone(&self.timer_changed)
    }

    /// Called, while draining, when nothing runs any more, and when nothing is unconfirmed any more.
    pub(crate) fn drained(&self) -> Arc<Notify> {
        Arc::clone(&self.drained)
    }

    pub(crate) fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
        for link in 0..self.links.len() {
            self.wake(link);
        }
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.phase == Phase::Ending
    }

    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    pub(crate) fn unconfirmed(&self) -> usize {
        self.spool.unconfirmed()
    }

    pub(crate) fn stats(&self) -> Stats {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Stats {
            running: count(self.running.len()),
            free: self.free().into(),
            unconfirmed: count(self.unconfirmed()),
            trackers: count(self.links.iter().filter(|link| link.is_live()).count()),
            ..self.stats
        }
    }

    /// The longest time a running handler may take to clean up.
    pub(crate) fn longest_grace(&self) -> Duration {
        self.running
            .values()
            .map(|running| running.attempt.grace)
            .max()
            .unwrap_or_default()
    }

    /// Tells every running handler to stop.
    pub(crate) fn cancel_all(&self, reason: CancelReason, now: Instant) {
        for running in self.running.values() {
            running.attempt.cancel.cancel(reason, now);
        }
        self.timer_changed.notify_one();
    }

    fn free(&self) -> u32 {
        match self.phase {
            Phase::Serving => self.permits.free(self.running.len(), self.unconfirmed()),
            Phase::Draining | Phase::Ending => 0,
        }
    }

    /// The link that is told about something that came over `link`: that one, else the primary tracker's, else none.
    fn route(&self, link: usize) -> Option<usize> {
        let is_live = |index: &usize| self.links.get(*index).is_some_and(Link::is_live);
        Some(link)
            .filter(is_live)
            .or_else(|| self.primary.filter(is_live))
    }

    fn queue(&mut self, link: Option<usize>) -> &mut Queue {
        match link.and_then(|index| self.links.get_mut(index)) {
            Some(link) => &mut link.queue,
            None => &mut self.unrouted,
        }
    }

    /// Lets the link's stream look for something to send.
    fn wake(&mut self, link: usize) {
        if let Some(link) = self.links.get_mut(link) {
            link.wake();
        }
    }

    /// The number of free permits changed: streams that sleep without a timer look at it.
    fn wake_for_credit(&mut self) {
        for link in &mut self.links {
            link.wake_if_idle();
        }
    }
}
