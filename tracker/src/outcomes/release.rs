//! Attempts that did not start, given back.

use std::sync::Arc;

use tickwheel_core::partition::PartitionId;
use tickwheel_store::Store;
use tickwheel_store::lease::Holding;

use crate::batches::{Batches, Calls};
use crate::metrics::measure;
use crate::redis_health::Room;
use crate::seldom::Unwritten;
use crate::sessions::Slot;

/// See the module.
#[derive(Debug)]
pub(crate) struct Releases {
    batches: Batches<(Holding, Option<Slot>)>,
    store: Store,
    room: Arc<Room>,
    unwritten: Unwritten,
}

impl Releases {
    pub(crate) fn new(calls: &Calls, store: Store, room: Arc<Room>) -> Arc<Self> {
        Arc::new(Self {
            batches: calls.batches(),
            store,
            room,
            unwritten: Unwritten::default(),
        })
    }

    /// Gives an attempt back that did not start, if the worker that it was claimed for holds it; `slot` is that of the stream which said so.
    /// If Redis does not answer, the dispatch lease ends soon.
    pub(crate) fn release(self: &Arc<Self>, holding: Holding, slot: Option<Slot>) {
        let partition = holding.attempt.context.partition();
        let releases = Arc::clone(self);
        self.batches
            .push(partition, [(holding, slot)], move |batch: Vec<_>| {
                let releases = Arc::clone(&releases);
                async move { releases.write(partition, batch).await }
            });
    }

    async fn write(&self, partition: PartitionId, batch: Vec<(Holding, Option<Slot>)>) {
        let (batch, _slots): (Vec<Holding>, Vec<Option<Slot>>) = batch.into_iter().unzip();
        crash_point!("before_release");
        match self.store.release(partition, &batch).await {
            Ok(released) => measure::foreign("release", released.foreign),
            Err(error) => {
                let count = batch.len();
                self.room.failed(partition, &error);
                self.unwritten.count(&error, |unsaid| {
                    tracing::warn!(%partition, count, %error, unsaid, "release failed; the dispatch leases end by themselves");
                });
            }
        }
        crash_point!("after_release");
    }
}
