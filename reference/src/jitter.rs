//! A firing is moved by a share of the jitter that follows from the job and its due time.
//!
//! It is no random number: whoever computes it again gets the same instant (W3), and the wheel's scripts can.

use sha1::{Digest, Sha1};

use tickwheel_core::id::JobName;
use tickwheel_core::time::TimestampMs;

/// Milliseconds by which the firing of `job` at `due` is late on purpose: 0..=`max_ms`, and always below `gap_ms`,
/// the distance to the next due time, so that firings keep their order. No gap known (0): no jitter.
#[must_use]
pub fn jitter_of(job: &JobName, due: TimestampMs, max_ms: u64, gap_ms: u64) -> u64 {
    let span = max_ms.min(gap_ms.saturating_sub(1));
    if span == 0 {
        return 0;
    }
    let digest = Sha1::digest(format!("{job}:{}", due.as_u64()).as_bytes());
    let head = digest
        .iter()
        .take(4)
        .fold(0_u64, |head, byte| (head << 8) | u64::from(*byte));
    head % (span.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nightly() -> JobName {
        JobName::new("billing/nightly").unwrap()
    }

    #[test]
    fn the_share_is_the_first_eight_digits_of_the_sha1_of_job_and_due() {
        // printf 'billing/nightly:1767225600000' | sha1sum | cut -c1-8
        let head = 0x24f5_72d2_u64;
        let due = TimestampMs::new(1_767_225_600_000);
        assert_eq!(
            jitter_of(&nightly(), due, 60_000, 86_400_000),
            head % 60_001
        );
        assert_eq!(jitter_of(&nightly(), due, 60_000, 1_000), head % 1_000);
    }

    #[test]
    fn there_is_none_without_a_following_due_time() {
        assert_eq!(jitter_of(&nightly(), TimestampMs::ZERO, 60_000, 0), 0);
        assert_eq!(jitter_of(&nightly(), TimestampMs::ZERO, 60_000, 1), 0);
    }

    proptest! {
        #[test]
        fn it_never_reaches_the_next_due_time(due: u64, max_ms: u64, gap_ms in 1_u64..) {
            let jitter = jitter_of(&nightly(), TimestampMs::new(due), max_ms, gap_ms);
            prop_assert!(jitter <= max_ms && jitter < gap_ms);
        }
    }
}
