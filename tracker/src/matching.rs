//! To whom a partition's contexts may go: which workers fit what waits, and which of their permits one turn has in hand.

mod eligibility;
mod offers;
mod placement_sweep;
mod placements;
mod reasons;
mod reservations;

pub(crate) use eligibility::{Matching, Taken};
pub(crate) use offers::Offered;
pub(crate) use placement_sweep::PlacementSweep;
#[cfg(test)]
pub(crate) use reservations::reserve;
pub(crate) use reservations::{Reserved, return_permits};
