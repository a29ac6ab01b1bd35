//! Which due times of a job come next, and laying them into its record ahead of time.
//!
//! Cron needs a calendar, which scripts do not have, so its next due times are computed here; scripts decide what becomes of them. A plan is
//! made for one picture of the job (revision, next and last planned due time): made for an older one, it is refused.

mod catch_up;
pub mod renew;

use tickwheel_core::calendar::Calendar;
use tickwheel_core::error::Violation;
use tickwheel_core::id::JobName;
use tickwheel_core::job::{JobSpec, Trigger};
use tickwheel_core::ledger::LedgerRecord;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::Store;
use tickwheel_store::job::{JobStateWord, JobView, Plan, PlanGuard, PlanOutcome};

use crate::error::Error;

/// Due times of a cron job laid in ahead: half a minute of one that fires every second.
pub const PLAN_AHEAD: usize = 32;
/// A span whose due times are walked over in a few milliseconds at most: there is one each second, or fewer.
const SHORT_MS: u64 = 300_000;
/// Due times of one plan at most: the script's bound.
const PLAN_MAX: usize = 1_000;

/// The calendar of a registered job.
///
/// # Errors
/// A violation when the trigger is wrong.
pub fn calendar_of(view: &JobView) -> Result<Calendar, Violation> {
    calendar_like(&view.spec, view)
}

/// The calendar of `spec` for the job that `view` shows. A grid without an anchor goes through the due times that the job has or had: its
/// phase began when a tracker planned it first, a moment before Redis registered it.
fn calendar_like(spec: &JobSpec, view: &JobView) -> Result<Calendar, Violation> {
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
        | Trigger::SecondDelay { .. }
        | Trigger::Once { .. }
        | Trigger::Api
        | Trigger::After { .. } => Calendar::new(spec, view.created),
    }
}

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
        (Trigger::FixedDelay { .. } | Trigger::SecondDelay { .. }, Some(_)) => {
            Some(spec.start_at.unwrap_or(now).max(now))
        }
        (
            Trigger::Cron { .. } | Trigger::FixedRate { .. } | Trigger::Api | Trigger::After { .. },
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
        Trigger::FixedDelay { .. } | Trigger::SecondDelay { .. } => Some(now),
        Trigger::Cron { .. }
        | Trigger::FixedRate { .. }
        | Trigger::Once { .. }
        | Trigger::Api
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
        Trigger::FixedDelay { .. }
        | Trigger::SecondDelay { .. }
        | Trigger::Api
        | Trigger::After { .. } => Ok(Vec::new()),
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
        Trigger::FixedDelay { .. } | Trigger::SecondDelay { .. } => dues.is_empty(),
        Trigger::Api | Trigger::After { .. } => false,
    };
    Plan { dues, end }
}

/// Refills the plan of a job that ran low or out; `now` is Redis' clock. A job that changed meanwhile is left alone.
///
/// When every known due time has passed beyond the tolerance, the missed ones are decided here, by the job's misfire policy over all due
/// times up to now, since only the calendar knows which of them is the newest.
///
/// # Errors
/// What the store says; the job's entry in the wheel brings the next try.
pub async fn replan(store: &Store, job: &JobName, now: TimestampMs) -> Result<(), Error> {
    let Some(view) = store.get_job(job).await? else {
        return Ok(());
    };
    if view.state != JobStateWord::Active
        || !matches!(view.spec.trigger, Trigger::Cron { .. })
        || view.plan_end
    {
        return Ok(());
    }
    let guard = PlanGuard {
        next: view.next_due,
        last_planned: view.planned.last().copied().or(view.next_due),
    };
    let revision = view.revision;
    let behind = now.ms_since(guard.last_planned.or(view.last_due).unwrap_or(view.created));
    let refill = beside(behind, move || catch_up::refill(&view, now)).await??;
    crash_point!("between_plan_and_arm");
    let outcome = store
        .plan_job(job, revision, guard, &refill.plan, refill.missed)
        .await?;
    crash_point!("after_plan_script");
    match outcome {
        PlanOutcome::Planned => tracing::debug!(%job, planned = refill.plan.dues.len(), "planned"),
        PlanOutcome::Stale => tracing::debug!(%job, "another tracker planned it, or it changed"),
    }
    Ok(())
}

/// Computes over a span of due times. Catching up may walk a million of them, seconds of computing, which is done beside the runtime; a
/// short span costs less than handing it over.
pub(crate) async fn beside<T: Send + 'static>(
    span_ms: u64,
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    if span_ms <= SHORT_MS {
        return Ok(compute());
    }
    let computed = tokio::task::spawn_blocking(compute).await;
    computed.map_err(|_| Error::conflict("planning was interrupted"))
}

#[cfg(test)]
mod tests;
