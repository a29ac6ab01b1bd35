//! How much waits, runs and is late in the partitions that this tracker turns, for the metrics: one short read of each, seldom.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_store::wheel::Gauges;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::metrics::measure;

/// Between two looks. A scrape is rarely more often.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Looks until `stop`. A partition that another tracker turns is in that one's figures: sums over all trackers are those of the cluster.
pub(crate) async fn watch(engine: Arc<Engine>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let mut sum = Gauges::default();
        for partition in engine.owned() {
            match engine.store.gauges(partition).await {
                Ok(gauges) => sum = sum.and(gauges),
                Err(error) => {
                    tracing::debug!(%partition, %error, "what a partition holds was not answered");
                    measure::store_error(&error);
                }
            }
        }
        measure::held(sum);
    }
}
