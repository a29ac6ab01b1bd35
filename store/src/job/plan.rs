//! Laying due times into a job, behind the planned ones or in their place. Scripts: `lua/job/{plan,replan}.lua`.

use fred::types::Value;
use tickwheel_core::id::JobName;
use tickwheel_core::ledger::LedgerRecord;
use tickwheel_core::time::TimestampMs;

use super::Plan;
use crate::args::Args;
use crate::error::Error;
use crate::script::{PLAN_JOB, REPLAN_JOB, Script};
use crate::store::Store;

/// What a planner saw of a job; a plan made for another picture is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanGuard {
    /// [`super::JobView::next_due`].
    pub next: Option<TimestampMs>,
    /// The last of [`super::JobView::planned`], or `next` when there is none.
    pub last_planned: Option<TimestampMs>,
}

/// Whether a plan was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum PlanOutcome {
    /// It is in the job.
    Planned,
    /// The job is gone, changed, or was planned by another tracker; nothing was written.
    Stale,
}

impl Store {
    /// Adds `plan` behind the planned due times of `job`, or gives the job its next one when it has none.
    ///
    /// `missed` stands for due times nobody could fire: they go to the ledger, and planned ones up to the newest of them are dropped.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: repeat; a plan that was taken is then [`PlanOutcome::Stale`].
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one of a kind, and a struct of them would be built at one place only"
    )]
    pub async fn plan_job(
        &self,
        job: &JobName,
        revision: u64,
        expected: PlanGuard,
        plan: &Plan,
        missed: Vec<LedgerRecord>,
    ) -> Result<PlanOutcome, Error> {
        self.lay(&PLAN_JOB, job, revision, expected, plan, missed)
            .await
    }

    /// Puts `plan` in the place of all planned due times of an active cron job: they are from an older edition of the time zone table.
    ///
    /// # Errors
    /// As [`Store::plan_job`].
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one of a kind, and a struct of them would be built at one place only"
    )]
    pub async fn replan_job(
        &self,
        job: &JobName,
        revision: u64,
        expected: PlanGuard,
        plan: &Plan,
        missed: Vec<LedgerRecord>,
    ) -> Result<PlanOutcome, Error> {
        self.lay(&REPLAN_JOB, job, revision, expected, plan, missed)
            .await
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "those of the two calls above, and which of them it is"
    )]
    async fn lay(
        &self,
        script: &'static Script,
        job: &JobName,
        revision: u64,
        expected: PlanGuard,
        plan: &Plan,
        missed: Vec<LedgerRecord>,
    ) -> Result<PlanOutcome, Error> {
        let planned = expected.last_planned.map(TimestampMs::as_u64);
        let args = Args::new()
            .with("job", job.as_str())
            .with_number("revision", revision)
            .with_optional_number("next", expected.next.map(TimestampMs::as_u64))
            .with_optional_number("planned", planned)
            .with("dues", plan.dues_arg(&self.zones))
            .with_number("plan_end", u8::from(plan.end))
            .items(missed.iter().map(|record| Value::from(record.to_string())));
        let (status, _) = self.call_job(script, job, args).await?;
        match status.as_str() {
            "PLANNED" => Ok(PlanOutcome::Planned),
            "STALE" => Ok(PlanOutcome::Stale),
            other => Err(Error::contract(script.name(), other)),
        }
    }
}
