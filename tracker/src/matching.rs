//! To whom a partition's contexts may go: which workers fit what waits, and which of their permits one turn has in hand.

pub(crate) mod lane_sweep;
pub(crate) mod lanes;
pub(crate) mod offers;
pub(crate) mod reservations;
