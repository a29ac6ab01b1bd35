//! Plans that run low or out, filled up again: one at a time for each job.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use tickwheel_core::id::JobName;
use tickwheel_core::job::Trigger;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::Store;
use tickwheel_store::job::{JobState, PlanGuard, PlanOutcome};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::beside::beside;
use super::catch_up;
use crate::error::Error;
use crate::failed_work::FailedWork;

/// See the module.
#[derive(Debug)]
pub(crate) struct Planner {
    store: Store,
    tasks: TaskTracker,
    under_way: Mutex<HashSet<JobName>>,
    failed: FailedWork<JobName>,
}

impl Planner {
    pub(crate) fn new(store: Store, tasks: TaskTracker) -> Arc<Self> {
        Arc::new(Self {
            store,
            tasks,
            under_way: Mutex::default(),
            failed: FailedWork::default(),
        })
    }

    /// Lays in more due times of a job, in the background; `now` is Redis' clock.
    pub(crate) fn replan(self: &Arc<Self>, job: JobName, now: TimestampMs) {
        if self.failed.rests(&job, Instant::now()) || !self.under_way.lock().insert(job.clone()) {
            return;
        }
        let planner = Arc::clone(self);
        self.tasks.spawn(async move {
            let planned = replan(&planner.store, &job, now).await;
            if let Some((times, error)) = planner.failed.ended(job.clone(), planned) {
                tracing::warn!(%job, times, %error, "planning failed; its entry comes back to some tracker");
            }
            planner.under_way.lock().remove(&job);
        });
    }
}

/// Refills the plan of a job that ran low or out; `now` is Redis' clock. A job that changed meanwhile is left alone.
///
/// When every known due time has passed beyond the tolerance, the missed ones are decided here, by the job's misfire policy over all due
/// times up to now, since only the calendar knows which of them is the newest.
///
/// # Errors
/// What the store says; the job's entry in the wheel brings the next try.
async fn replan(store: &Store, job: &JobName, now: TimestampMs) -> Result<(), Error> {
    let Some(view) = store.get_job(job).await? else {
        return Ok(());
    };
    if view.state != JobState::Active
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
