//! Looks at the settings of Redis while the tracker runs: they can be changed under it, and another server may have taken over.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_store::Store;
use tickwheel_store::setup::{Eviction, Server};

use crate::durability::Promises;
use crate::health::Health;
use crate::metrics::measure;
use crate::periodic::{Counts, Periodic};

/// Five commands for each primary; an eviction between two looks is as bad as one before the first.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What is looked at, and who is told.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) store: Store,
    pub(crate) health: Arc<Health>,
    pub(crate) eviction: Eviction,
    pub(crate) promises: Promises,
    /// What was found last; only news is logged.
    pub(crate) known: Server,
}

impl Periodic for Settings {
    const TASK: &'static str = "settings";

    fn every(&self) -> Duration {
        LOOK_EVERY
    }

    async fn run_once(&mut self) -> Counts {
        let found = match self.store.redis().inspect().await {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, "the settings of redis were not answered");
                measure::store_error(&error);
                return Counts::one(false);
            }
        };
        self.health
            .misconfigured(found.misconfigured(self.eviction));
        if found != self.known {
            report(&found, self.eviction, &self.promises);
            self.known = found;
        }
        Counts::one(true)
    }
}

/// Says in one block what can be lost under which failure, and what a person should change.
pub(crate) fn report(server: &Server, eviction: Eviction, promises: &Promises) {
    for mode in promises.modes() {
        tracing::info!("what can be lost: {}", server.losses(mode).join("\n"));
        if let Some(broken) = server.cannot_keep(mode) {
            tracing::warn!("{broken}");
        }
    }
    for warning in &server.warnings {
        tracing::warn!("{warning}");
    }
    for reason in server.misconfigured(eviction) {
        tracing::error!("{reason}");
    }
    if eviction == Eviction::Tolerated {
        for reason in &server.evictions {
            tracing::error!("JOBS WILL BE LOST, as `allow_eviction` is set: {reason}");
        }
    }
    measure::server(server, eviction);
}
