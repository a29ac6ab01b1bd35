//! Lanes that no context needs any more are let go before a partition is full of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::metrics::measure;

/// Between two looks whether a partition has many.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Lanes of a partition from which on those that nothing needs go; it may keep 1,000.
const MANY: usize = 500;

/// Looks until `stop`, one partition after the other.
pub(crate) async fn watch(engine: Arc<Engine>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let look = async {
            for partition in engine.owned() {
                match engine.store.sweep_lanes(partition, MANY).await {
                    Ok(Some(lanes)) if lanes > 0 => {
                        tracing::debug!(%partition, lanes, "lanes that nothing needs any more went");
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::debug!(%partition, %error, "the lanes of a partition were not looked at");
                        measure::store_error(&error);
                    }
                }
            }
        };
        if stop.run_until_cancelled(look).await.is_none() {
            return;
        }
    }
}
