//! Plans that were made with an older table of time zones are made anew.
//!
//! Each tracker looks for them at its start and once a minute. Where trackers with different tables run side by side, those with the newest plan
//! anew what the others planned; the others add to plans that run low, and leave the rest alone.

use std::time::Duration;

use tickwheel_core::id::JobName;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::Store;
use tickwheel_store::job::{JobState, JobView, PlanGuard, PlanOutcome, StalePlans};
use tokio::time::Instant;

use super::beside::beside;
use super::catch_up;
use crate::error::Error;
use crate::periodic::{Counts, Periodic};
use crate::seldom::{LINE_EVERY, Seldom};

/// Between two looks at all partitions: so long a plan of an older table may stay.
const EVERY: Duration = Duration::from_mins(1);

static NOT_PLANNED: Seldom = Seldom::new(LINE_EVERY);

/// Looks for old plans, in all partitions.
#[derive(Debug)]
pub(crate) struct PlanRenewal {
    store: Store,
    /// That there is a newer table was said.
    warned: bool,
}

impl PlanRenewal {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            warned: false,
        }
    }
}

impl Periodic for PlanRenewal {
    const TASK: &'static str = "plans";

    fn every(&self) -> Duration {
        EVERY
    }

    async fn run_once(&mut self) -> Counts {
        let mut counts = Counts::default();
        let zones = self.store.zones();
        for partition in self.store.partitions().partitions() {
            let renewed = renew(&self.store, partition).await;
            counts.add(renewed.is_ok());
            match renewed {
                Ok(Renewed::Planned(0)) => {}
                Ok(Renewed::Planned(jobs)) => {
                    tracing::info!(%partition, jobs, %zones, "jobs are planned anew by the newer table of time zones");
                }
                Ok(Renewed::Outdated(newer)) if !self.warned => {
                    self.warned = true;
                    tracing::warn!(%zones, %newer,
                        "other trackers plan with a newer table of time zones: upgrade this one, or the tzdata of its system");
                }
                Ok(Renewed::Outdated(_)) => {}
                Err(error) => {
                    tracing::warn!(%partition, %error, "plans of an older table of time zones were not looked for; again in a minute");
                }
            }
        }
        counts
    }
}

/// What became of the plans of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewed {
    /// So many were made anew.
    Planned(u64),
    /// They are all from this newer edition.
    Outdated(String),
}

/// Plans the active cron jobs of `partition` anew whose plans are from an older edition than the store's. A job that cannot be planned, say because
/// the newer table lacks its zone, is named in the log and keeps the plan it has.
///
/// # Errors
/// What the store says; the rest is done by the next call.
pub async fn renew(store: &Store, partition: PartitionId) -> Result<Renewed, Error> {
    let (mut from, mut renewed) = (None, 0);
    loop {
        let (jobs, after) = match store.stale_plans(partition, from.as_deref()).await? {
            StalePlans::None | StalePlans::Again => return Ok(Renewed::Planned(renewed)),
            StalePlans::Newer(edition) => return Ok(Renewed::Outdated(edition)),
            StalePlans::Page { jobs, after } => (jobs, after),
        };
        let now = store.time().await?;
        for job in jobs {
            match anew(store, &job, now).await {
                Ok(planned) => renewed += u64::from(planned),
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => {
                    if let Some(kept_back) = NOT_PLANNED.next(Instant::now()) {
                        tracing::error!(%job, %error, kept_back, "is not planned anew by the newer table of time zones");
                    }
                }
            }
        }
        if after.is_none() {
            break;
        }
        from = after;
    }
    match store.plans_are_current(partition).await? {
        // Another process planned with an older table meanwhile: the next look finds what.
        StalePlans::Again | StalePlans::None | StalePlans::Newer(_) | StalePlans::Page { .. } => {
            Ok(Renewed::Planned(renewed))
        }
    }
}

/// Lays the due times of the table in use in the place of those that a job has. What was decided stays decided: a due time that the new table puts into
/// the past is missed, and the job's misfire policy says what becomes of it.
async fn anew(store: &Store, job: &JobName, now: TimestampMs) -> Result<bool, Error> {
    let Some(view) = store.get_job(job).await? else {
        return Ok(false);
    };
    if view.state != JobState::Active || view.zones.as_str() >= store.zones().as_str() {
        return Ok(false);
    }
    let guard = PlanGuard {
        next: view.next_due,
        last_planned: view.planned.last().copied().or(view.next_due),
    };
    let (revision, next, zones) = (view.revision, view.next_due, view.zones.clone());
    // What a plan begins with: the newest due time that was decided, or the moment the job was registered, changed or resumed.
    let decided = view
        .last_due
        .unwrap_or_default()
        .max(view.updated.minus_ms(1));
    let forgetful = JobView {
        next_due: None,
        planned: Vec::new(),
        last_due: Some(decided),
        ..view
    };
    let behind = now.ms_since(decided);
    let refill = beside(behind, move || catch_up::refill(&forgetful, now)).await??;
    let after = refill.plan.dues.first().copied();
    let outcome = store
        .replan_job(job, revision, guard, &refill.plan, refill.missed)
        .await?;
    if outcome == PlanOutcome::Planned && next != after {
        let text = |due: Option<TimestampMs>| due.map_or("none".to_owned(), |due| due.to_string());
        tracing::info!(%job, from = %zones, to = %store.zones(), was = %text(next), is = %text(after),
            "the next due time is another one by the newer table of time zones");
    }
    Ok(outcome == PlanOutcome::Planned)
}
