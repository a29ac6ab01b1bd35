//! Permits taken for one turn: of whom, and how many.
//!
//! A turn is told of few workers, as it reads what each of them offers. First come those that the placements of the partition fit, then those
//! that offer what waits in it, then one of each group in rotation, so that no group is kept out by others that have many workers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tickwheel_core::routing::Units;
use tickwheel_store::record::Queue;
use tickwheel_store::wheel::Offer;

use crate::sessions::{Live, Session, Sessions};

/// Workers offered to one turn at most, beside those of placements; with more, turns rotate over them.
const OFFERED_MAX: usize = 64;
/// Workers that fit placements, offered to one turn at most.
const WANTED_MAX: usize = 900;
/// Bytes of the handlers that one turn is told of. What a worker offers beyond it waits for a later turn.
const HANDLERS_BYTES_MAX: usize = 65_536;

/// Permits taken for one turn; what it does not use goes back.
#[derive(Debug)]
pub(crate) struct Reserved {
    pub(crate) workers: Vec<Taken>,
}

/// A worker that a placement of a turn fits.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) session: Arc<Session>,
    /// The placement takes of its resources.
    pub(crate) takes_units: bool,
}

/// Permits of one worker.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) session: Arc<Session>,
    pub(crate) permits: u32,
    handlers: Arc<str>,
    /// Another turn had more of them in hand, or its resources.
    soon: bool,
    /// Its free resources, where a placement of the turn asks for some and no other turn has them.
    units: Option<Units>,
}

/// What is taken so far.
struct Taking {
    most: u32,
    seen: HashSet<*const Session>,
    workers: Vec<Taken>,
    /// Those that no placement asked for.
    plain: usize,
    /// Of the handlers, those that workers share counted once.
    bytes: usize,
    /// By their address.
    told: HashSet<usize>,
}

impl Taking {
    fn take(&mut self, session: &Arc<Session>, wanted: Option<&Wanted>) {
        if !self.seen.insert(Arc::as_ptr(session)) {
            return;
        }
        let mut credit = session.credit();
        let in_hand = credit.in_hand() > 0;
        if wanted.is_none() && credit.available() == 0 {
            return;
        }
        let permits = credit.reserve(self.most);
        drop(credit);
        let takes_units = wanted.is_some_and(|wanted| wanted.takes_units);
        let units = takes_units.then(|| session.units().take()).flatten();
        let mut handlers = session.handlers().text();
        if self.told.insert(Arc::as_ptr(&handlers).addr()) {
            self.bytes += handlers.len();
        }
        if self.bytes > HANDLERS_BYTES_MAX && wanted.is_some() {
            // A placement knows it by its place.
            handlers = Arc::default();
        }
        self.plain += usize::from(wanted.is_none());
        self.workers.push(Taken {
            session: Arc::clone(session),
            permits,
            handlers,
            soon: in_hand || (takes_units && units.is_none()),
            units,
        });
    }

    fn is_full(&self) -> bool {
        self.plain >= OFFERED_MAX || self.bytes >= HANDLERS_BYTES_MAX
    }

    /// Those that offer what waits: the next one of each queue in turn.
    fn take_for(&mut self, live: &Live, waiting: &[Queue], turn: usize) {
        let plain = waiting
            .iter()
            .filter(|queue| queue.placement.is_none() && queue.stopped.is_none());
        let mut queues: Vec<_> = plain
            .map(|queue| {
                let offering = live.offering(&queue.group, queue.handler.as_str());
                let start = turn % offering.clone().count().max(1);
                let (ahead, behind) = (offering.clone().skip(start), offering.take(start));
                ahead.chain(behind)
            })
            .collect();
        while !queues.is_empty() && !self.is_full() {
            queues.retain_mut(|offering| {
                let free = |session: &&Arc<Session>| {
                    !session.is_draining() && session.credit().available() > 0
                };
                let next = offering.find(free);
                if let Some(session) = next.filter(|_| !self.is_full()) {
                    self.take(session, None);
                }
                next.is_some()
            });
        }
    }

    /// Of each group the next one in turn, then the next but one, and so on.
    fn take_of_groups(&mut self, live: &Live, turn: usize) {
        let first = turn % live.groups.len().max(1);
        let groups: Vec<&Vec<Arc<Session>>> = live
            .groups
            .values()
            .skip(first)
            .chain(live.groups.values().take(first))
            .collect();
        let longest = groups.iter().map(|group| group.len()).max().unwrap_or(0);
        for step in 0..longest {
            for group in &groups {
                if self.is_full() {
                    return;
                }
                let at = turn.wrapping_add(step) % group.len().max(1);
                let next = group.get(at).filter(|_| step < group.len());
                if let Some(session) = next.filter(|session| !session.is_draining()) {
                    self.take(session, None);
                }
            }
        }
    }
}

/// Takes up to `most` free permits of each of some workers, `turn` rotating over them. Those of `wanted` are offered in any case, even
/// without a free permit; `waiting` is what is known to wait in the partition.
pub(crate) fn reserve(
    live: &Live,
    most: u32,
    turn: usize,
    (wanted, waiting): (&[Wanted], &[Queue]),
) -> Reserved {
    let mut taking = Taking {
        most,
        seen: HashSet::new(),
        workers: Vec::new(),
        plain: 0,
        bytes: 0,
        told: HashSet::new(),
    };
    // Those whose resources are asked for come first: a worker is taken once.
    let (with, without) = wanted.iter().partition::<Vec<_>, _>(|one| one.takes_units);
    for one in with.into_iter().chain(without) {
        if taking.workers.len() < WANTED_MAX {
            taking.take(&one.session, Some(one));
        }
    }
    taking.take_for(live, waiting, turn);
    taking.take_of_groups(live, turn);
    Reserved {
        workers: taking.workers,
    }
}

/// Returns the permits that a turn reserved and did not use, and has what waits for permits looked at again: a turn that ran beside it may
/// have found them taken.
pub(crate) fn return_permits(sessions: &Sessions, reserved: Reserved, used: &[u32]) {
    if reserved.give_back(used) {
        sessions.capacity.notify_one();
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
                handlers: Arc::clone(&taken.handlers),
            })
            .collect()
    }

    /// Where each worker stands among the offers.
    pub(crate) fn positions(&self) -> HashMap<*const Session, usize> {
        let workers = self.workers.iter().enumerate();
        workers
            .map(|(position, taken)| (Arc::as_ptr(&taken.session), position))
            .collect()
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
