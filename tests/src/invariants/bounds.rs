//! W9: whatever grows has a bound.

use tickwheel_store::check::rules;

use super::broken::Broken;
use super::facts;
use crate::harness::Snapshot;

/// Sizes of streams, lists, queues, plans, bodies and results; and the keys of single contexts do not live for ever.
#[must_use]
pub fn w9_everything_is_bounded(snapshot: &Snapshot) -> Vec<Broken> {
    let mut broken = facts::found(&facts::keys(snapshot), rules::w9_key_is_bounded);
    broken.extend(facts::found(
        &facts::jobs(snapshot),
        rules::w9_job_is_bounded,
    ));
    broken.extend(facts::found(
        &facts::contexts(snapshot),
        rules::w9_context_is_bounded,
    ));
    broken
}
