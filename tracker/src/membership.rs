//! Who is alive: this tracker's signs of life, the trackers and workers that went, and Redis when it was away.

pub(crate) mod absence;
pub(crate) mod departed;
mod reach;
pub(crate) mod roster;
mod signs;
