//! Every operation for callers, answered by one tracker over a real Redis: what it does, and each way it refuses.
//!
//! Workers are there only to be refused, or to lie: what runs is tested end to end elsewhere.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says when it is skipped"
)]

mod access;
mod access_table;
mod access_tokens;
mod access_workers;
mod bounds;
mod connections;
mod consent;
mod contexts;
mod dead;
mod drains;
mod explain;
mod extremes;
mod full;
mod gathering;
mod guarded;
mod harness;
mod http;
mod jobs;
mod lists;
mod overview;
mod preview;
mod quotas;
mod rates;
mod raw;
mod refusals;
mod renew;
mod streams;
mod stuck;
mod upcoming;
mod waits;
mod wheel;
mod wire;
mod workers;
