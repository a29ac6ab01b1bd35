//! Looks at the settings of Redis while the tracker runs: they can be changed under it, and another server may have taken over.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_store::Store;
use tickwheel_store::history::Sizes;
use tickwheel_store::setup::{Eviction, Server};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::config::History;
use crate::durability::Promises;
use crate::http::health::Health;
use crate::metrics::measure;

/// Five commands for each primary and one for each partition; an eviction between two looks is as bad as one before the first.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What is looked at, and who is told.
#[derive(Debug)]
pub(crate) struct Fitness {
    pub(crate) store: Store,
    pub(crate) health: Arc<Health>,
    pub(crate) eviction: Eviction,
    pub(crate) promises: Promises,
    pub(crate) history: History,
}

/// Looks from one time that history is tended to the next: what ages does so by the day.
const TEND_EVERY: u32 = 3;

impl Fitness {
    /// Looks until `stop`. `known` is what was found at the start; only news is logged.
    pub(crate) async fn watch(self, mut known: Server, stop: CancellationToken) {
        self.tend().await;
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut looks = 0;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match self.store.redis().inspect().await {
                Ok(found) => {
                    self.health.unfit(found.unfit(self.eviction));
                    self.count().await;
                    looks = (looks + 1) % TEND_EVERY;
                    if looks == 0 {
                        self.tend().await;
                    }
                    if found != known {
                        report(&found, self.eviction, &self.promises);
                        known = found;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the settings of redis were not answered");
                    measure::store_error(&error);
                }
            }
        }
    }

    /// Tells every partition how much its history may take, and shows what it takes.
    async fn tend(&self) {
        let partitions = self.store.partitions();
        let budget = self.history.of_partition(partitions);
        let mut sizes = Sizes::default();
        for partition in partitions.partitions() {
            match self.store.tend(partition, budget).await {
                Ok(found) => sizes = sizes.plus(found),
                Err(error) => {
                    tracing::debug!(%error, %partition, "a partition was not told its budgets");
                    measure::store_error(&error);
                    return;
                }
            }
        }
        measure::history(sizes);
    }

    /// Shows the counters that scripts keep.
    async fn count(&self) {
        match self.store.counters().await {
            Ok(counters) => measure::kept_in_redis(counters),
            Err(error) => {
                tracing::debug!(%error, "the counters of the partitions were not answered");
                measure::store_error(&error);
            }
        }
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
    for reason in server.unfit(eviction) {
        tracing::error!("{reason}");
    }
    if eviction == Eviction::Tolerated {
        for reason in &server.evictions {
            tracing::error!("JOBS WILL BE LOST, as `allow_eviction` is set: {reason}");
        }
    }
    measure::server(server, eviction);
}
