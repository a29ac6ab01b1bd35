//! The HTTP API: what it answers is what a call of gRPC answers, and nothing that is sent to it does harm.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod client;
mod connections;
mod hostile;
mod page;
mod payloads;
mod rates;
mod refusals;
mod revisions;
mod same;
mod same_access;
mod same_groups;
mod same_workers;
mod sessions;
mod stream;
mod tokens;
mod twins;
mod xcron;

pub(crate) use rates::scrape;
