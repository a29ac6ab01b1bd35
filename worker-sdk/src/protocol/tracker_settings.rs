//! What trackers announce in their Welcome, and what holds before the first.

use std::time::Duration;

use tickwheel_proto::v1::Welcome;

use crate::bounds::LOG_LINE_BYTES_MAX;

/// What the cluster's trackers announced last; they share one configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrackerSettings {
    pub(crate) accept_after: Duration,
    pub(crate) heartbeat_interval: Duration,
    pub(crate) result_bytes_max: usize,
    pub(crate) log_line_bytes_max: usize,
}

impl Default for TrackerSettings {
    fn default() -> Self {
        Self {
            accept_after: Duration::from_millis(500),
            heartbeat_interval: Duration::from_secs(1),
            result_bytes_max: usize::MAX,
            log_line_bytes_max: LOG_LINE_BYTES_MAX,
        }
    }
}

impl TrackerSettings {
    /// Zeros, and what this worker cannot keep to, are replaced.
    pub(super) fn of(welcome: &Welcome) -> Self {
        let ms = |ms: u64, least: u64, default: Duration| match ms {
            0 => default,
            ms => Duration::from_millis(ms.max(least)),
        };
        let bytes = |bytes: u64, default: usize| match bytes {
            0 => default,
            bytes => usize::try_from(bytes).unwrap_or(default),
        };
        let default = Self::default();
        Self {
            accept_after: ms(welcome.accept_after_ms, 1, Duration::ZERO),
            heartbeat_interval: ms(
                welcome.heartbeat_interval_ms,
                10,
                default.heartbeat_interval,
            ),
            result_bytes_max: bytes(welcome.result_bytes_max, default.result_bytes_max),
            log_line_bytes_max: bytes(welcome.log_line_bytes_max, LOG_LINE_BYTES_MAX)
                .min(LOG_LINE_BYTES_MAX),
        }
    }
}
