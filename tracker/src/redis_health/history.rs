//! Tells every partition how much its history may take, and shows what it takes.

use std::time::Duration;

use tickwheel_store::Store;
use tickwheel_store::history::{Budget, Sizes};

use crate::metrics::measure;
use crate::periodic::{Counts, Periodic};

/// What ages does so by the day.
const TEND_EVERY: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Debug)]
pub(crate) struct HistoryTending {
    pub(crate) store: Store,
    /// Of each partition.
    pub(crate) budget: Budget,
}

impl Periodic for HistoryTending {
    const TASK: &'static str = "history";

    fn every(&self) -> Duration {
        TEND_EVERY
    }

    async fn run_once(&mut self) -> Counts {
        let mut counts = Counts::default();
        let mut sizes = Sizes::default();
        for partition in self.store.partitions().partitions() {
            let found = self.store.tend(partition, self.budget).await;
            counts.add(found.is_ok());
            match found {
                Ok(found) => sizes = sizes.plus(found),
                Err(error) => {
                    tracing::debug!(%error, %partition, "a partition was not told its budgets");
                    measure::store_error(&error);
                    return counts;
                }
            }
        }
        measure::history(sizes);
        counts
    }
}
