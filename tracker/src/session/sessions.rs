//! All workers' streams of this tracker.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tickwheel_core::id::{GroupName, WorkerId};
use tickwheel_store::wheel::Offer;
use tokio::sync::Notify;

use super::Session;

/// Workers offered to one turn at most; with more, turns rotate over them.
const OFFERED_MAX: usize = 64;

/// The live streams, by worker.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    // In order, so that what is offered to a turn does not depend on chance.
    by_worker: RwLock<BTreeMap<WorkerId, Arc<Session>>>,
    /// Told when permits became free or a worker came.
    pub(crate) capacity: Notify,
}

/// Permits taken for one turn; what it does not use goes back.
#[derive(Debug)]
pub(crate) struct Reserved {
    pub(crate) sessions: Vec<(Arc<Session>, u32)>,
}

impl Sessions {
    /// Adds a stream; an older one of the same worker is returned, to be ended.
    pub(crate) fn insert(&self, session: Arc<Session>) -> Option<Arc<Session>> {
        let mut sessions = self
            .by_worker
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let older = sessions.insert(session.worker.clone(), session);
        drop(sessions);
        self.capacity.notify_one();
        older
    }

    /// Removes `session` unless a newer stream of the worker took its place. True when it was removed.
    pub(crate) fn remove(&self, session: &Arc<Session>) -> bool {
        let mut sessions = self
            .by_worker
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let current = sessions
            .get(&session.worker)
            .is_some_and(|current| Arc::ptr_eq(current, session));
        if current {
            sessions.remove(&session.worker);
        }
        current
    }

    pub(crate) fn get(&self, worker: &WorkerId) -> Option<Arc<Session>> {
        self.by_worker
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(worker)
            .cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.by_worker
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// True when some worker of the group offers the handler; the second is true when one of them has a free permit.
    pub(crate) fn offered(&self, group: &GroupName, handler: &str) -> (bool, bool) {
        let sessions = self
            .by_worker
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let mut offering = sessions
            .values()
            .filter(|session| session.offers(group, handler))
            .peekable();
        let known = offering.peek().is_some();
        (
            known,
            offering.any(|session| session.credit().available() > 0),
        )
    }

    /// Takes up to `most` free permits of each of up to 64 workers. `turn` rotates over them.
    pub(crate) fn reserve(&self, most: u32, turn: usize) -> Reserved {
        let sessions = self
            .by_worker
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let start = turn % sessions.len().max(1);
        let rotated = sessions
            .values()
            .skip(start)
            .chain(sessions.values().take(start));
        let mut reserved = Vec::new();
        for session in rotated.filter(|session| !session.is_draining()) {
            let taken = session.credit().reserve(most);
            if taken > 0 {
                reserved.push((Arc::clone(session), taken));
            }
            if reserved.len() == OFFERED_MAX {
                break;
            }
        }
        Reserved { sessions: reserved }
    }
}

impl Reserved {
    pub(crate) fn offers(&self) -> Vec<Offer> {
        self.sessions
            .iter()
            .map(|(session, permits)| Offer {
                worker: session.worker.clone(),
                group: session.group.clone(),
                permits: *permits,
                handlers: session.handlers(),
            })
            .collect()
    }

    /// Gives back what was not used; `used` counts by position. True when there was something: a turn of another partition may have
    /// found these permits taken.
    #[must_use]
    pub(crate) fn give_back(self, used: &[u32]) -> bool {
        let mut unused = 0;
        for (position, (session, taken)) in self.sessions.into_iter().enumerate() {
            let rest = taken.saturating_sub(used.get(position).copied().unwrap_or(0));
            session.credit().give_back(rest);
            unused += rest;
        }
        unused > 0
    }
}
