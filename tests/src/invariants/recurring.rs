//! W4: a recurring, enabled job goes on.

use tickwheel_store::check::rules;

use super::broken::Broken;
use super::facts;
use crate::harness::Snapshot;

/// An active job has its entry in the wheel, or a firing that will give it one; any other has none; and the list of jobs is true.
#[must_use]
pub fn w4_recurring_jobs_go_on(snapshot: &Snapshot) -> Vec<Broken> {
    facts::found(&facts::jobs(snapshot), rules::w4_goes_on)
}
