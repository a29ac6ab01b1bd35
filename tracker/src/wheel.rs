//! When a partition is turned: at its next due time by the tracker that ranks first, and again for what is left over.

mod clock;
mod follow_up;
mod gauges;
mod partitions;
mod rng;
mod turner;
mod visit;

pub(crate) use follow_up::FollowUp;
pub(crate) use gauges::{HeldGauges, ScriptCounters};
pub(crate) use rng::Rng;
pub(crate) use turner::Turner;
pub(crate) use visit::Visits;
