//! All workers' streams of this tracker.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use tickwheel_core::id::{GroupName, WorkerId};
use tickwheel_core::routing::Units;
use tickwheel_store::wheel::Offer;
use tokio::sync::Notify;

use super::Session;

/// Workers offered to one turn at most; with more, turns rotate over them.
const OFFERED_MAX: usize = 64;
/// Workers that fit lanes, offered to one turn at most.
const WANTED_MAX: usize = 900;

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
    pub(crate) workers: Vec<Taken>,
}

/// A worker that a lane of a turn fits.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) session: Arc<Session>,
    /// The lane takes of its resources.
    pub(crate) takes_units: bool,
}

/// Permits of one worker.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) session: Arc<Session>,
    pub(crate) permits: u32,
    /// Another turn had more of them in hand, or its resources.
    soon: bool,
    /// Its free resources, where a lane of the turn asks for some and no other turn has them.
    units: Option<Units>,
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

    /// Takes up to `most` free permits of each of up to 64 workers. `turn` rotates over them. Those of `wanted` are offered in any case,
    /// even without a free permit.
    pub(crate) fn reserve(&self, most: u32, turn: usize, wanted: &[Wanted]) -> Reserved {
        let sessions = self
            .by_worker
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let start = turn % sessions.len().max(1);
        let rotated = sessions
            .values()
            .skip(start)
            .chain(sessions.values().take(start));
        let mut workers = Vec::new();
        let mut take = |session: &Arc<Session>, wanted: Option<&Wanted>| {
            let mut credit = session.credit();
            let in_hand = credit.in_hand() > 0;
            let permits = credit.reserve(most);
            drop(credit);
            let takes_units = wanted.is_some_and(|wanted| wanted.takes_units);
            let units = takes_units.then(|| session.units().take()).flatten();
            if permits > 0 || wanted.is_some() {
                workers.push(Taken {
                    session: Arc::clone(session),
                    permits,
                    soon: in_hand || (takes_units && units.is_none()),
                    units,
                });
            }
            workers.len()
        };
        let mut seen = HashSet::new();
        // Those whose resources are asked for come first: a worker is taken once.
        let (with, without) = wanted.iter().partition::<Vec<_>, _>(|one| one.takes_units);
        for one in with.into_iter().chain(without) {
            if seen.len() < WANTED_MAX && seen.insert(one.session.worker.clone()) {
                take(&one.session, Some(one));
            }
        }
        for session in rotated.filter(|session| !session.is_draining()) {
            if !seen.contains(&session.worker) && take(session, None) >= OFFERED_MAX {
                break;
            }
        }
        Reserved { workers }
    }
}

impl Reserved {
    /// Whether there is any.
    pub(crate) fn has_permits(&self) -> bool {
        self.workers.iter().any(|taken| taken.permits > 0)
    }

    pub(crate) fn offers(&self) -> Vec<Offer> {
        self.workers
            .iter()
            .map(|taken| Offer {
                worker: taken.session.worker.clone(),
                group: taken.session.group.clone(),
                permits: taken.permits,
                soon: taken.soon,
                units: taken.units.clone().unwrap_or_default(),
                handlers: taken.session.handlers(),
            })
            .collect()
    }

    /// Where a worker stands among the offers.
    pub(crate) fn position(&self, session: &Arc<Session>) -> Option<usize> {
        self.workers
            .iter()
            .position(|taken| Arc::ptr_eq(&taken.session, session))
    }

    /// Gives back what was not used; `used` counts by position. True when there was something: a turn of another partition may have
    /// found these permits taken.
    #[must_use]
    pub(crate) fn give_back(self, used: &[u32]) -> bool {
        let mut unused = 0;
        for (position, taken) in self.workers.into_iter().enumerate() {
            let used = used.get(position).copied().unwrap_or(0);
            let rest = taken.permits.saturating_sub(used);
            taken.session.credit().give_back(taken.permits, rest);
            taken.session.sent(used);
            if taken.units.is_some() {
                taken.session.units().give_back();
                unused += 1;
            }
            unused += rest;
        }
        unused > 0
    }
}
