//! Shows how many wake channels are heard: a tracker that misses some finds what is submitted by looking, a second late at worst.

use std::sync::Arc;

use tickwheel_store::Hearing;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::metrics::measure;

/// Shows it until `stop`, or until nobody hears any more.
pub(crate) async fn watch(
    mut hearing: watch::Receiver<Hearing>,
    health: Arc<Health>,
    stop: CancellationToken,
) {
    loop {
        let now = *hearing.borrow_and_update();
        measure::wake_channels(now);
        health.hears(now);
        match stop.run_until_cancelled(hearing.changed()).await {
            Some(Ok(())) => {}
            Some(Err(_)) => {
                health.hears(Hearing {
                    subscribed: 0,
                    ..now
                });
                return;
            }
            None => return,
        }
    }
}
