//! The fault rig: real processes, faults of every kind, and a check of what was promised.
//!
//! - [`catalogue`] lists the faults: how each is provoked, what is expected, and the code that does both.
//! - [`stage`] is the cluster a fault happens to: Redis, trackers and workers as processes, with a proxy on every way between them.
//! - [`load`] submits all the while through gRPC; only an answer that accepts a context counts.
//! - [`loss`] is what a fault takes by its nature.
//! - [`quiet`] is the second phase of every fault: silence, and then late customers.
//! - [`verdict`] holds the run book and Redis against what was accepted.
//! - [`random`] is a schedule of faults that follows from a seed.
//! - [`report`] prints figures: a line of JSON, and the table of `docs/faults.md`.

pub mod case;
pub mod catalogue;
pub mod load;
pub mod loss;
pub mod quiet;
pub mod random;
pub mod report;
pub mod seed;
pub mod stage;
pub mod verdict;

mod faults;
mod judge;
mod places;

pub use case::Case;
pub use catalogue::{CATALOGUE, Fault};
pub use verdict::Figures;
