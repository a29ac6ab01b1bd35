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

use tickwheel_core::partition::PartitionId;

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

use super::{ContextFacts, Evidence, FanFacts, Finding, JobFacts, KeyFacts, Kind, Subject};

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

/// What one rule finds about one subject.
struct Rule {
    partition: PartitionId,
    subject: Subject,
    found: Vec<Finding>,
}

impl Rule {
    fn of_context(facts: &ContextFacts) -> Self {
        Self {
            partition: facts.partition,
            subject: Subject::Context(facts.id.clone()),
            found: Vec::new(),
        }
    }

    fn of_job(facts: &JobFacts) -> Self {
        Self {
            partition: facts.partition,
            subject: Subject::Job(facts.name.clone()),
            found: Vec::new(),
        }
    }

    /// Notes `kind` unless it `holds`.
    fn check(&mut self, holds: bool, kind: Kind, detail: impl FnOnce() -> String) {
        self.check_at(holds, kind, Vec::new, detail);
    }

    /// The same, with where it was seen.
    fn check_at(
        &mut self,
        holds: bool,
        kind: Kind,
        evidence: impl FnOnce() -> Vec<Evidence>,
        detail: impl FnOnce() -> String,
    ) {
        if !holds {
            self.found.push(Finding {
                kind,
                partition: self.partition,
                subject: self.subject.clone(),
                detail: detail(),
                evidence: evidence(),
            });
        }
    }
}
