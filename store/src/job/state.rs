//! Pausing and resuming. Script: `lua/job/set_state.lua`.

use fred::types::Value;
use tickwheel_core::id::JobName;
use tickwheel_core::ledger::LedgerRecord;

use super::{JobView, Plan, no_job};
use crate::args::Args;
use crate::error::Error;
use crate::script::SET_JOB_STATE;
use crate::store::Store;

impl Store {
    /// Stops `job` from firing by its trigger. Idempotent; a second pause replaces the note.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when the job has nothing left to fire.
    pub async fn pause_job(&self, job: &JobName, note: &str) -> Result<JobView, Error> {
        self.set_state(job, ("paused", note), &Plan::default(), &[])
            .await
    }

    /// Lets `job` fire again from the first due time of `plan` on. `skipped` tells the due times in the pause. A job that is not paused
    /// stays as it is.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such job.
    pub async fn resume_job(
        &self,
        job: &JobName,
        plan: &Plan,
        skipped: Vec<LedgerRecord>,
    ) -> Result<JobView, Error> {
        self.set_state(job, ("active", ""), plan, &skipped).await
    }

    async fn set_state(
        &self,
        job: &JobName,
        (state, note): (&'static str, &str),
        plan: &Plan,
        skipped: &[LedgerRecord],
    ) -> Result<JobView, Error> {
        let args = Args::new()
            .with("job", job.as_str())
            .with("state", state)
            .with_filled("note", note)
            .with("dues", plan.dues_arg(&self.zones))
            .with_number("plan_end", u8::from(plan.end))
            .items(skipped.iter().map(|record| Value::from(record.to_string())));
        let (status, _) = self.call_job(&SET_JOB_STATE, job, args).await?;
        match status.as_str() {
            "PAUSED" | "RESUMED" | "UNCHANGED" => {
                self.get_job(job).await?.ok_or_else(|| no_job(job))
            }
            "FINISHED" => Err(Error::Conflict(format!(
                "job `{job}` is finished: it has nothing left to fire"
            ))),
            "NO_JOB" => Err(no_job(job)),
            other => Err(Error::contract(SET_JOB_STATE.name(), other)),
        }
    }
}
