//! One checking function for each invariant that can be seen from outside, on a [`Snapshot`] and on what the workers did. What Redis alone
//! tells is judged by the rules of `tickwheel_store::check`, which `tickwheel store check` applies to live clusters.
//!
//! They hold at every instant, in a quiet cluster and under load. Not here: W5 (a restart of Redis has a test of its own), and the half of
//! W7 that says everything ends ([`Rig::drained`](crate::harness::Rig::drained)).

mod attempts;
mod bounds;
mod broken;
mod clock;
mod edges;
mod endings;
mod facts;
mod fans;
mod firings;
mod limits;
mod overlap;
mod places;
mod recurring;

use anyhow::{Result, bail};
use tickwheel_core::partition::PartitionCount;
use tickwheel_store::check::rules;

use crate::harness::snapshot::Partition;
use crate::harness::{Run, Snapshot};

pub use attempts::{w2_attempts_grow, w2_no_attempt_twice};
pub use bounds::w9_everything_is_bounded;
pub use broken::Broken;
pub use clock::w10_nothing_is_early;
pub use edges::w4_followers_are_told;
pub use endings::w7_what_waits_will_end;
pub use fans::w8_subtasks_agree;
pub use firings::w3_a_firing_is_one_context;
pub use limits::w6_limits_count_what_runs;
pub use overlap::{w6_active_contexts, w6_running_handlers, whole};
pub use places::w1_one_place;
pub use recurring::w4_recurring_jobs_go_on;

/// What can be told of one partition of a cluster of so many, at the cost of gathering its facts once: for whoever checks after each step.
#[must_use]
pub fn of_partition(partition: &Partition, count: PartitionCount) -> Vec<Broken> {
    let mut broken = facts::found(&facts::contexts_of(partition), rules::of_context);
    broken.extend(facts::found(
        &facts::jobs_of(partition, count),
        rules::of_job,
    ));
    broken.extend(facts::found(&facts::fans_of(partition), rules::of_fan));
    broken.extend(facts::found(&facts::keys_of(partition), rules::of_key));
    broken.extend(facts::found(
        &facts::queues_of(partition),
        rules::w1_backlog,
    ));
    broken.extend(firings::ends_of(partition));
    broken.extend(endings::deliveries_of(partition));
    broken
}

/// All checks.
#[must_use]
pub fn all(snapshot: &Snapshot, runs: &[Run]) -> Vec<Broken> {
    let mut broken = w1_one_place(snapshot);
    broken.extend(w2_attempts_grow(runs));
    broken.extend(w3_a_firing_is_one_context(snapshot));
    broken.extend(w4_recurring_jobs_go_on(snapshot));
    broken.extend(w4_followers_are_told(snapshot));
    broken.extend(w6_active_contexts(snapshot));
    broken.extend(w6_limits_count_what_runs(snapshot));
    broken.extend(w6_running_handlers(snapshot, runs));
    broken.extend(w7_what_waits_will_end(snapshot));
    broken.extend(w8_subtasks_agree(snapshot));
    broken.extend(w9_everything_is_bounded(snapshot));
    broken.extend(w10_nothing_is_early(snapshot, runs));
    broken
}

/// Makes an error of what is broken.
///
/// # Errors
/// Lists the first twenty.
pub fn require(broken: &[Broken]) -> Result<()> {
    if broken.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = broken.iter().take(20).map(Broken::to_string).collect();
    bail!(
        "{} invariants are broken:\n{}",
        broken.len(),
        lines.join("\n")
    )
}
