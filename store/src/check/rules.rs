//! The checking function of each invariant that can be seen in Redis. Each looks at the facts of one subject, decides nothing else, and
//! answers with what is broken.
//!
//! Not here: W2, which needs to know what workers started (`tests/`); W5, which is a matter of restarts.

mod bounds;
mod clock;
mod edges;
mod endings;
mod fans;
mod firings;
mod limits;
mod overlap;
mod places;
mod recurring;
mod rule;

pub use bounds::{
    w9_context_is_bounded, w9_history_is_bounded, w9_job_is_bounded, w9_key_is_bounded,
};
pub use clock::{w10_context_is_not_early, w10_job_is_not_early};
pub use edges::followers_agree;
pub use endings::{
    w7_context_will_end, w7_deletion_goes_on, w7_delivery_is_near, w7_queue_moves,
    w7_scan_is_planned,
};
pub use fans::w8_fan_agrees;
pub use firings::w3_fired_once;
pub use limits::w6_limit_counts;
pub use overlap::w6_active_contexts;
pub use places::{w1_backlog, w1_one_place};
pub use recurring::w4_goes_on;

use super::{ContextFacts, FanFacts, Finding, JobFacts, KeyFacts};

/// Every rule about a context.
#[must_use]
pub fn of_context(facts: &ContextFacts) -> Vec<Finding> {
    let mut found = w1_one_place(facts);
    found.extend(w7_context_will_end(facts));
    found.extend(w9_context_is_bounded(facts));
    found.extend(w10_context_is_not_early(facts));
    found
}

/// Every rule about a job.
#[must_use]
pub fn of_job(facts: &JobFacts) -> Vec<Finding> {
    let mut found = w3_fired_once(facts);
    found.extend(w4_goes_on(facts));
    found.extend(w6_active_contexts(facts));
    found.extend(w7_queue_moves(facts));
    found.extend(w7_deletion_goes_on(facts));
    found.extend(w9_job_is_bounded(facts));
    found.extend(followers_agree(facts));
    found.extend(w10_job_is_not_early(facts));
    found
}

/// Every rule about a split context.
#[must_use]
pub fn of_fan(facts: &FanFacts) -> Vec<Finding> {
    w8_fan_agrees(facts)
}

/// Every rule about a key.
#[must_use]
pub fn of_key(facts: &KeyFacts) -> Vec<Finding> {
    w9_key_is_bounded(facts)
}
