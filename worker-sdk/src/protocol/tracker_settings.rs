//! What trackers announce in their Welcome, and what holds before the first.

use std::time::Duration;

use tickwheel_proto::v1::Welcome;

use crate::bounds::{
    FRAME_BYTES_MAX, FRAME_CALLS_MAX, FRAME_ITEMS_MAX, HELLO_RUNNING_MAX, LOG_LINE_BYTES_MAX,
};

/// What the cluster's trackers announced last; they share one configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrackerSettings {
    pub(crate) accept_after: Duration,
    pub(crate) heartbeat_interval: Duration,
    pub(crate) result_bytes_max: usize,
    pub(crate) log_line_bytes_max: usize,
    pub(crate) frame: FrameLimits,
    /// Running attempts in a Hello.
    pub(crate) hello_running_max: usize,
}

/// How much goes into one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameLimits {
    /// Of texts and bodies. What is beside them is not counted, and takes less than half as much.
    pub(crate) bytes: usize,
    /// Of one kind.
    pub(crate) items: usize,
    /// Questions of one kind.
    pub(crate) questions: usize,
}

impl Default for FrameLimits {
    fn default() -> Self {
        Self {
            bytes: FRAME_BYTES_MAX,
            items: FRAME_ITEMS_MAX,
            questions: FRAME_CALLS_MAX,
        }
    }
}

impl FrameLimits {
    /// No more than this worker would say anyway, and than the tracker reads.
    fn of(welcome: &Welcome) -> Self {
        let own = Self::default();
        let within = |own: usize, announced: u64| match usize::try_from(announced) {
            Ok(0) | Err(_) => own,
            Ok(announced) => own.min(announced),
        };
        let content = welcome.frame_bytes_max - welcome.frame_bytes_max / 3;
        Self {
            bytes: within(own.bytes, content),
            items: within(own.items, welcome.frame_items_max.into()),
            questions: within(own.questions, welcome.frame_questions_max.into()),
        }
    }
}

impl Default for TrackerSettings {
    fn default() -> Self {
        Self {
            accept_after: Duration::from_millis(500),
            heartbeat_interval: Duration::from_secs(1),
            result_bytes_max: usize::MAX,
            log_line_bytes_max: LOG_LINE_BYTES_MAX,
            frame: FrameLimits::default(),
            hello_running_max: HELLO_RUNNING_MAX,
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
            frame: FrameLimits::of(welcome),
            hello_running_max: bytes(welcome.hello_running_max.into(), default.hello_running_max)
                .min(HELLO_RUNNING_MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_within_what_the_tracker_reads_and_what_this_worker_says() {
        let of = |welcome: Welcome| TrackerSettings::of(&welcome).frame;
        assert_eq!(of(Welcome::default()), FrameLimits::default());
        // As trackers of this version announce it.
        let announced = of(Welcome {
            frame_bytes_max: 3 << 19,
            frame_items_max: 4_096,
            frame_questions_max: 64,
            ..Welcome::default()
        });
        assert_eq!(announced, FrameLimits::default());
        let less = of(Welcome {
            frame_bytes_max: 30_000,
            frame_items_max: 7,
            frame_questions_max: 1,
            ..Welcome::default()
        });
        assert_eq!((less.bytes, less.items, less.questions), (20_000, 7, 1));
    }
}
