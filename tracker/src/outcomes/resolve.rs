//! Settlements of attempts that are not held: settled before, or their leases were lost. The records tell which, for many at once.

use std::sync::Arc;

use tickwheel_core::partition::PartitionId;
use tickwheel_proto::v1::confirmation::Verdict as WireVerdict;
use tickwheel_store::lease::{AttemptRef, Fate};

use super::settle::Confirmations;
use crate::engine::Engine;
use crate::sessions::{Session, Slot};

/// A settlement whose attempt is not held.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) session: Arc<Session>,
    pub(crate) attempt: AttemptRef,
    pub(crate) slot: Slot,
}

/// Answers one batch. What no record of the last ends tells is taken for a lost lease: nothing was changed by its report, and the worker
/// needs no more.
pub(crate) async fn write(engine: Arc<Engine>, partition: PartitionId, batch: Vec<Unknown>) {
    let mut unknown = Vec::with_capacity(batch.len());
    let mut attempts = Vec::with_capacity(batch.len());
    for one in batch {
        attempts.push(one.attempt);
        unknown.push((one.session, one.slot));
    }
    let fates = match engine.store.fates(partition, &attempts).await {
        Ok(fates) => fates,
        Err(error) => {
            let count = attempts.len();
            engine.unwritten(&error, |unsaid| {
                tracing::warn!(%partition, count, %error, unsaid, "settlements were not looked up; the workers report again");
            });
            return;
        }
    };
    let mut confirmations = Confirmations::default();
    for (((session, _slot), attempt), fate) in unknown.into_iter().zip(attempts).zip(fates) {
        let verdict = match fate {
            Fate::Settled => WireVerdict::AlreadySettled,
            Fate::Lost => WireVerdict::Stale,
        };
        confirmations.add(&session, attempt, verdict);
    }
    confirmations.send();
}
