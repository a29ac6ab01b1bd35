//! The tracker: turns the wheel, dispatches what is due to workers, settles what they report, and serves callers.
//!
//! It is stateless: what it knows of partitions, workers and the clock is a hint for when to ask Redis, which decides. Any number of
//! trackers may run; each can turn any partition. It does not know how records lie in Redis (the store does), nor the rules of
//! triggers and policies (core and the scripts do).

/// A place at which a process under test may die; nothing without the feature `crash-points`.
macro_rules! crash_point {
    ($name:literal) => {
        #[cfg(feature = "crash-points")]
        tickwheel_crash_points::crash_point!($name);
    };
}

pub mod config;
mod draws;
pub mod durability;
mod edge;
pub mod embedded;
pub mod error;
pub mod http;
pub mod metrics;
pub mod plan;
pub mod rpc;

mod absence;
mod coalesce;
mod departed;
mod dispatch;
mod engine;
mod fan;
mod fitness;
mod gauges;
mod hearing;
mod intake;
mod lane_sweep;
mod lanes;
mod limits;
mod measure;
mod notes;
mod offers;
mod open;
mod pace;
mod retries;
mod roster;
mod seldom;
mod session;
mod settle;
mod shared;
mod stuck;
mod surfaces;
mod tracker;
mod turn;
mod waits;

pub use config::Config;
pub use error::Error;
pub use tracker::Tracker;
