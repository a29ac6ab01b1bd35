//! Which due times of a job come next, and laying them into its record ahead of time.
//!
//! Cron needs a calendar, which scripts do not have, so its next due times are computed here; scripts decide what becomes of them. A plan is
//! made for one picture of the job (revision, next and last planned due time): made for an older one, it is refused.

mod beside;
mod calendar;
mod catch_up;
pub(crate) mod forget;
mod plan;
mod planner;
pub mod renew;

pub(crate) use beside::beside;
pub use calendar::{PLAN_AHEAD, calendar_of};
pub use plan::{plan_after_pause, plan_for, skipped_in_pause};
pub(crate) use planner::Planner;

#[cfg(test)]
mod tests;
