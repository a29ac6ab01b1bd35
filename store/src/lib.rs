//! The only crate that knows Redis: keys, the script registry, and typed operations on the wheel, the leases, the jobs and the roster.
//!
//! Every transition is one Lua script on one partition (`lua/`). This crate builds the arguments, calls the script by its digest, and
//! decodes the reply; it decides nothing. It does not know gRPC, and whoever uses it does not know fred.

pub mod access;
mod args;
pub mod audit;
pub mod cancel;
pub mod check;
pub mod client;
pub mod context;
mod counters;
pub mod dead;
pub mod epoch;
pub mod error;
pub mod fan;
mod fields;
pub mod history;
mod identity;
pub mod job;
pub mod keys;
pub mod lease;
pub mod limit;
mod listed;
pub mod placement;
pub mod record;
pub mod repair;
mod reply;
pub mod roster;
pub mod script;
mod seldom;
mod server;
pub mod setup;
mod store;
pub mod transport;
pub mod wake;
pub mod wheel;
mod words;

pub use cancel::Cancelled;
pub use client::{Heard, Hearing, MemoryUse, Redis, SCRIPT_SECONDS, Tls as RedisTls, WAKE_DEAF};
pub use counters::Counters;
pub use error::Error;
pub use listed::Listed;
pub use seldom::Seldom;
pub use store::Store;
