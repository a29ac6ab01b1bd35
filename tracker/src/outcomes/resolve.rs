//! Settlements of attempts that are not held: settled before, or their leases were lost. The records tell which, for many at once.

use std::sync::Arc;

use tickwheel_core::partition::PartitionId;
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_store::Store;
use tickwheel_store::lease::{AttemptRef, Fate};

use super::confirm::{Confirmations, unwritten};
use crate::batches::{Batches, Calls};
use crate::seldom::Unwritten;
use crate::sessions::{Session, Slot};

/// A settlement whose attempt is not held.
#[derive(Debug)]
pub(crate) struct Unheld {
    pub(crate) session: Arc<Session>,
    pub(crate) attempt: AttemptRef,
    pub(crate) slot: Slot,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Resolving {
    batches: Batches<Unheld>,
    store: Store,
    unwritten: Unwritten,
}

impl Resolving {
    pub(crate) fn new(calls: &Calls, store: Store) -> Arc<Self> {
        Arc::new(Self {
            batches: calls.batches(),
            store,
            unwritten: Unwritten::default(),
        })
    }

    /// Tells what became of these attempts.
    pub(super) fn resolve(self: &Arc<Self>, partition: PartitionId, unheld: Vec<Unheld>) {
        let resolving = Arc::clone(self);
        self.batches.push(partition, unheld, move |batch| {
            let resolving = Arc::clone(&resolving);
            async move { resolving.answer(partition, batch).await }
        });
    }

    /// Answers one batch. What no record of the last ends tells is taken for a lost lease: nothing was changed by its report, and the worker
    /// needs no more.
    async fn answer(&self, partition: PartitionId, batch: Vec<Unheld>) {
        let mut unheld = Vec::with_capacity(batch.len());
        let mut attempts = Vec::with_capacity(batch.len());
        for one in batch {
            attempts.push(one.attempt);
            unheld.push((one.session, one.slot));
        }
        let fates = match self.store.fates(partition, &attempts).await {
            Ok(fates) => fates,
            Err(error) => {
                let count = attempts.len();
                self.unwritten.count(&error, |unsaid| {
                    tracing::warn!(%partition, count, %error, unsaid, "settlements were not looked up; the workers report again");
                });
                let (mut confirmations, why) = (Confirmations::default(), unwritten(&error));
                for ((session, _slot), attempt) in unheld.into_iter().zip(attempts) {
                    confirmations.tell(&session, attempt, Verdict::Unavailable, why);
                }
                confirmations.send();
                return;
            }
        };
        let mut confirmations = Confirmations::default();
        for (((session, _slot), attempt), fate) in unheld.into_iter().zip(attempts).zip(fates) {
            let verdict = match fate {
                Fate::Settled => Verdict::AlreadySettled,
                Fate::Lost => Verdict::Stale,
            };
            confirmations.add(&session, attempt, verdict);
        }
        confirmations.send();
    }
}
