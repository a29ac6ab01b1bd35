//! The rules that scripts follow in Redis, once more in Rust: what tests hold the scripts against. Nothing of it runs in production.
//!
//! - [`run_state`]: the states of a context and what moves it between them, and [`path`]: how a script can have moved one. The simulation
//!   asks it about each context that a script call touched; docs/lifecycle.md is written from it.
//! - [`overlap`], [`backoff`], [`jitter`], [`choose`]: a decision each, for the tests of the scripts and of the model.

pub mod arrows;
pub mod backoff;
pub mod choose;
pub mod jitter;
pub mod overlap;
pub mod path;
pub mod run_state;
