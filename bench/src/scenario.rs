//! The scenarios, one file each: what is set up, what is measured, what is checked.

pub(crate) mod burst;
pub(crate) mod drain;
pub(crate) mod floor;
pub(crate) mod idle;
pub(crate) mod mapreduce;
pub(crate) mod memory;
pub(crate) mod precision;
pub(crate) mod recurring;
pub(crate) mod scale;
pub(crate) mod submit;
pub(crate) mod sustain;

/// Waits this long before a measurement, so that what was started has come to rest.
pub(crate) const REST: std::time::Duration = std::time::Duration::from_millis(500);
/// An hour: nothing delayed by it comes due during a run.
pub(crate) const FAR_MS: u64 = 3_600_000;

/// Waits until Redis' clock, `now` an instant ago, shows `then`.
pub(crate) async fn sleep_until_ms(now: u64, then: u64) {
    tokio::time::sleep(std::time::Duration::from_millis(then.saturating_sub(now))).await;
}
