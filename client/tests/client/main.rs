//! A client and trackers that answer as a test tells them.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod double;
mod failover;
mod submitting;
