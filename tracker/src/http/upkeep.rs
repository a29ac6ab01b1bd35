//! Beside the surface that shows them, the metrics are folded: the exporter keeps raw samples until then.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;

use crate::periodic::{Counts, Periodic};

/// Raw samples are folded into buckets this often; without it memory grows until a scrape.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Folds raw samples into buckets. Dropping a round loses nothing that was folded.
#[derive(Debug)]
pub(crate) struct Upkeep(pub(crate) PrometheusHandle);

impl Periodic for Upkeep {
    const TASK: &'static str = "metrics";

    fn every(&self) -> Duration {
        UPKEEP_EVERY
    }

    async fn run_once(&mut self) -> Counts {
        let handle = self.0.clone();
        // It takes a while where there are many; a panic in it is nobody's end.
        let folded = tokio::task::spawn_blocking(move || handle.run_upkeep()).await;
        Counts::one(folded.is_ok())
    }
}
