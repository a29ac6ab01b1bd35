//! Leases that are over: their attempts end, and their workers, when they live after all, are told.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::cancel::CancelReason;
use tickwheel_core::id::WorkerId;
use tickwheel_core::partition::PartitionId;
use tickwheel_store::Store;
use tickwheel_store::lease::{AttemptRef, Reaped};
use tickwheel_store::wake::WorkerCancel;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::failed_work::FailedWork;
use crate::metrics::measure;
use crate::redis_health::{Outage, Room};
use crate::seldom::{LINE_EVERY, Seldom};
use crate::sessions::Sessions;

/// A worker that dies may have held thousands; each is in its context's history.
static LOST: Seldom = Seldom::new(LINE_EVERY);

/// See the module.
#[derive(Debug)]
pub(crate) struct Reaper {
    store: Store,
    dispatch_lease: Duration,
    sessions: Arc<Sessions>,
    outage: Arc<Outage>,
    room: Arc<Room>,
    tasks: TaskTracker,
    failed: FailedWork<PartitionId>,
}

impl Reaper {
    pub(crate) fn new(
        store: Store,
        dispatch_lease: Duration,
        sessions: Arc<Sessions>,
        (outage, room): (Arc<Outage>, Arc<Room>),
        tasks: TaskTracker,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            dispatch_lease,
            sessions,
            outage,
            room,
            tasks,
            failed: FailedWork::default(),
        })
    }

    /// Looks at the running contexts of a partition, in the background; leases of `evicted` workers end now. While leases may be over that
    /// nobody could prolong, it waits.
    pub(crate) fn reap(self: &Arc<Self>, partition: PartitionId, evicted: Vec<WorkerId>) {
        if evicted.is_empty() && self.failed.rests(&partition, Instant::now()) {
            return;
        }
        let reaper = Arc::clone(self);
        self.tasks.spawn(async move {
            while let Some(until) = reaper.outage.grace(Instant::now()) {
                tokio::time::sleep_until(until).await;
            }
            crash_point!("before_reap");
            let random = rand::random_range(0..1_000_000);
            let lease = reaper.dispatch_lease;
            let reaped = reaper.store.reap(partition, &evicted, lease, random).await;
            let reaped = reaped.map(|reaped| {
                crash_point!("after_reap");
                reaper.tell(reaped);
            });
            if let Err(error) = &reaped {
                measure::store_error(error);
                reaper.room.failed(partition, error);
            }
            if let Some((times, error)) = reaper.failed.ended(partition, reaped) {
                tracing::warn!(%partition, times, %error, "lease scan failed; the wheel brings the next one");
            }
        });
    }

    fn tell(&self, reaped: Reaped) {
        measure::reaped(&reaped);
        for lost in reaped.lost {
            let AttemptRef { context, attempt } = lost.attempt;
            let worker = lost.worker;
            if let Some(kept_back) = LOST.next(Instant::now()) {
                tracing::warn!(%context, %attempt, %worker, retrying = lost.retrying, kept_back, "lease lost");
            }
            self.sessions.tell_cancel(WorkerCancel {
                worker,
                context,
                attempt,
                reason: CancelReason::Fenced,
            });
        }
    }
}
