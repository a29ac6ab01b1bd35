//! The machine's clock. Redis, trackers, workers and tests of one rig share a machine, so their instants can be compared.

use std::time::UNIX_EPOCH;

/// Microseconds since the Unix epoch.
#[must_use]
pub fn wall_us() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test measures; it decides nothing by this clock"
    )]
    let now = std::time::SystemTime::now();
    let span = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// Milliseconds since the Unix epoch.
#[must_use]
pub fn wall_ms() -> u64 {
    wall_us() / 1_000
}
