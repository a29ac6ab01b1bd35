//! What the services for callers work with.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tickwheel_core::Durability;
use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionId;
use tickwheel_store::Store;
use tickwheel_store::record::Queue;
use tickwheel_store::setup::Server;

use crate::access::Authority;
use crate::config::Config;
use crate::durability::Promises;
use crate::error::Error;
use crate::limits::Limits;
use crate::live::{Hub, Overviews, Rings};
use crate::matching::Matching;
use crate::membership::Drains;
use crate::outcomes::Waits;
use crate::rates::{Rates, Registrations};
use crate::rpc::intake::Intake;

/// What every call may use.
#[derive(Debug)]
pub(crate) struct ApiContext {
    pub(crate) store: Store,
    /// Says who calls.
    pub(crate) authority: Arc<Authority>,
    /// Says how much may be submitted.
    pub(crate) rates: Arc<Rates>,
    pub(crate) matching: Arc<Matching>,
    pub(crate) limits: Arc<Limits>,
    /// Workers that take no more work.
    pub(crate) drains: Arc<Drains>,
    /// Callers that wait for ends of contexts.
    pub(crate) waits: Arc<Waits>,
    /// How the cluster is, in numbers.
    pub(crate) overviews: Arc<Overviews>,
    /// How much is due when.
    pub(crate) rings: Rings,
    /// Who watches what.
    pub(crate) hub: Arc<Hub>,
    /// Small submissions, on their way together.
    pub(crate) intake: Intake,
    /// What Redis said about itself at the start.
    pub(crate) server: Server,
    /// How long heartbeats are valid, in ms.
    pub(crate) heartbeat_ttl_ms: u64,
    /// How long finished `once` jobs stay.
    pub(crate) once_keep: Duration,
    /// How many jobs a namespace may have.
    pub(crate) jobs: Registrations,
    /// Where browsers find this tracker; empty: not known.
    pub(crate) browsers_url: String,
    promises: Promises,
    ids: Ids,
}

/// Where the unique parts of ids come from.
#[derive(Debug)]
pub(crate) struct Ids {
    incarnation: u64,
    count: AtomicU64,
}

impl Ids {
    /// `incarnation` is a number that no other start of a tracker has.
    pub(crate) fn new(incarnation: u64) -> Self {
        Self {
            incarnation,
            count: AtomicU64::new(0),
        }
    }

    fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }
}

/// The parts of a tracker that calls ask.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) authority: Arc<Authority>,
    pub(crate) rates: Arc<Rates>,
    pub(crate) matching: Arc<Matching>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) waits: Arc<Waits>,
    pub(crate) drains: Arc<Drains>,
    pub(crate) overviews: Arc<Overviews>,
    pub(crate) rings: Rings,
    pub(crate) hub: Arc<Hub>,
}

/// An address on which nobody can call, and one that is chosen at the start, say nothing to a browser.
fn browsers_url(config: &Config) -> String {
    let known = |address: &SocketAddr| !address.ip().is_unspecified() && address.port() != 0;
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let address = config.http_listen.filter(known);
    address.map_or_else(String::new, |address| format!("{scheme}://{address}"))
}

impl ApiContext {
    pub(crate) fn new(
        config: &Config,
        store: Store,
        asked: Asked,
        (ids, intake): (Ids, Intake),
        server: Server,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            authority: asked.authority,
            rates: asked.rates,
            matching: asked.matching,
            limits: asked.limits,
            waits: asked.waits,
            drains: asked.drains,
            overviews: asked.overviews,
            rings: asked.rings,
            hub: asked.hub,
            intake,
            server,
            heartbeat_ttl_ms: u64::try_from(config.heartbeat_ttl().as_millis()).unwrap_or(u64::MAX),
            once_keep: config.history.once_keep,
            jobs: Registrations::new(config.quotas.jobs.clone()),
            browsers_url: browsers_url(config),
            promises: config.durability.clone(),
            ids,
        })
    }

    /// How far a write about this namespace comes: as the call asks, or as the namespace has it.
    pub(crate) fn durability(&self, namespace: &str, asked: Option<Durability>) -> Durability {
        asked.unwrap_or_else(|| self.promises.of(namespace))
    }

    /// The store for writes that come so far.
    pub(crate) fn durable(&self, durability: Durability) -> Result<Store, Error> {
        Ok(self.store.durable(durability, self.promises.wait)?)
    }

    /// The next unique part of an id; grows, so that contexts of one due time keep the order of their submission.
    pub(crate) fn uniq(&self) -> String {
        ContextId::uniq(self.ids.incarnation, self.ids.next())
    }

    /// A partition for contexts that may lie anywhere; each call answers with the next one.
    pub(crate) fn any_partition(&self) -> PartitionId {
        let count = u64::from(self.store.partitions().as_u16());
        let number = self.ids.next() % count.max(1);
        u16::try_from(number)
            .ok()
            .and_then(|number| PartitionId::new(number).ok())
            .unwrap_or_default()
    }

    /// Why a context of this queue waits, in words: for a worker, or for a limit. Only a turn knows which of the two it is.
    pub(crate) fn waits_for(&self, queue: &Queue) -> String {
        let group = &queue.group;
        if let Some(paused) = self.limits.paused_in_words(group) {
            return format!("group `{group}` is {paused}");
        }
        let reason = self.matching.waits_for_worker(queue);
        match self.limits.in_words(group) {
            Some(limits) => format!("{reason}; or for a limit: group `{group}` may have {limits}"),
            None => reason,
        }
    }
}
