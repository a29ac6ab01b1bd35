//! Instants as people read them, and the one place where this machine's clock is read.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat, Utc};
pub(crate) use tickwheel_core::time::rough_span as span;

/// RFC 3339 in UTC with milliseconds; empty for 0, which stands for "never" on the wire.
pub(crate) fn text(ms: u64) -> String {
    utc(ms).map_or_else(String::new, |t| {
        t.to_rfc3339_opts(SecondsFormat::Millis, true)
    })
}

/// As [`text`], for a value that may be absent.
pub(crate) fn text_opt(ms: Option<u64>) -> String {
    ms.map_or_else(String::new, text)
}

/// Only the time of day in UTC, for lines that follow each other live.
pub(crate) fn time_of_day(ms: u64) -> String {
    utc(ms).map_or_else(String::new, |t| t.format("%H:%M:%S%.3f").to_string())
}

fn utc(ms: u64) -> Option<DateTime<Utc>> {
    if ms == 0 {
        return None;
    }
    DateTime::from_timestamp_millis(i64::try_from(ms).ok()?)
}

/// This machine's clock, ms since the Unix epoch. It decides nothing: it is the origin of relative times a user types,
/// and measures lateness where Redis runs on the same machine.
#[expect(
    clippy::disallowed_methods,
    reason = "a user's `--at +5m` and the demo's lateness mean this machine's clock"
)]
pub(crate) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|d| u64::try_from(d.as_millis()).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_utc_with_milliseconds() {
        assert_eq!(text(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(time_of_day(1_700_000_000_123), "22:13:20.123");
        assert_eq!(text(0), "");
        assert_eq!(text(u64::MAX), "");
        assert_eq!(text_opt(None), "");
    }
}
