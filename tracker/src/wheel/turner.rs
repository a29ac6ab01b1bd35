//! Turning the wheel: one task that visits each partition when something in it is due, and sleeps otherwise.
//!
//! The tracker that ranks first for a partition turns it at its next due time; the others only look at it when its head should be overdue
//! by about a second. There is no fixed tick: the task wakes for the earliest known due time, for a wake message that names an earlier
//! one, for permits that became free while something waits, and for a change of the roster.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tickwheel_core::partition::PartitionId;
use tickwheel_store::wake::{Message, Wake};
use tickwheel_store::wheel::Turned;
use tickwheel_store::{Error, Heard};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::partitions::{OVERDUE, Partitions};
use super::visit::{Found, Order, Visit, Visits};
use crate::fan_out;
use crate::health::Stuck;
use crate::limits::{self, Limits};
use crate::matching::{Matching, Taken};
use crate::membership::Roster;
use crate::metrics::measure;
use crate::sessions::Sessions;

/// Visits under way at once. More than one hides the round trip; few let permits gather, so that batches get fatter under load.
const VISITS_MAX: usize = 3;
/// Between two tries to read the limits of groups at the start.
const RETRY: Duration = Duration::from_millis(250);
/// What found its permits held by another turn is looked at after this, should nobody tell that they are free.
const HELD_ELSEWHERE: Duration = Duration::from_millis(4);
/// What waits for one certain worker that is full is looked at this often: single contexts may pass it over.
const PERHAPS: Duration = Duration::from_millis(50);
/// Where more waits than a turn tells of, the next one comes after this: a worker may have come for some of it.
const UNTOLD: Duration = Duration::from_secs(1);
/// A partition with nothing to do is looked at this often all the same.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The turning task.
#[derive(Debug)]
pub(crate) struct Turner {
    visits: Arc<Visits>,
    sessions: Arc<Sessions>,
    matching: Arc<Matching>,
    limits: Arc<Limits>,
    roster: Arc<Roster>,
    stuck: Arc<Stuck>,
    partitions: Partitions,
    clock: Clock,
    rotation: usize,
}

impl Turner {
    /// Visits are made for the partitions by the ranks of `roster`; those that fail again and again are told to `stuck`.
    pub(crate) fn new(visits: Visits, roster: Arc<Roster>, stuck: Arc<Stuck>) -> Self {
        let now = Instant::now();
        Self {
            partitions: Partitions::new(visits.store.partitions(), now),
            sessions: Arc::clone(&visits.sessions),
            matching: Arc::clone(&visits.matching),
            limits: Arc::clone(&visits.limits),
            visits: Arc::new(visits),
            roster,
            stuck,
            clock: Clock::new(now),
            rotation: 0,
        }
    }

    /// Turns until `stop`; then lets the visits under way end, so that their claims are dispatched.
    pub(crate) async fn run(mut self, mut heard: mpsc::Receiver<Heard>, stop: CancellationToken) {
        // Without them, more would run than may.
        while !self.limits.are_known() && !self.limits.read().await {
            let again = tokio::time::sleep(RETRY);
            if stop.run_until_cancelled(again).await.is_none() {
                return;
            }
        }
        self.rank();
        let (sessions, limits) = (Arc::clone(&self.sessions), Arc::clone(&self.limits));
        let roster = Arc::clone(&self.roster);
        let mut visits = FuturesUnordered::new();
        loop {
            while visits.len() < VISITS_MAX
                && let Some(order) = self.next()
            {
                visits.push(Arc::clone(&self.visits).visit(order));
            }
            let (wake_at, now) = (self.partitions.earliest(), Instant::now());
            if wake_at <= now {
                // Not left to the last branch below, which a busy tracker may never come to.
                self.partitions.queue_due(now);
                continue;
            }
            tokio::select! {
                // The order of the branches, not chance: all but the first two end at once.
                biased;
                () = stop.cancelled() => break,
                Some(visit) = visits.next(), if !visits.is_empty() => self.finish(visit),
                message = heard.recv() => match message {
                    Some(message) => self.hear(message),
                    None => {
                        // Without wake messages it would be blind to what is submitted. Its peers turn its partitions.
                        tracing::error!("the subscription to wake messages ended; this tracker no longer turns");
                        break;
                    }
                },
                () = sessions.capacity.notified() => self.offer_capacity(),
                () = limits.told.notified() => self.follow_limits(),
                () = roster.changed.notified() => self.follow_roster(),
                () = tokio::time::sleep_until(wake_at) => self.partitions.queue_due(Instant::now()),
            }
        }
        while let Some(visit) = visits.next().await {
            self.finish(visit);
        }
    }

    /// The next visit, if there is anything to do.
    fn next(&mut self) -> Option<Order> {
        let matching = &self.matching;
        let (partition, purpose) = self.partitions.take(
            Instant::now(),
            |queue| matching.takes(queue) == Taken::Now,
            |pinned| matching.is_free_for(pinned),
        )?;
        self.rotation = self.rotation.wrapping_add(1);
        let look_only = self.partitions.stands_in(partition);
        self.partitions.begins(partition, self.sessions.came());
        Some(Order {
            partition,
            purpose,
            look_only,
            waiting: self.partitions.backlog(partition),
            untold: self.partitions.is_untold(partition),
            rotation: self.rotation,
        })
    }

    fn rank(&mut self) {
        self.partitions
            .rank(&self.roster.own.id, &self.roster.live());
    }

    /// Other trackers are alive than before.
    fn follow_roster(&mut self) {
        self.rank();
        for partition in self.partitions.of_others() {
            self.limits.forget_waiting(partition);
        }
    }

    fn hear(&mut self, heard: Heard) {
        let wake = match heard {
            Heard::Message(channel, text) => Wake::read(&channel, &text),
            Heard::Gap => return self.partitions.queue_all(),
        };
        let Some(Wake { partition, message }) = wake else {
            return;
        };
        match message {
            Message::Due(due) => {
                let now = Instant::now();
                let known = self.clock.known_instant(due);
                let at = known.unwrap_or(now).max(now);
                self.partitions.due_at(partition, at, OVERDUE);
            }
            Message::Report { partition, limit } => {
                if self.partitions.owns(partition) {
                    self.limits.recall(partition, limit);
                }
            }
            Message::Cancel(cancel) => self.sessions.tell_cancel(cancel),
        }
    }

    /// Permits became free: visit what waits for them.
    fn offer_capacity(&mut self) {
        let matching = &self.matching;
        self.partitions.queue_untold(self.sessions.came());
        self.partitions.queue_backlog(
            Instant::now(),
            |queue| matching.takes(queue) == Taken::Now,
            |pinned| matching.is_free_for(pinned),
        );
    }

    /// Partitions were granted something of limits, or are to give something back.
    fn follow_limits(&mut self) {
        for (partition, at) in self.limits.due() {
            self.partitions.due_at(partition, at, OVERDUE);
        }
    }

    fn finish(&mut self, visit: Visit) {
        let (partition, received) = (visit.partition, Instant::now());
        let took = received.duration_since(visit.began);
        match visit.found {
            Found::Turned { turned, claimed } => {
                self.clock.observe(turned.now, received);
                self.succeeded(partition, received);
                self.turned(partition, &turned, (received, took));
                self.go_on(partition, &turned, (received, claimed));
            }
            Found::Looked {
                looked, overdue, ..
            } => {
                self.clock.observe(looked.now, received);
                self.succeeded(partition, received);
                let head = looked
                    .head
                    .map(|head| self.clock.instant_of(head, looked.now, received) + OVERDUE);
                let waiting = (!looked.ready.is_empty()).then_some(received + OVERDUE);
                let next = head
                    .into_iter()
                    .chain(waiting)
                    .min()
                    .unwrap_or(received + LOOK_EVERY);
                self.partitions
                    .done(partition, next.min(received + LOOK_EVERY), (received, took));
                if overdue {
                    measure::took_over();
                    self.partitions.transport(partition);
                }
            }
            Found::NoPermit => self.partitions.passed_over(partition),
            Found::Failed(what, error) => self.failed(partition, (what, &error), received),
        }
    }

    /// A visit failed: the partition rests, longer each time, and a line is written for few of many failures.
    fn failed(
        &mut self,
        partition: PartitionId,
        (what, error): (&'static str, &Error),
        now: Instant,
    ) {
        let failures = self.partitions.failed(partition, error.is_retryable(), now);
        if failures.is_power_of_two() {
            // A store that is refused as a whole is told of by the heartbeat, once and not for each partition.
            if matches!(error, Error::Unusable(_)) {
                tracing::debug!(%partition, failures, %error, "{what} failed; it is tried again");
            } else {
                tracing::warn!(%partition, failures, %error, "{what} failed; it is tried again");
            }
        }
        self.visits.room.failed(partition, error);
        self.stuck.failed(partition, now);
    }

    /// A visit succeeded.
    fn succeeded(&mut self, partition: PartitionId, now: Instant) {
        if let Some(failures) = self.partitions.recovered(partition, now) {
            tracing::info!(%partition, failures, "the partition is turned again");
            self.stuck.recovered(partition);
        }
    }

    /// Takes down what a turn left, and when its partition is to be visited next.
    fn turned(
        &mut self,
        partition: PartitionId,
        turned: &Turned,
        (received, took): (Instant, Duration),
    ) {
        // A stand-in is no second owner: it comes back when the partition is overdue again.
        let owns = self.partitions.owns(partition);
        let waiting = turned.backlog.iter().filter(|_| owns);
        let waiting = waiting.map(|(queue, _)| queue.clone()).collect();
        let pinned = turned.pinned.iter().filter(|_| owns).cloned().collect();
        let was_told = self.partitions.is_untold(partition);
        self.partitions
            .set_backlog(partition, (waiting, turned.untold), pinned);
        let next = match turned.next {
            Some(next) => self.clock.instant_of(next, turned.now, received),
            None => received + LOOK_EVERY,
        };
        let wait = if owns { Duration::ZERO } else { OVERDUE };
        self.partitions.done(
            partition,
            (next + wait).min(received + LOOK_EVERY),
            (received, took),
        );
        if owns {
            let (reports, limited) = (&turned.reports, turned.limited);
            self.limits.note_waiting(partition, reports, limited);
        }
        if turned.untold && owns {
            // What waits unknown to this tracker is found by another turn, which is told what is served here. Not many of them, as most of
            // what is untold is served by nobody.
            let at = if was_told {
                received + UNTOLD
            } else {
                received
            };
            self.partitions.due_at(partition, at, OVERDUE);
        }
        if turned.limited && owns {
            // Should a message that something is free be lost.
            let again = if turned.awaiting_grant {
                limits::FIRST_ANSWER
            } else {
                limits::LOOK_AGAIN
            };
            self.partitions.due_at(partition, received + again, OVERDUE);
        }
        if !turned.opens.is_empty() {
            // Those that no worker fits are still there then.
            self.partitions
                .due_at(partition, received + fan_out::WAIT, OVERDUE);
        }
    }

    /// Visits the partition again at once when it has more to do and a permit is free for it.
    fn go_on(
        &mut self,
        partition: PartitionId,
        turned: &Turned,
        (received, claimed): (Instant, bool),
    ) {
        let matching = &self.matching;
        let taken = |wanted: Taken| {
            turned
                .backlog
                .iter()
                .any(|(queue, _)| matching.takes(queue) == wanted)
        };
        let mut pinned = turned.pinned.iter();
        let now = taken(Taken::Now) || pinned.any(|pinned| matching.is_free_for(pinned));
        if turned.more || (claimed && now) {
            self.partitions.queue(partition);
        } else if now {
            // A turn beside this one held the permits, and has returned them, or is about to: that is told. Not at once, as the next one
            // would find them held again.
            self.partitions
                .due_at(partition, received + HELD_ELSEWHERE, OVERDUE);
        } else if taken(Taken::Perhaps) {
            self.partitions
                .due_at(partition, received + PERHAPS, OVERDUE);
        }
    }
}
