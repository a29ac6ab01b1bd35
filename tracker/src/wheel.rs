//! When a partition is turned: at its next due time by the tracker that ranks first, and again for what is left over.

mod clock;
pub(crate) mod draws;
pub(crate) mod pace;
mod partitions;
pub(crate) mod retries;
pub(crate) mod stuck;
pub(crate) mod turner;
mod visit;
