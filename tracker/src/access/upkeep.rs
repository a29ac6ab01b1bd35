//! What is written down again and again: refusals, and which tokens are used.

use std::sync::Arc;
use std::time::Duration;

use super::audit::Audit;
use super::authority::Authority;
use crate::metrics::measure;
use crate::periodic::{Counts, Periodic};

/// Between two notes which tokens were used.
const USED_EVERY: u32 = 60;

/// Every second.
#[derive(Debug)]
pub(crate) struct AccessUpkeep {
    authority: Arc<Authority>,
    audit: Arc<Audit>,
    round: u32,
}

impl AccessUpkeep {
    pub(crate) fn new(authority: Arc<Authority>, audit: Arc<Audit>) -> Self {
        Self {
            authority,
            audit,
            round: 0,
        }
    }
}

impl Periodic for AccessUpkeep {
    const TASK: &'static str = "access";

    fn every(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn run_once(&mut self) -> Counts {
        self.audit.tend().await;
        self.round = self.round.wrapping_add(1);
        if !self.round.is_multiple_of(USED_EVERY) {
            return Counts::default();
        }
        let noted = self.authority.tend().await;
        if let Err(error) = &noted {
            tracing::debug!(%error, "it was not noted which tokens were used");
            measure::store_error(error);
        }
        Counts::one(noted.is_ok())
    }
}
