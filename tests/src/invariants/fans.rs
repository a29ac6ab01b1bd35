//! W8: a split context and its subtasks agree.

use tickwheel_store::check::rules;

use super::broken::Broken;
use super::facts;
use crate::harness::Snapshot;

/// What a split context counts is what runs and waits of it, and it is over when the last of its subtasks has ended.
#[must_use]
pub fn w8_subtasks_agree(snapshot: &Snapshot) -> Vec<Broken> {
    facts::found(&facts::fans(snapshot), rules::w8_fan_agrees)
}
