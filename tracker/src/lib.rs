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
pub mod durability;
pub mod embedded;
pub mod error;
pub mod health;
pub mod http;
pub mod metrics;
pub mod planning;
pub mod rpc;

mod access;
mod batches;
mod dispatch;
mod edge;
mod failed_work;
mod fan_out;
mod inbound;
mod limits;
mod live;
mod matching;
mod membership;
mod outcomes;
mod periodic;
mod rates;
mod redis_health;
mod seldom;
mod sessions;
mod surfaces;
mod tls;
mod tracker;
mod wheel;
mod wiring;

pub use config::Config;
pub use error::Error;
pub use tracker::Tracker;
