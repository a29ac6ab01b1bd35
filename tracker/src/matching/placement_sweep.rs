//! Placements that no context needs any more are let go before a partition is full of them.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_store::Store;

use crate::membership::Roster;
use crate::metrics::measure;
use crate::periodic::{Counts, Periodic};

/// Between two looks whether a partition has many.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Placements of a partition from which on those that nothing needs go; it may keep 1,000.
const MANY: usize = 500;

/// Looks at the partitions that this tracker turns, one after the other.
#[derive(Debug)]
pub(crate) struct PlacementSweep {
    pub(crate) store: Store,
    pub(crate) roster: Arc<Roster>,
}

impl Periodic for PlacementSweep {
    const TASK: &'static str = "placements";

    fn every(&self) -> Duration {
        LOOK_EVERY
    }

    async fn run_once(&mut self) -> Counts {
        let mut counts = Counts::default();
        for partition in self.roster.owned() {
            let swept = self.store.sweep_placements(partition, MANY).await;
            counts.add(swept.is_ok());
            match swept {
                Ok(Some(placements)) if placements > 0 => {
                    tracing::debug!(%partition, placements, "placements that nothing needs any more went");
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%partition, %error, "the placements of a partition were not looked at");
                    measure::store_error(&error);
                }
            }
        }
        counts
    }
}
