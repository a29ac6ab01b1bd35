//! The handler against servers on the loopback address: what it sends, what it makes of answers, and where it does not go.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod answers;
mod bounds;
mod guarded;
mod redirects;
mod scene;
mod server;
