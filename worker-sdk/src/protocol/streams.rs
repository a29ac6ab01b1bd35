//! The comings and goings of streams, and which of them reaches the primary tracker.

use tickwheel_proto::v1::Welcome;
use tokio::time::Instant;

use super::frame::Room;
use super::link::{Connected, Connection, Link};
use super::{Phase, Protocol, Running, TrackerSettings};
use crate::attempt::AttemptKey;

/// What a reference to an attempt has besides the id of its context, at most.
const REFERENCE_BYTES: usize = 16;

impl Protocol {
    /// The link of this url; a new one if there is none.
    pub(crate) fn link(&mut self, url: &str) -> usize {
        self.links
            .iter()
            .position(|link| link.url == url)
            .unwrap_or_else(|| {
                self.links.push(Link::new(url.to_owned()));
                self.links.len() - 1
            })
    }

    /// A connection begins; whatever the link said before is over.
    pub(crate) fn connect(&mut self, index: usize) -> Option<Connected> {
        let settings = self.settings;
        let mut room = Room::new(settings.frame.bytes);
        let running = self
            .running
            .keys()
            .take(settings.hello_running_max)
            .take_while(|key| room.take(key.context.len() + REFERENCE_BYTES))
            .map(AttemptKey::to_ref)
            .collect();
        Some(self.links.get_mut(index)?.connect(index, running))
    }

    /// The tracker answered: the link is live.
    ///
    /// If another link reaches the same tracker (say, by another name of its host), that one ends: a tracker takes the
    /// newest stream of a worker for the true one.
    pub(crate) fn welcome(&mut self, connection: Connection, welcome: &Welcome, now: Instant) {
        self.settings = TrackerSettings::of(welcome);
        let same =
            |link: &Link| link.is_live() && link.tracker_id.as_ref() == Some(&welcome.tracker_id);
        let older = self
            .links
            .iter()
            .position(same)
            .filter(|index| *index != connection.link);
        let Some(link) = self
            .links
            .get_mut(connection.link)
            .filter(|link| link.is(connection))
        else {
            return;
        };
        link.tracker_id = Some(welcome.tracker_id.clone());
        link.live_since = Some(now);
        if let Some(older) = older {
            self.end_link(older, now);
        }
        let unrouted = std::mem::take(&mut self.unrouted);
        self.stats.log_lines_dropped += self.queue(Some(connection.link)).absorb(unrouted);
        self.choose_primary();
        if let Some(link) = self.links.get_mut(connection.link) {
            link.heartbeat_due = true;
            link.wake();
        }
        self.timer_changed.notify_one();
    }

    /// The tracker this link reaches or reached last.
    pub(crate) fn tracker_of(&self, link: usize) -> Option<String> {
        self.links.get(link)?.tracker_id.clone()
    }

    /// Whether a live link reaches this tracker.
    pub(crate) fn reaches(&self, tracker_id: &str) -> bool {
        self.links
            .iter()
            .any(|link| link.is_live() && link.tracker_id.as_deref() == Some(tracker_id))
    }

    /// The tracker will stop: it is used until its stream ends, but it is nobody's primary tracker any more.
    pub(super) fn tracker_drains(&mut self, connection: Connection) {
        if let Some(link) = self
            .links
            .get_mut(connection.link)
            .filter(|link| link.is(connection))
        {
            link.tracker_drains = true;
        }
        self.choose_primary();
    }

    /// The tracker of this link is about to stop, or has just stopped.
    pub(crate) fn tracker_drained(&self, link: usize) -> bool {
        self.links.get(link).is_some_and(|link| link.tracker_drains)
    }

    pub(crate) fn settings(&self) -> TrackerSettings {
        self.settings
    }

    /// The stream is over. What it had to say goes to another one, or waits for one.
    pub(crate) fn disconnect(&mut self, connection: Connection, now: Instant) {
        if self
            .links
            .get(connection.link)
            .is_some_and(|link| link.is(connection))
        {
            self.end_link(connection.link, now);
        }
    }

    /// Ends all streams, whatever they still had to say. A stream whose reader is gone ends only by this.
    pub(crate) fn hang_up(&mut self, now: Instant) {
        self.phase = Phase::Ending;
        for link in 0..self.links.len() {
            self.end_link(link, now);
        }
    }

    /// Ends all streams so that they are made anew, with another Hello. No tracker is lost by it.
    pub(crate) fn begin_anew(&mut self, now: Instant) {
        for link in &mut self.links {
            link.tracker_drains = true;
        }
        for link in 0..self.links.len() {
            self.end_link(link, now);
        }
    }

    fn end_link(&mut self, index: usize, now: Instant) {
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        let (queue, in_flight) = link.end();
        self.choose_primary();
        let target = self.route(index);
        self.stats.log_lines_dropped += self.queue(target).absorb(queue);
        self.calls_of_broken(index);
        for sent in in_flight {
            if self.spool.awaits(&sent.key, sent.sending) {
                self.send_again(sent.key, index);
            }
        }
        for running in self
            .running
            .values_mut()
            .filter(|running| running.announced_on == Some(index))
        {
            running.renew_at = now;
            running.unanswered_since = None;
        }
        self.report_lost(index, now);
        if let Some(target) = target {
            self.wake(target);
        }
        self.timer_changed.notify_one();
    }

    /// The stream broke without a farewell: the other trackers are told what runs here that came over it, and then that it broke.
    fn report_lost(&mut self, index: usize, now: Instant) {
        let Some(link) = self.links.get(index) else {
            return;
        };
        let Some(lost) = link.tracker_id.clone() else {
            return;
        };
        if link.tracker_drains || self.phase == Phase::Ending || self.reaches(&lost) {
            return;
        }
        let unannounced = |running: &&Running| {
            running.link == index && running.announced_on.is_none() && !running.queued
        };
        let keys: Vec<AttemptKey> = self
            .running
            .values()
            .filter(unannounced)
            .map(|running| running.attempt.key.clone())
            .collect();
        for key in keys {
            self.announce(key, now);
        }
        for link in self.links.iter_mut().filter(|link| link.is_live()) {
            link.queue.lost.push_back(lost.clone());
            link.wake();
        }
    }

    /// The primary tracker is that of the first live link, and stays it as long as the link lives.
    fn choose_primary(&mut self) {
        let serves = |link: &Link| link.is_live() && !link.tracker_drains;
        if self
            .primary
            .and_then(|primary| self.links.get(primary))
            .is_some_and(serves)
        {
            return;
        }
        let live = self
            .links
            .iter()
            .enumerate()
            .filter(|(_, link)| link.is_live());
        let best = live
            .min_by_key(|(_, link)| (link.tracker_drains, link.live_since))
            .map(|(index, _)| index);
        if best != self.primary {
            self.primary = best;
            if let Some(link) = best.and_then(|index| self.links.get_mut(index)) {
                link.heartbeat_due = true;
                link.wake();
            }
        }
    }
}
