//! Operations on the running contexts of one partition: settle, renew, release, reclaim, reap. Scripts: `lua/lease/`.

pub mod fate;
pub mod reap;
pub mod reclaim;
pub mod settle;

pub use fate::Fate;
pub use reap::{LostLease, Reaped};
pub use settle::{AttemptRef, Holding, Outcome, Released, Renewal, Settlement, Verdict};
