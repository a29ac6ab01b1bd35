//! What a tracker tells a monitoring system: the metrics' definitions, what gathers them, and what feeds them.

pub mod definitions;
pub(crate) mod measure;
mod recorder;

pub use recorder::{describe, install, recorder};
