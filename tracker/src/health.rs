//! How this tracker does: whether it is ready for work, which partitions it cannot turn, and whether its loops run at all.

mod pulse;
mod readiness;
mod stuck;

pub use pulse::Pulse;
pub use readiness::{Health, Readiness};
pub(crate) use stuck::Stuck;
