//! Who is alive: this tracker's heartbeats and those of its workers, the live trackers, and what is done for those that went.

mod departures;
mod drains;
mod eviction;
mod expulsions;
mod heartbeat;
mod lost_trackers;
mod reach;
mod roster;
mod worker_heartbeats;

pub(crate) use drains::Drains;
pub(crate) use eviction::Evictions;
pub(crate) use expulsions::Expulsions;
pub(crate) use heartbeat::Heartbeat;
pub(crate) use lost_trackers::LostTrackers;
pub(crate) use roster::Roster;
