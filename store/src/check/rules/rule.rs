//! One rule at work.

use tickwheel_core::partition::PartitionId;

use crate::check::{ContextFacts, Evidence, Finding, JobFacts, Kind, Subject};

/// What one rule finds about one subject.
pub(super) struct Rule {
    pub(super) partition: PartitionId,
    pub(super) subject: Subject,
    pub(super) found: Vec<Finding>,
}

impl Rule {
    pub(super) fn of_context(facts: &ContextFacts) -> Self {
        Self {
            partition: facts.partition,
            subject: Subject::Context(facts.id.clone()),
            found: Vec::new(),
        }
    }

    pub(super) fn of_job(facts: &JobFacts) -> Self {
        Self {
            partition: facts.partition,
            subject: Subject::Job(facts.name.clone()),
            found: Vec::new(),
        }
    }

    /// Notes `kind` unless it `holds`.
    pub(super) fn check(&mut self, holds: bool, kind: Kind, detail: impl FnOnce() -> String) {
        self.check_at(holds, kind, Vec::new, detail);
    }

    /// The same, with where it was seen.
    pub(super) fn check_at(
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
