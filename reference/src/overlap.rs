//! What a firing does while earlier contexts of its job are active: what `lua/lib/jobs/overlap.lua` is held against (W6).

use tickwheel_core::job::Overlap;
use tickwheel_core::ledger::Reason;

/// What becomes of a firing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverlapDecision {
    /// It becomes ready.
    Start,
    /// It waits for an active one to end.
    Queue,
    /// It never runs.
    Skip(Reason),
    /// The active one is cancelled; the firing waits for its end, in place of whatever waits already.
    Replace,
}

/// Decides about one firing: `active` contexts of the job were created and have not ended, `queued` wait for one.
#[must_use]
pub fn decide(overlap: &Overlap, active: u64, queued: u64) -> OverlapDecision {
    match *overlap {
        Overlap::Parallel(limit) if active < u64::from(limit) => OverlapDecision::Start,
        Overlap::Parallel(_) => OverlapDecision::Skip(Reason::OverlapParallel),
        Overlap::Queue(_) | Overlap::QueueOne | Overlap::Discard | Overlap::Replace
            if active == 0 =>
        {
            OverlapDecision::Start
        }
        Overlap::Queue(limit) if queued < u64::from(limit) => OverlapDecision::Queue,
        Overlap::Queue(_) => OverlapDecision::Skip(Reason::OverlapQueueFull),
        Overlap::QueueOne if queued == 0 => OverlapDecision::Queue,
        Overlap::QueueOne => OverlapDecision::Skip(Reason::OverlapCollapsed),
        Overlap::Discard => OverlapDecision::Skip(Reason::OverlapDiscard),
        Overlap::Replace => OverlapDecision::Replace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_decides_by_what_is_active_and_queued() {
        use OverlapDecision::{Queue, Replace, Skip, Start};
        let table = [
            (Overlap::Parallel(2), 0, 0, Start),
            (Overlap::Parallel(2), 1, 0, Start),
            (Overlap::Parallel(2), 2, 0, Skip(Reason::OverlapParallel)),
            (Overlap::Queue(2), 0, 0, Start),
            (Overlap::Queue(2), 1, 1, Queue),
            (Overlap::Queue(2), 1, 2, Skip(Reason::OverlapQueueFull)),
            (Overlap::QueueOne, 0, 0, Start),
            (Overlap::QueueOne, 1, 0, Queue),
            (Overlap::QueueOne, 1, 1, Skip(Reason::OverlapCollapsed)),
            (Overlap::Discard, 0, 0, Start),
            (Overlap::Discard, 1, 0, Skip(Reason::OverlapDiscard)),
            (Overlap::Replace, 0, 0, Start),
            (Overlap::Replace, 1, 0, Replace),
            (Overlap::Replace, 1, 1, Replace),
        ];
        for (overlap, active, queued, expected) in table {
            assert_eq!(
                decide(&overlap, active, queued),
                expected,
                "{overlap} {active} {queued}"
            );
        }
    }
}
