//! W1: a context is in exactly one place, and every index agrees with the places.

use tickwheel_store::check::rules;

use super::broken::Broken;
use super::facts;
use crate::harness::Snapshot;

/// Each context once, where it is looked for; the indexes, the backlog and the active contexts of its job agree; and what has ended lies
/// nowhere.
#[must_use]
pub fn w1_one_place(snapshot: &Snapshot) -> Vec<Broken> {
    let mut broken = facts::found(&facts::contexts(snapshot), rules::w1_one_place);
    broken.extend(facts::found(&facts::queues(snapshot), rules::w1_backlog));
    broken
}
