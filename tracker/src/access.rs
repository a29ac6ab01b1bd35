//! Who calls, and what it may do.
//!
//! A surface has the [`Authority`] say who somebody is, once for each call and each stream, and passes the [`Caller`] on to whatever is asked
//! for. Nothing here asks Redis for a token that was read within seconds; a change is heard of with the next heartbeat.

mod address;
mod audit;
mod authority;
mod bootstrap;
mod browsers;
mod caller;
pub(crate) mod cookie;
mod failures;
mod tokens;
mod upkeep;

pub(crate) use address::{Origin, network_of};
pub(crate) use audit::{Audit, OBJECTS_MAX};
pub(crate) use authority::Authority;
pub(crate) use bootstrap::bootstrap;
pub(crate) use browsers::SESSION;
pub(crate) use caller::Caller;
pub(crate) use upkeep::AccessUpkeep;
