//! Which workers may take what: those that offer its handler, and fit its placement.

use std::collections::HashMap;
use std::sync::Arc;

use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::{Mode, Placement, PlacementId, Profile};
use tickwheel_core::run::ContextState;
use tickwheel_store::Store;
use tickwheel_store::context::ContextView;
use tickwheel_store::record::Queue;
use tickwheel_store::wheel::Pinned;
use tokio::time::Instant;

use super::placements::Placements;
use crate::sessions::{Offered, Session, Sessions};

/// Whether contexts of a queue would be taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Some worker takes them.
    Now,
    /// Perhaps: the one that the policy wants is full, but it may be passed over for single contexts.
    Perhaps,
    /// Nobody: no worker fits, or all that do are full.
    No,
}

/// A session, for the rules that compare workers.
struct Candidate(Arc<Session>, Arc<Profile>);

impl AsRef<Profile> for Candidate {
    fn as_ref(&self) -> &Profile {
        &self.1
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Matching {
    pub(super) store: Store,
    pub(super) sessions: Arc<Sessions>,
    pub(super) placements: Placements,
}

impl Matching {
    pub(crate) fn new(store: Store, sessions: Arc<Sessions>) -> Arc<Self> {
        Arc::new(Self {
            store,
            sessions,
            placements: Placements::default(),
        })
    }

    /// A placement that something of the partition has; `None` when it could not be read.
    pub(crate) async fn placement(
        &self,
        partition: PartitionId,
        id: PlacementId,
    ) -> Option<Arc<Placement>> {
        self.placements.learn(&self.store, partition, &[id]).await;
        self.placements.get(&id)
    }

    /// Reads the placements of these contexts, so that what is said of them is exact.
    pub(crate) async fn learn(&self, views: &[ContextView]) {
        for view in views
            .iter()
            .filter(|view| view.state == ContextState::Ready)
        {
            let partition = view.id.partition();
            self.placements
                .learn(&self.store, partition, view.placement.as_slice())
                .await;
        }
    }

    /// Something of these queues waits in the partition, or was claimed there; `pinned` are the workers for which parts wait.
    pub(crate) fn met(&self, partition: PartitionId, queues: &[Queue], pinned: &[Pinned]) {
        self.placements
            .met(partition, queues.iter(), Instant::now());
        self.placements.pin(partition, pinned);
    }

    /// The workers of a placement, in its order.
    pub(super) fn fitting(&self, placement: &Placement, queue: &Queue) -> Vec<Arc<Session>> {
        let offering = self
            .sessions
            .offering(&queue.group, queue.handler.as_str())
            .into_iter();
        let offering: Vec<Candidate> = offering
            .map(|session| {
                let profile = session.profile();
                Candidate(session, profile)
            })
            .collect();
        let fitting = placement.fitting(&offering).into_iter();
        fitting.map(|candidate| Arc::clone(&candidate.0)).collect()
    }

    /// Whether a context of this queue would be taken now.
    pub(crate) fn takes(&self, queue: &Queue) -> Taken {
        if queue.stopped.is_some() {
            return Taken::No;
        }
        match self.sessions.offered(&queue.group, queue.handler.as_str()) {
            Offered::Free => {}
            // Whatever its placement is, which no visit reads while nobody offers the handler.
            Offered::Busy | Offered::ByNobody => return Taken::No,
        }
        let Some(id) = queue.placement else {
            return Taken::Now;
        };
        let Some(placement) = self.placements.get(&id) else {
            // A visit reads it.
            return if self.placements.is_missing(&id) {
                Taken::No
            } else {
                Taken::Now
            };
        };
        let workers = self.fitting(&placement, queue);
        let requires = &placement.requires;
        let free = |session: &Arc<Session>| {
            session.credit().available() > 0
                && (requires.is_empty() || requires.fit_in(&session.units().available()))
        };
        let first = workers.first().is_some_and(free);
        if !workers.iter().any(free) {
            Taken::No
        } else if placement.routing.policy.mode() == Mode::First && !first {
            Taken::Perhaps
        } else {
            Taken::Now
        }
    }

    /// Whether a part that is meant for a worker would be taken by it now.
    pub(crate) fn is_free_for(&self, pinned: &Pinned) -> bool {
        let (worker, queue) = (&pinned.worker, &pinned.queue);
        let Some(session) = self.sessions.get(worker) else {
            return false;
        };
        if !session.offers(&queue.group, queue.handler.as_str())
            || session.credit().available() == 0
        {
            return false;
        }
        let Some(id) = queue.placement else {
            return true;
        };
        match self.placements.get(&id) {
            Some(placement) => placement.requires.fit_in(&session.units().available()),
            // A visit reads it.
            None => !self.placements.is_missing(&id),
        }
    }

    /// What a context of this placement takes of its worker's resources; `None` when the placement is not known (any more).
    pub(crate) fn requires(&self, placement: Option<&PlacementId>) -> Option<HashMap<String, u64>> {
        let Some(placement) = placement else {
            return Some(HashMap::new());
        };
        let placement = self.placements.get(placement)?;
        let requires = placement.requires.iter();
        let owned = requires.map(|(name, amount)| (name.to_owned(), amount));
        Some(owned.collect())
    }
}
