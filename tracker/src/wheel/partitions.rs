//! What the turning task knows of each partition, and the order in which it visits them.

use std::collections::VecDeque;
use std::time::Duration;

use tickwheel_core::id::TrackerId;
use tickwheel_core::partition::{PartitionCount, PartitionId, rank};
use tickwheel_store::record::Queue;
use tickwheel_store::roster::LiveTracker;
use tickwheel_store::wheel::Pinned;
use tokio::time::Instant;

use crate::batches::Pace;

/// A partition whose visit failed is tried again after this, and after twice as long each time that follows.
const RETRY_FIRST: Duration = Duration::from_millis(250);
/// At most so long: what stops one partition does not go away by asking.
const RETRY_MOST: Duration = Duration::from_secs(5);
/// The same while Redis does not answer: it may be back at any moment.
const RETRY_UNREACHABLE: Duration = Duration::from_secs(1);

/// A head this much past its due time makes a stand-in turn the partition, one step later for each rank.
pub(super) const OVERDUE: Duration = Duration::from_secs(1);

/// Why a partition is visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Something is due, or may be.
    Due,
    /// Something waits for permits, and some were free.
    Waiting,
}

/// One partition.
#[derive(Debug)]
struct State {
    /// Place of this tracker among the live ones; 0 turns, the others stand in.
    rank: u32,
    /// When to visit it next.
    at: Instant,
    /// Not before this, whatever is due, so that visits get fatter under load.
    rested: Instant,
    /// Due times heard of while a visit was under way, whose reply may not know them.
    heard: Option<Instant>,
    queued: bool,
    /// Queued for what waits in it, and for nothing else: without a permit there is nothing to do.
    for_permits: bool,
    visiting: bool,
    /// Asked for while a visit was under way.
    again: bool,
    /// The next visit turns although another tracker ranks first.
    transport: bool,
    /// Ready sets that were not empty at the last turn.
    backlog: Vec<Queue>,
    /// More waited than it was told of.
    untold: bool,
    /// How many workers had come when the last visit began.
    came: usize,
    /// Workers for which parts of split contexts wait.
    pinned: Vec<Pinned>,
    /// Visits that failed since the last one that did not.
    failures: u32,
    /// The last of them because Redis did not answer.
    unreachable: bool,
}

impl State {
    /// Its last visit failed, and it is not time to try again.
    fn is_held_off(&self, now: Instant) -> bool {
        self.failures > 0 && self.rested > now
    }

    fn due(&self) -> Instant {
        self.at.max(self.rested)
    }
}

/// All partitions.
#[derive(Debug)]
pub(crate) struct Partitions {
    states: Vec<State>,
    queue: VecDeque<PartitionId>,
    pace: Pace,
    /// The partition that came first when permits were last offered.
    served: usize,
}

impl Partitions {
    /// Every partition is visited at once.
    pub(crate) fn new(count: PartitionCount, now: Instant) -> Self {
        let state = || State {
            rank: 0,
            at: now,
            rested: now,
            heard: None,
            queued: false,
            for_permits: false,
            visiting: false,
            again: false,
            transport: false,
            backlog: Vec::new(),
            untold: false,
            came: 0,
            pinned: Vec::new(),
            failures: 0,
            unreachable: false,
        };
        Self {
            states: count.partitions().map(|_| state()).collect(),
            queue: VecDeque::new(),
            pace: Pace::new(now),
            served: 0,
        }
    }

    fn state(&mut self, partition: PartitionId) -> Option<&mut State> {
        self.states.get_mut(usize::from(partition.as_u16()))
    }

    fn ids(&self) -> impl Iterator<Item = PartitionId> + use<> {
        let count = u16::try_from(self.states.len()).unwrap_or(u16::MAX);
        (0..count).filter_map(|number| PartitionId::new(number).ok())
    }

    /// Ranks this tracker among the live ones. Partitions whose rank changes are visited at once.
    pub(crate) fn rank(&mut self, tracker: &TrackerId, live: &[LiveTracker]) {
        let mut ids: Vec<TrackerId> = live.iter().map(|tracker| tracker.id.clone()).collect();
        if !ids.contains(tracker) {
            ids.push(tracker.clone());
        }
        for partition in self.ids() {
            let place = rank(partition, &ids)
                .iter()
                .position(|id| *id == tracker)
                .unwrap_or(0);
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            let Some(state) = self.state(partition) else {
                continue;
            };
            if state.rank != place {
                state.rank = place;
                self.queue(partition);
            }
        }
    }

    /// The partitions that another tracker turns first.
    pub(crate) fn of_others(&self) -> impl Iterator<Item = PartitionId> {
        self.ids().filter(|partition| !self.owns(*partition))
    }

    pub(crate) fn owns(&self, partition: PartitionId) -> bool {
        self.states
            .get(usize::from(partition.as_u16()))
            .is_some_and(|state| state.rank == 0)
    }

    /// The next partition to visit. The caller must call [`Partitions::done`] for it. One that was queued because permits were free is passed
    /// over when others have taken them; `served` and `free` are those of [`Partitions::queue_backlog`].
    pub(crate) fn take(
        &mut self,
        now: Instant,
        served: impl Fn(&Queue) -> bool,
        free: impl Fn(&Pinned) -> bool,
    ) -> Option<(PartitionId, Purpose)> {
        loop {
            let partition = self.queue.pop_front()?;
            let Some(state) = self.state(partition) else {
                return Some((partition, Purpose::Due));
            };
            state.queued = false;
            if state.is_held_off(now) {
                continue;
            }
            let waits = state.backlog.iter().any(&served) || state.pinned.iter().any(&free);
            let only_waits = state.for_permits && state.due() > now;
            if only_waits && !waits {
                continue;
            }
            state.visiting = true;
            let purpose = if only_waits {
                Purpose::Waiting
            } else {
                Purpose::Due
            };
            return Some((partition, purpose));
        }
    }

    /// A visit for what waits found no permit left, and did nothing.
    pub(crate) fn passed_over(&mut self, partition: PartitionId) {
        let Some(state) = self.state(partition) else {
            return;
        };
        state.visiting = false;
        if let Some(heard) = state.heard.take() {
            state.at = state.at.min(heard);
        }
        if std::mem::take(&mut state.again) {
            self.queue(partition);
        }
    }

    /// True when the visit only looks first: another tracker turns this partition. Resets a granted stand-in.
    pub(crate) fn stands_in(&mut self, partition: PartitionId) -> bool {
        self.state(partition)
            .is_some_and(|state| state.rank > 0 && !std::mem::take(&mut state.transport))
    }

    /// A look found the partition overdue: turn it although another tracker ranks first.
    pub(crate) fn transport(&mut self, partition: PartitionId) {
        if let Some(state) = self.state(partition) {
            state.transport = true;
        }
        self.queue(partition);
    }

    /// A visit ended at `now` and took `took`; the next one is due at `next`, or at once when it was asked for meanwhile.
    pub(crate) fn done(
        &mut self,
        partition: PartitionId,
        next: Instant,
        (now, took): (Instant, Duration),
    ) {
        let rested = self.pace.next(now, took);
        let Some(state) = self.state(partition) else {
            return;
        };
        state.visiting = false;
        state.at = state.heard.take().map_or(next, |heard| heard.min(next));
        state.rested = rested;
        if std::mem::take(&mut state.again) {
            self.queue(partition);
        }
    }

    /// A visit failed at `now`: the partition rests before it is visited again, whatever is told of it meanwhile. The answer is how many
    /// visits in a row failed.
    pub(crate) fn failed(
        &mut self,
        partition: PartitionId,
        unreachable: bool,
        now: Instant,
    ) -> u32 {
        let Some(state) = self.state(partition) else {
            return 1;
        };
        let most = if unreachable {
            RETRY_UNREACHABLE
        } else {
            RETRY_MOST
        };
        let doubled = RETRY_FIRST.saturating_mul(1 << state.failures.min(8));
        state.failures = state.failures.saturating_add(1);
        state.unreachable = unreachable;
        state.visiting = false;
        state.again = false;
        state.heard = None;
        state.at = now;
        state.rested = now + doubled.min(most);
        state.failures
    }

    /// A visit did not fail; how many before it did, if any. When Redis answers again, the partitions for which it did not are tried at once.
    pub(crate) fn recovered(&mut self, partition: PartitionId, now: Instant) -> Option<u32> {
        let state = self.state(partition)?;
        let failures = std::mem::take(&mut state.failures);
        if failures == 0 {
            return None;
        }
        if state.unreachable {
            let others = self.states.iter_mut();
            for other in others.filter(|other| other.failures > 0 && other.unreachable) {
                other.rested = other.rested.min(now);
            }
        }
        Some(failures)
    }

    /// What waited in it at the last turn.
    pub(crate) fn backlog(&self, partition: PartitionId) -> Vec<Queue> {
        let state = self.states.get(usize::from(partition.as_u16()));
        state.map_or_else(Vec::new, |state| state.backlog.clone())
    }

    /// A visit begins when `came` workers have come.
    pub(crate) fn begins(&mut self, partition: PartitionId, came: usize) {
        if let Some(state) = self.state(partition) {
            state.came = came;
        }
    }

    /// Queues the partitions in which something waits that nobody here knows of, and in which some of the `came` workers were not asked for.
    pub(crate) fn queue_untold(&mut self, came: usize) {
        for partition in self.ids() {
            let state = self.state(partition);
            if state.is_some_and(|state| state.untold && state.came != came) {
                self.queue(partition);
            }
        }
    }

    /// More waited in it at the last turn than that one told of.
    pub(crate) fn is_untold(&self, partition: PartitionId) -> bool {
        let state = self.states.get(usize::from(partition.as_u16()));
        state.is_some_and(|state| state.untold)
    }

    /// Visits it as soon as its turn in the queue comes.
    pub(crate) fn queue(&mut self, partition: PartitionId) {
        let Some(state) = self.state(partition) else {
            return;
        };
        if state.visiting {
            state.again = true;
        } else if state.queued {
            state.for_permits = false;
        } else {
            state.queued = true;
            state.for_permits = false;
            self.queue.push_back(partition);
        }
    }

    /// Visits all of them, those that failed too: the connection is new.
    pub(crate) fn queue_all(&mut self) {
        let now = Instant::now();
        for partition in self.ids() {
            if let Some(state) = self.state(partition) {
                state.rested = state.rested.min(now);
            }
            self.queue(partition);
        }
    }

    /// Queues what is due at `now`.
    pub(crate) fn queue_due(&mut self, now: Instant) {
        for partition in self.ids() {
            if self
                .state(partition)
                .is_some_and(|state| !state.queued && !state.visiting && state.due() <= now)
            {
                self.queue(partition);
            }
        }
    }

    /// Queues the partitions in which something waits that `served` accepts, or parts for a worker that is `free`, but for those whose visit
    /// failed a moment ago. Each time another one comes first: where permits are few, the first has them all.
    pub(crate) fn queue_backlog(
        &mut self,
        now: Instant,
        served: impl Fn(&Queue) -> bool,
        free: impl Fn(&Pinned) -> bool,
    ) {
        let first = self.served.wrapping_add(1) % self.states.len().max(1);
        self.served = first;
        for partition in self.ids().skip(first).chain(self.ids().take(first)) {
            let waits = self.state(partition).is_some_and(|state| {
                !state.queued
                    && !state.is_held_off(now)
                    && (state.backlog.iter().any(&served) || state.pinned.iter().any(&free))
            });
            if waits {
                self.queue(partition);
                if let Some(state) = self.state(partition) {
                    state.for_permits = state.queued;
                }
            }
        }
    }

    pub(crate) fn set_backlog(
        &mut self,
        partition: PartitionId,
        (backlog, untold): (Vec<Queue>, bool),
        pinned: Vec<Pinned>,
    ) {
        if let Some(state) = self.state(partition) {
            state.backlog = backlog;
            state.untold = untold;
            state.pinned = pinned;
        }
    }

    /// Something is due at `at`: earlier than known, or not known. Stand-ins wait `patience` longer, a step for each rank.
    pub(crate) fn due_at(&mut self, partition: PartitionId, at: Instant, patience: Duration) {
        let Some(state) = self.state(partition) else {
            return;
        };
        let at = at + patience * state.rank;
        if state.visiting {
            state.heard = Some(state.heard.map_or(at, |heard| heard.min(at)));
        } else {
            state.at = state.at.min(at);
        }
    }

    /// The earliest instant at which a partition that is not queued or visited is due.
    pub(crate) fn earliest(&self) -> Instant {
        let waiting = self
            .states
            .iter()
            .filter(|state| !state.queued && !state.visiting);
        let far = Instant::now() + Duration::from_secs(3600);
        waiting.map(State::due).min().unwrap_or(far)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT: Duration = Duration::ZERO;

    fn partitions(now: Instant) -> (Partitions, PartitionId, PartitionId) {
        let partitions = Partitions::new(PartitionCount::new(2).unwrap(), now);
        let id = |number| PartitionId::new(number).unwrap();
        (partitions, id(0), id(1))
    }

    fn taken(partitions: &mut Partitions, now: Instant) -> Vec<PartitionId> {
        let next = || partitions.take(now, |_| true, |_| true);
        std::iter::from_fn(next)
            .map(|(partition, _)| partition)
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_partition_whose_visits_fail_rests_longer_each_time_whatever_is_told() {
        let mut now = Instant::now();
        let (mut partitions, stuck, other) = partitions(now);
        partitions.queue_all();
        assert_eq!(taken(&mut partitions, now), [stuck, other]);
        partitions.set_backlog(stuck, (vec!["g h".parse().unwrap()], false), Vec::new());
        partitions.done(other, now + RETRY_MOST * 100, (now, NOT));
        let mut rests = Vec::new();
        for failures in 1..=8 {
            assert_eq!(partitions.failed(stuck, false, now), failures);
            let failed = now;
            while taken(&mut partitions, now).is_empty() {
                // Permits become free, a message names it, the roster changes.
                partitions.queue_backlog(now, |_| true, |_| true);
                partitions.due_at(stuck, now, NOT);
                partitions.queue(stuck);
                assert!(taken(&mut partitions, now).is_empty() || now - failed >= RETRY_FIRST);
                now += Duration::from_millis(10);
                tokio::time::advance(Duration::from_millis(10)).await;
                partitions.queue_due(now);
            }
            rests.push(now - failed);
        }
        let expected = [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000];
        assert_eq!(rests, expected.map(Duration::from_millis));
        assert_eq!(partitions.recovered(stuck, now), Some(8));
        assert_eq!(partitions.recovered(stuck, now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn when_redis_answers_again_what_it_did_not_answer_is_tried_at_once() {
        let now = Instant::now();
        let (mut partitions, first, second) = partitions(now);
        partitions.queue_all();
        taken(&mut partitions, now);
        for _ in 0..5 {
            partitions.failed(first, true, now);
            partitions.failed(second, true, now);
        }
        let later = now + RETRY_UNREACHABLE;
        assert_eq!(partitions.earliest(), later, "a second at most");
        assert_eq!(partitions.recovered(first, now), Some(5));
        partitions.done(first, later, (now, NOT));
        partitions.queue_due(now);
        assert_eq!(taken(&mut partitions, now), [second]);
        // A new connection ends a rest as well.
        partitions.failed(second, false, now);
        partitions.queue_all();
        assert!(taken(&mut partitions, now).contains(&second));
    }
}
