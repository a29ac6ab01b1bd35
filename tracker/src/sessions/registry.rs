//! All workers' streams of this tracker, by worker, by group, and by what they offer.
//!
//! What waits is looked up by group and handler for each queue and whenever permits become free, so nothing here goes through all streams
//! to answer that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tickwheel_core::id::{GroupName, WorkerId};
use tickwheel_proto::v1::TrackerMessage;
use tickwheel_store::lease::AttemptRef;
use tickwheel_store::wake::WorkerCancel;
use tickwheel_store::wheel::Served;
use tokio::sync::Notify;

use super::cancel::cancel;
use super::in_flight::InFlight;
use super::offering::Offering;
use super::session::Session;
use crate::metrics::measure::GroupFigures;

/// Streams by their worker: in order, so that what is offered to a turn does not depend on chance.
type ByWorker = BTreeMap<WorkerId, Arc<Session>>;

/// The live streams.
#[derive(Debug, Default)]
pub(crate) struct Live {
    by_worker: ByWorker,
    /// Each in the order of its workers.
    pub(crate) groups: BTreeMap<GroupName, Vec<Arc<Session>>>,
    offering: BTreeMap<GroupName, Offering>,
}

impl Live {
    /// The streams of a group that offer a handler, in the order of their workers; some may drain.
    pub(crate) fn offering(
        &self,
        group: &GroupName,
        handler: &str,
    ) -> impl DoubleEndedIterator<Item = &Arc<Session>> + Clone {
        let offering = self.offering.get(group);
        let sessions = offering.map_or(&[][..], |offering| offering.of(handler));
        sessions.iter()
    }

    fn add(&mut self, session: &Arc<Session>) {
        let of_group = self.groups.entry(session.group.clone()).or_default();
        let at = of_group.partition_point(|one| one.worker < session.worker);
        of_group.insert(at, Arc::clone(session));
        let offering = self.offering.entry(session.group.clone()).or_default();
        offering.add(session);
    }

    fn take_out(&mut self, session: &Arc<Session>) {
        if let Some(of_group) = self.groups.get_mut(&session.group) {
            of_group.retain(|one| !Arc::ptr_eq(one, session));
            if of_group.is_empty() {
                self.groups.remove(&session.group);
            }
        }
        if let Some(offering) = self.offering.get_mut(&session.group) {
            offering.remove(session);
            if offering.is_empty() {
                self.offering.remove(&session.group);
            }
        }
    }

    fn withdraw(&mut self, session: &Arc<Session>, handler: &str) {
        let left = Arc::new(session.handlers().without(handler));
        let current = self.by_worker.get(&session.worker);
        if !current.is_some_and(|current| Arc::ptr_eq(current, session)) {
            session.set_handlers(left);
            return;
        }
        let offering = self.offering.entry(session.group.clone()).or_default();
        offering.remove(session);
        session.set_handlers(left);
        offering.add(session);
    }
}

/// Whether a handler is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// No worker has it.
    ByNobody,
    /// Workers have it, and no permit is free.
    Busy,
    /// One of them has a free permit.
    Free,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    live: RwLock<Live>,
    /// Told when permits became free or a worker came.
    pub(crate) capacity: Notify,
    in_flight: Arc<AtomicUsize>,
    /// Streams that came so far.
    came: AtomicUsize,
}

impl Sessions {
    /// What counts the reports of a new stream.
    pub(crate) fn in_flight(&self) -> InFlight {
        InFlight::new(Arc::clone(&self.in_flight))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write()
    }

    /// Adds a stream; an older one of the same worker is returned, to be ended.
    pub(crate) fn insert(&self, session: Arc<Session>) -> Option<Arc<Session>> {
        let mut live = self.write();
        let older = live.by_worker.remove(&session.worker);
        if let Some(older) = &older {
            live.take_out(older);
        }
        live.add(&session);
        live.by_worker.insert(session.worker.clone(), session);
        drop(live);
        self.came.fetch_add(1, Ordering::Relaxed);
        self.capacity.notify_one();
        older
    }

    /// Removes `session` unless a newer stream of the worker took its place. True when it was removed.
    pub(crate) fn remove(&self, session: &Arc<Session>) -> bool {
        let mut live = self.write();
        let current = live
            .by_worker
            .get(&session.worker)
            .is_some_and(|current| Arc::ptr_eq(current, session));
        if current {
            live.by_worker.remove(&session.worker);
            live.take_out(session);
        }
        current
    }

    /// The worker of `session` refused this handler: it is not offered again on this stream.
    pub(crate) fn withdraw(&self, session: &Arc<Session>, handler: &str) {
        self.write().withdraw(session, handler);
    }

    pub(crate) fn get(&self, worker: &WorkerId) -> Option<Arc<Session>> {
        self.read().by_worker.get(worker).cloned()
    }

    /// All of them, in the order of their workers.
    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.read().by_worker.values().cloned().collect()
    }

    /// Tells every worker.
    pub(crate) fn tell_all(&self, message: impl Fn() -> TrackerMessage) {
        for session in self.all() {
            // A stream that just ended: its worker hears it from another tracker.
            session.send(message()).ok();
        }
    }

    /// Passes a cancellation on to its worker, when the worker has a stream here.
    pub(crate) fn tell_cancel(&self, told: WorkerCancel) {
        let Some(session) = self.get(&told.worker) else {
            return;
        };
        let attempt = AttemptRef {
            context: told.context,
            attempt: told.attempt,
        };
        // A stream that just ended: the next renewal tells the worker.
        session.send(cancel(attempt, told.reason)).ok();
    }

    /// How the workers of each group do.
    pub(crate) fn figures(&self) -> BTreeMap<GroupName, GroupFigures> {
        let mut by_group = BTreeMap::<GroupName, GroupFigures>::new();
        for session in self.read().by_worker.values() {
            let free = session.credit().available();
            let figures = by_group.entry(session.group.clone()).or_default();
            figures.workers += 1;
            figures.free += u64::from(free);
            figures.busy += u64::from(session.hello.permits.saturating_sub(free));
        }
        by_group
    }

    /// Whether some worker of the group offers the handler, free or not.
    pub(crate) fn offers(&self, group: &GroupName, handler: &str) -> bool {
        self.read().offering(group, handler).next().is_some()
    }

    /// Whether some worker of the group offers the handler, and has a permit.
    pub(crate) fn offered(&self, group: &GroupName, handler: &str) -> Offered {
        let live = self.read();
        let mut offering = live
            .offering(group, handler)
            .filter(|session| !session.is_draining())
            .peekable();
        if offering.peek().is_none() {
            Offered::ByNobody
        } else if offering.any(|session| session.credit().available() > 0) {
            Offered::Free
        } else {
            Offered::Busy
        }
    }

    /// How many streams came so far: what is served here may be more when it has grown.
    pub(crate) fn came(&self) -> usize {
        self.came.load(Ordering::Relaxed)
    }

    /// What is offered here, with or without free permits: at most `most` names, a group counting for one, and each `turn` begins behind
    /// those of the one before.
    pub(crate) fn served(&self, most: usize, turn: usize) -> Vec<Served> {
        let live = self.read();
        let names = || {
            let groups = live.offering.iter();
            groups.flat_map(|(group, offering)| {
                offering.handlers().map(move |handler| (group, handler))
            })
        };
        let start = turn.wrapping_mul(most / 2) % names().count().max(1);
        let (mut served, mut count) = (Vec::<Served>::new(), 0);
        for (group, handler) in names().skip(start).chain(names().take(start)) {
            let known = served.last().is_some_and(|last| last.group == *group);
            count += 1 + usize::from(!known);
            if count > most {
                break;
            }
            if !known {
                served.push(Served {
                    group: group.clone(),
                    handlers: Vec::new(),
                });
            }
            if let Some(last) = served.last_mut() {
                last.handlers.push(handler.clone());
            }
        }
        served
    }

    /// The workers of the group that offer the handler, in the order of their ids.
    pub(crate) fn offering(&self, group: &GroupName, handler: &str) -> Vec<Arc<Session>> {
        let live = self.read();
        live.offering(group, handler)
            .filter(|session| !session.is_draining())
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests;
