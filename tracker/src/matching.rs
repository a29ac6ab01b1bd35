//! To whom a partition's contexts may go: which workers fit what waits, and which of their permits one turn has in hand.

mod eligibility;
mod lane_sweep;
mod lanes;
mod offers;
mod reasons;
mod reservations;

pub(crate) use eligibility::{Matching, Taken};
pub(crate) use lane_sweep::LaneSweep;
pub(crate) use offers::Offered;
#[cfg(test)]
pub(crate) use reservations::reserve;
pub(crate) use reservations::{Reserved, return_permits};
