//! Leases that their workers want to be prolonged: prolonged, or told lost or cancelled.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::cancel::CancelReason;
use tickwheel_core::partition::PartitionId;
use tickwheel_proto::v1::{Renewed, TrackerMessage};
use tickwheel_store::Store;
use tickwheel_store::lease::{AttemptRef, Holding, Renewal};

use crate::batches::{Batches, Calls};
use crate::metrics::measure;
use crate::redis_health::Room;
use crate::seldom::Unwritten;
use crate::sessions::{Session, Slot, cancel};

/// Running leases are told to workers as this much shorter, so that a worker gives up before Redis does.
const LEASE_MARGIN: Duration = Duration::from_millis(500);

/// An attempt whose lease its worker wants to be prolonged.
#[derive(Debug)]
struct Renewing {
    session: Arc<Session>,
    attempt: AttemptRef,
    slot: Slot,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Renewals {
    batches: Batches<Renewing>,
    store: Store,
    room: Arc<Room>,
    unwritten: Unwritten,
}

impl Renewals {
    pub(crate) fn new(calls: &Calls, store: Store, room: Arc<Room>) -> Arc<Self> {
        Arc::new(Self {
            batches: calls.batches(),
            store,
            room,
            unwritten: Unwritten::default(),
        })
    }

    /// Prolongs the lease of an attempt; the worker is told when it is lost or cancelled.
    pub(crate) fn renew(self: &Arc<Self>, session: &Arc<Session>, attempt: AttemptRef) {
        let partition = attempt.context.partition();
        let renewing = Renewing {
            session: Arc::clone(session),
            attempt,
            slot: session.in_flight.begin(),
        };
        let renewals = Arc::clone(self);
        self.batches.push(partition, [renewing], move |batch| {
            let renewals = Arc::clone(&renewals);
            async move { renewals.write(partition, batch).await }
        });
    }

    /// Waits until every announcement that came so far is in Redis, or its call has failed.
    pub(crate) async fn written(&self) {
        self.batches.written().await;
    }

    /// Prolongs one batch of leases, and tells the workers what became of them.
    async fn write(&self, partition: PartitionId, batch: Vec<Renewing>) {
        let mut sessions = Vec::with_capacity(batch.len());
        let mut attempts = Vec::with_capacity(batch.len());
        for Renewing {
            session,
            attempt,
            slot,
        } in batch
        {
            let worker = session.worker.clone();
            sessions.push((session, slot));
            attempts.push(Holding { attempt, worker });
        }
        crash_point!("before_accept_flush");
        let renewals = match self.store.renew(partition, &attempts).await {
            Ok(renewals) => renewals,
            Err(error) => {
                let count = attempts.len();
                self.room.failed(partition, &error);
                self.unwritten.count(&error, |unsaid| {
                    tracing::warn!(%partition, count, %error, unsaid, "renewing failed; the workers ask again");
                });
                return;
            }
        };
        crash_point!("after_accept_flush");
        let told = sessions.into_iter().zip(attempts).zip(renewals);
        for (((session, _slot), holding), renewal) in told {
            session.send(answer(&renewal, holding.attempt)).ok();
        }
    }
}

/// What a worker is told of the lease it wanted to be prolonged.
fn answer(renewal: &Renewal, attempt: AttemptRef) -> TrackerMessage {
    match *renewal {
        Renewal::Kept(lease) => {
            let lease = lease.saturating_sub(LEASE_MARGIN.min(lease / 4));
            let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
            TrackerMessage {
                renewed: vec![Renewed {
                    context_id: attempt.context.into(),
                    attempt: attempt.attempt.as_u32(),
                    lease_ms,
                }],
                ..TrackerMessage::default()
            }
        }
        Renewal::Cancelling(reason) => cancel(attempt, reason),
        Renewal::Lost => {
            measure::stale("renew");
            cancel(attempt, CancelReason::Fenced)
        }
        Renewal::Foreign => {
            measure::foreign("renew", 1);
            cancel(attempt, CancelReason::Fenced)
        }
    }
}
