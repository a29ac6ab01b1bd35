//! How many jobs a namespace may have, and whose turn it is to register some there.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::config::Quota;

/// Namespaces that share one wait for each other.
const LANES: usize = 64;

/// See the module. What is counted and what is written upon it are no single step: so that nobody else of this tracker comes between, there are turns.
#[derive(Debug)]
pub(crate) struct Registrations {
    quota: Quota,
    lanes: Vec<Arc<Mutex<()>>>,
    hasher: RandomState,
}

impl Registrations {
    pub(crate) fn new(quota: Quota) -> Self {
        Self {
            quota,
            lanes: (0..LANES).map(|_| Arc::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    /// How many jobs a namespace may have; `None`: any number.
    pub(crate) fn of(&self, namespace: &str) -> Option<u64> {
        let quota = u64::from(self.quota.of(namespace));
        (quota > 0).then_some(quota)
    }

    /// Waits until nobody else registers in one of these namespaces; what is returned is held meanwhile. A caller that goes away gives up its place.
    pub(crate) async fn turns<'a>(
        &self,
        namespaces: impl Iterator<Item = &'a str>,
    ) -> Vec<OwnedMutexGuard<()>> {
        let lane = |namespace| self.hasher.hash_one::<&str>(namespace) % LANES as u64;
        // All take them in one order, so that nobody waits for somebody who waits for it.
        let lanes: BTreeSet<u64> = namespaces.map(lane).collect();
        let mut held = Vec::with_capacity(lanes.len());
        for lane in lanes {
            let lane = usize::try_from(lane)
                .ok()
                .and_then(|lane| self.lanes.get(lane));
            if let Some(lane) = lane {
                held.push(Arc::clone(lane).lock_owned().await);
            }
        }
        held
    }
}
