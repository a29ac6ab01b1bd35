//! How each fault is provoked, and what is expected of it. The words stand in the catalogue.

pub(super) mod clocks;
pub(super) mod garbage;
pub(super) mod networks;
pub(super) mod redis;
pub(super) mod reports;
pub(super) mod silent;
pub(super) mod start;
pub(super) mod stores;
pub(super) mod trackers;
pub(super) mod workers;

use std::time::Duration;

use tickwheel_core::job::ContextOptions;
use tokio::time::sleep;

/// Lets the cluster run on for a while.
pub(super) async fn pass(ms: u64) {
    sleep(Duration::from_millis(ms)).await;
}

/// So many attempts, without a pause between them, and a short grace.
pub(super) fn attempts(max: u32) -> ContextOptions {
    let mut options = crate::harness::jobs::tries(max, 0);
    options.cancel_grace_ms = 500;
    options
}
