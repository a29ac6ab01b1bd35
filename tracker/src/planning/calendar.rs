//! The calendar of a job, and how far ahead its due times are laid in.

use tickwheel_core::calendar::Calendar;
use tickwheel_core::error::Violation;
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_store::job::JobView;

/// Due times of a cron job laid in ahead: half a minute of one that fires every second.
pub const PLAN_AHEAD: usize = 32;
/// Due times of one plan at most: the script's bound.
pub(super) const PLAN_MAX: usize = 1_000;

/// The calendar of a registered job.
///
/// # Errors
/// A violation when the trigger is wrong.
pub fn calendar_of(view: &JobView) -> Result<Calendar, Violation> {
    calendar_like(&view.spec, view)
}

/// The calendar of `spec` for the job that `view` shows. A grid without an anchor goes through the due times that the job has or had: its
/// phase began when a tracker planned it first, a moment before Redis registered it.
pub(super) fn calendar_like(spec: &JobSpec, view: &JobView) -> Result<Calendar, Violation> {
    let was_grid = matches!(view.spec.trigger, Trigger::FixedRate { .. });
    let known = view
        .next_due
        .or(view.last_due)
        .filter(|_| was_grid && spec.start_at.is_none());
    match spec.trigger {
        Trigger::FixedRate {
            period_ms,
            anchor_ms: None,
        } if known.is_some() => {
            let trigger = Trigger::FixedRate {
                period_ms,
                anchor_ms: known,
            };
            Calendar::new(
                &JobSpec {
                    trigger,
                    ..spec.clone()
                },
                view.created,
            )
        }
        Trigger::FixedRate { .. }
        | Trigger::Cron { .. }
        | Trigger::FixedDelay { .. }
        | Trigger::Once { .. }
        | Trigger::Manual
        | Trigger::After { .. } => Calendar::new(spec, view.created),
    }
}
