//! The binary itself as a cluster: trackers, a worker and the commands of operators, each a process of its own.
//!
//! Without a redis-server the tests are skipped with a loud line; where `CI` or `TICKWHEEL_REQUIRE_REDIS` is set, that is an error.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, and says when it does nothing"
)]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it waits for processes, in no runtime"
)]

mod access;
mod client_certificates;
mod cluster;
mod crowd;
mod files;
mod http_handler;
mod jobs;
mod live;
mod runs;
mod strangers;
mod surface;
mod tls;
mod xcron;
