//! What the services for callers work with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tickwheel_core::Durability;
use tickwheel_core::id::{ContextId, JobName};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::run::StateWord;
use tickwheel_store::Store;
use tickwheel_store::context::ContextView;
use tickwheel_store::record::Queue;
use tickwheel_store::setup::Server;

use crate::engine::Engine;
use crate::error::Error;

/// The shared middle of the caller-facing services.
#[derive(Debug)]
pub(crate) struct Shared {
    engine: Arc<Engine>,
    incarnation: u64,
    counter: AtomicU64,
    server: Server,
}

impl Shared {
    pub(crate) fn new(engine: Arc<Engine>, incarnation: u64, server: Server) -> Self {
        Self {
            engine,
            incarnation,
            counter: AtomicU64::new(0),
            server,
        }
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(crate) fn store(&self) -> &Store {
        &self.engine.store
    }

    /// The store for a write about `job`, or about no job, as durable as the call asks or as its namespace has it.
    pub(crate) fn durable(
        &self,
        job: Option<&JobName>,
        asked: Option<Durability>,
    ) -> Result<Store, Error> {
        let promises = &self.engine.config.durability;
        let durability = asked.unwrap_or_else(|| promises.of(job.map(JobName::namespace)));
        Ok(self.engine.store.durable(durability, promises.wait)?)
    }

    /// What Redis said about itself at the start.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// The next unique part of an id; grows, so that contexts of one due time keep the order of their submission.
    pub(crate) fn uniq(&self) -> String {
        ContextId::uniq(
            self.incarnation,
            self.counter.fetch_add(1, Ordering::Relaxed),
        )
    }

    /// A partition for contexts that may lie anywhere; each call answers with the next one.
    pub(crate) fn any_partition(&self) -> PartitionId {
        let count = u64::from(self.engine.store.partitions().as_u16());
        let number = self.counter.fetch_add(1, Ordering::Relaxed) % count.max(1);
        u16::try_from(number)
            .ok()
            .and_then(|number| PartitionId::new(number).ok())
            .unwrap_or_default()
    }

    /// Has this tracker know the limits of groups now; the others read them with their next beat.
    pub(crate) async fn read_limits(&self) {
        self.engine.read_limits().await;
    }

    /// How long signs of life are valid.
    pub(crate) fn beat_ttl_ms(&self) -> u64 {
        u64::try_from(self.engine.config.beat_ttl().as_millis()).unwrap_or(u64::MAX)
    }

    /// Why a context of this queue waits for a worker, in words.
    pub(crate) fn waits_for(&self, queue: &Queue) -> String {
        self.engine.waits_for(queue)
    }

    /// Reads lanes, so that what is said of their contexts is exact.
    pub(crate) async fn learn(&self, views: &[ContextView]) {
        for view in views.iter().filter(|view| view.state == StateWord::Ready) {
            let lanes = view.lane.as_slice();
            let partition = view.id.partition();
            self.engine
                .lanes
                .learn(&self.engine.store, partition, lanes)
                .await;
        }
    }
}
