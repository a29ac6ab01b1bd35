//! Operations on the running contexts of one partition: settle, renew, release, reap. Scripts: `lua/lease/`.

pub mod reap;
pub mod settle;

pub use reap::{LostLease, Reaped};
pub use settle::{AttemptRef, Outcome, Renewal, Settlement, Verdict};
