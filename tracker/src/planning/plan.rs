//! The plan of a job that is registered, changed or resumed.

use tickwheel_core::calendar::Calendar;
use tickwheel_core::error::Violation;
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_core::ledger::LedgerRecord;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::job::{JobView, Plan};

use super::calendar::{PLAN_AHEAD, calendar_like, calendar_of};
use super::catch_up;

/// The plan of a job that is registered at `now`, or changed then: `known` is what it was before.
///
/// # Errors
/// A violation when the trigger is wrong.
pub fn plan_for(
    spec: &JobSpec,
    known: Option<&JobView>,
    now: TimestampMs,
) -> Result<Plan, Violation> {
    let calendar = match known {
        Some(view) => calendar_like(spec, view)?,
        None => Calendar::new(spec, now)?,
    };
    let last = known.and_then(|view| view.last_due);
    let after = last.unwrap_or_default().max(now.minus_ms(1));
    let first = match (&spec.trigger, known) {
        (_, None) => calendar.first(),
        (Trigger::Once { at_ms }, Some(_)) => calendar
            .first()
            .filter(|_| last.is_none_or(|last| last < *at_ms)),
        (Trigger::FixedDelay { .. }, Some(_)) => Some(spec.start_at.unwrap_or(now).max(now)),
        (
            Trigger::Cron { .. }
            | Trigger::FixedRate { .. }
            | Trigger::Manual
            | Trigger::After { .. },
            Some(_),
        ) => calendar.next_after(after),
    };
    Ok(from_first(spec, &calendar, first))
}

/// The plan after a pause that ends at `now`.
///
/// # Errors
/// A violation when the trigger is wrong.
pub fn plan_after_pause(view: &JobView, now: TimestampMs) -> Result<Plan, Violation> {
    let calendar = calendar_of(view)?;
    let first = match view.spec.trigger {
        Trigger::FixedDelay { .. } => Some(now),
        Trigger::Cron { .. }
        | Trigger::FixedRate { .. }
        | Trigger::Once { .. }
        | Trigger::Manual
        | Trigger::After { .. } => calendar.next_after(now.max(view.last_due.unwrap_or_default())),
    };
    Ok(from_first(&view.spec, &calendar, first))
}

/// The due times that came while a job was paused, as records that say so.
///
/// # Errors
/// A violation when the trigger is wrong.
pub fn skipped_in_pause(view: &JobView, now: TimestampMs) -> Result<Vec<LedgerRecord>, Violation> {
    match view.spec.trigger {
        // A delay has no due times of its own while it is not armed.
        Trigger::FixedDelay { .. } | Trigger::Manual | Trigger::After { .. } => Ok(Vec::new()),
        Trigger::FixedRate { period_ms, .. } => {
            let last = view.spec.end_at.map_or(now, |end| end.min(now));
            let next = view.next_due.filter(|next| *next <= last);
            let record = next.map(|next| catch_up::paused_grid(next, period_ms, last));
            Ok(record.into_iter().collect())
        }
        Trigger::Cron { .. } | Trigger::Once { .. } => {
            // The next one may be unknown: a job can be paused while its plan has run out.
            let eve = view.next_due.map(|next| next.minus_ms(1));
            let calendar = calendar_of(view)?;
            Ok(catch_up::paused(&calendar, eve.or(view.last_due), now))
        }
    }
}

fn from_first(spec: &JobSpec, calendar: &Calendar, first: Option<TimestampMs>) -> Plan {
    let ahead = if matches!(spec.trigger, Trigger::Cron { .. }) {
        PLAN_AHEAD
    } else {
        1
    };
    let mut dues: Vec<TimestampMs> = first.into_iter().collect();
    if let Some(first) = first {
        dues.extend(calendar.upcoming(first, ahead - 1));
    }
    let end = match spec.trigger {
        Trigger::Cron { .. } | Trigger::FixedRate { .. } => dues.len() < ahead,
        Trigger::Once { .. } => true,
        Trigger::FixedDelay { .. } => dues.is_empty(),
        Trigger::Manual | Trigger::After { .. } => false,
    };
    Plan { dues, end }
}
