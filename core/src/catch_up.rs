//! Which late due times fire when a tracker catches up after an outage (`tracker/src/planning/catch_up.rs`). The misfire policy of what is
//! due in a turn is applied by `lua/lib/jobs/misfire.lua`; tests hold that script against this.

use crate::job::{Misfire, MisfirePolicy};
use crate::ledger::Reason;
use crate::time::TimestampMs;

/// What becomes of one due time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It fires.
    Fire,
    /// It never will.
    Missed(Reason),
}

/// Decides every due time of `dues` (ascending, none later than `now`).
///
/// Within the tolerance a due time fires whatever the policy. Of the late ones, those outside the catch-up window are
/// dropped first; the policy decides about the rest.
#[must_use]
pub fn decide(
    dues: &[TimestampMs],
    now: TimestampMs,
    misfire: &Misfire,
) -> Vec<(TimestampMs, Verdict)> {
    let lateness = |due: TimestampMs| now.ms_since(due);
    let is_late = |due: TimestampMs| lateness(due) > misfire.tolerance_ms;
    let is_dropped = |due: TimestampMs| {
        misfire
            .catch_up_window_ms
            .is_some_and(|window| lateness(due) > window)
    };

    let late = dues
        .iter()
        .filter(|due| is_late(**due) && !is_dropped(**due))
        .count();
    let (firing, reason) = match misfire.policy {
        MisfirePolicy::Skip => (0, Reason::MisfireSkip),
        MisfirePolicy::FireOnce => (1, Reason::MisfireCollapsed),
        MisfirePolicy::FireAll => (
            usize::try_from(misfire.limit).unwrap_or(usize::MAX),
            Reason::MisfireLimit,
        ),
    };
    let mut older = late.saturating_sub(firing);
    dues.iter()
        .map(|due| {
            let verdict = if !is_late(*due) {
                Verdict::Fire
            } else if is_dropped(*due) {
                Verdict::Missed(Reason::CatchUpWindow)
            } else if older > 0 {
                older -= 1;
                Verdict::Missed(reason)
            } else {
                Verdict::Fire
            };
            (*due, verdict)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_000_000;

    fn verdicts(ages: &[u64], misfire: Misfire) -> Vec<Verdict> {
        let dues: Vec<_> = ages.iter().map(|age| TimestampMs::new(NOW - age)).collect();
        let decided = decide(&dues, TimestampMs::new(NOW), &misfire);
        decided.into_iter().map(|(_, verdict)| verdict).collect()
    }

    fn policy(policy: MisfirePolicy) -> Misfire {
        Misfire {
            policy,
            ..Misfire::default()
        }
    }

    #[test]
    fn a_due_time_within_the_tolerance_fires_whatever_the_policy() {
        for one in MisfirePolicy::ALL {
            assert_eq!(verdicts(&[5_000, 0], policy(*one)), [Verdict::Fire; 2]);
        }
    }

    #[test]
    fn skip_misses_every_late_due_time() {
        let missed = Verdict::Missed(Reason::MisfireSkip);
        assert_eq!(
            verdicts(&[9_000, 5_001, 10], policy(MisfirePolicy::Skip)),
            [missed, missed, Verdict::Fire]
        );
    }

    #[test]
    fn fire_once_fires_the_newest_late_due_time() {
        let missed = Verdict::Missed(Reason::MisfireCollapsed);
        let fired = verdicts(&[9_000, 8_000, 7_000], policy(MisfirePolicy::FireOnce));
        assert_eq!(fired, [missed, missed, Verdict::Fire]);
    }

    #[test]
    fn fire_all_fires_the_newest_up_to_its_limit() {
        let misfire = Misfire {
            limit: 2,
            ..policy(MisfirePolicy::FireAll)
        };
        let missed = Verdict::Missed(Reason::MisfireLimit);
        assert_eq!(
            verdicts(&[9_000, 8_000, 7_000], misfire),
            [missed, Verdict::Fire, Verdict::Fire]
        );
    }

    #[test]
    fn a_due_time_outside_the_catch_up_window_is_dropped_first() {
        let misfire = Misfire {
            catch_up_window_ms: Some(8_500),
            ..policy(MisfirePolicy::FireOnce)
        };
        let dropped = Verdict::Missed(Reason::CatchUpWindow);
        assert_eq!(verdicts(&[9_000, 8_000], misfire), [dropped, Verdict::Fire]);
        assert_eq!(verdicts(&[9_000, 8_600], misfire), [dropped, dropped]);
    }

    proptest! {
        #[test]
        fn every_due_time_is_decided_and_the_late_that_fire_are_bounded(
            mut ages in proptest::collection::vec(0_u64..NOW, 0..50),
            one in 0_usize..3,
            limit in 1_u32..10,
        ) {
            ages.sort_unstable_by(|a, b| b.cmp(a));
            let misfire = Misfire { limit, ..policy(MisfirePolicy::ALL[one]) };
            let decided = verdicts(&ages, misfire);
            prop_assert_eq!(decided.len(), ages.len());
            let late_fired = ages.iter().zip(&decided)
                .filter(|(age, verdict)| **age > 5_000 && **verdict == Verdict::Fire).count();
            prop_assert!(late_fired <= 10);
        }
    }
}
