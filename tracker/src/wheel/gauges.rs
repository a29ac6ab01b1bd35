//! What is read from Redis for the metrics only, seldom: what the partitions hold that this tracker turns, and what their scripts counted.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_store::Store;
use tickwheel_store::wheel::Gauges;

use crate::membership::Roster;
use crate::metrics::measure;
use crate::periodic::{Counts, Periodic};

/// Between two looks at what is held. A scrape is rarely more often.
const HELD_EVERY: Duration = Duration::from_secs(30);
/// Between two looks at the counters: one command for each partition.
const COUNTERS_EVERY: Duration = Duration::from_secs(10);

/// How much waits, runs and is late. A partition that another tracker turns is in that one's figures: sums over all trackers are those of the
/// cluster.
#[derive(Debug)]
pub(crate) struct HeldGauges {
    pub(crate) store: Store,
    pub(crate) roster: Arc<Roster>,
}

impl Periodic for HeldGauges {
    const TASK: &'static str = "gauges";

    fn every(&self) -> Duration {
        HELD_EVERY
    }

    async fn run_once(&mut self) -> Counts {
        let mut counts = Counts::default();
        let mut sum = Gauges::default();
        for partition in self.roster.owned() {
            let gauges = self.store.gauges(partition).await;
            counts.add(gauges.is_ok());
            match gauges {
                Ok(gauges) => sum = sum.and(gauges),
                Err(error) => {
                    tracing::debug!(%partition, %error, "what a partition holds was not answered");
                    measure::store_error(&error);
                }
            }
        }
        measure::held(sum);
        counts
    }
}

/// The counters that scripts keep, of the whole cluster.
#[derive(Debug)]
pub(crate) struct ScriptCounters {
    pub(crate) store: Store,
}

impl Periodic for ScriptCounters {
    const TASK: &'static str = "counters";

    fn every(&self) -> Duration {
        COUNTERS_EVERY
    }

    async fn run_once(&mut self) -> Counts {
        let counters = self.store.counters().await;
        let answered = counters.is_ok();
        match counters {
            Ok(counters) => measure::kept_in_redis(counters),
            Err(error) => {
                tracing::debug!(%error, "the counters of the partitions were not answered");
                measure::store_error(&error);
            }
        }
        Counts::one(answered)
    }
}
