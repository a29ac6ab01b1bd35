//! How long a failed context waits for its next attempt: what `lua/lib/contexts/backoff.lua` is held against.

use tickwheel_core::job::{Backoff, RetryPolicy};

/// Milliseconds until the next attempt after the `failures`-th failure (from 1), or `None` when attempts are used up.
///
/// Fixed: the delay. Exponential: `min(cap, delay * 2^(failures - 1))`. With full jitter, `floor(rand01 * (delay + 1))`;
/// `rand01` is a random number in `[0, 1)` from the caller.
#[must_use]
pub fn delay_after(policy: &RetryPolicy, failures: u32, rand01: f64) -> Option<u64> {
    if failures >= policy.max_attempts {
        return None;
    }
    let delay_ms = match policy.backoff {
        Backoff::Fixed { delay_ms } => delay_ms,
        Backoff::Exponential { delay_ms, cap_ms } => {
            let doublings = failures.saturating_sub(1);
            let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
            delay_ms.saturating_mul(factor).min(cap_ms)
        }
    };
    Some(if policy.full_jitter {
        share(delay_ms, rand01)
    } else {
        delay_ms
    })
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "delays are below 2^53 ms and the random number is clamped to [0, 1]"
)]
fn share(delay_ms: u64, rand01: f64) -> u64 {
    let drawn = (rand01.clamp(0.0, 1.0) * (delay_ms as f64 + 1.0)).floor() as u64;
    drawn.min(delay_ms)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(backoff: Backoff, full_jitter: bool) -> RetryPolicy {
        RetryPolicy {
            max_attempts: 5,
            backoff,
            full_jitter,
        }
    }

    #[test]
    fn exponential_delays_double_up_to_the_cap() {
        let policy = policy(
            Backoff::Exponential {
                delay_ms: 1_000,
                cap_ms: 5_000,
            },
            false,
        );
        let delays: Vec<_> = (1..=5)
            .map(|failures| delay_after(&policy, failures, 0.5))
            .collect();
        assert_eq!(
            delays,
            [Some(1_000), Some(2_000), Some(4_000), Some(5_000), None]
        );
    }

    #[test]
    fn a_single_attempt_is_never_followed_by_another() {
        let once = RetryPolicy {
            max_attempts: 1,
            ..RetryPolicy::default()
        };
        assert_eq!(delay_after(&once, 1, 0.0), None);
    }

    #[test]
    fn full_jitter_draws_from_the_whole_delay() {
        let policy = policy(Backoff::Fixed { delay_ms: 9 }, true);
        assert_eq!(delay_after(&policy, 1, 0.0), Some(0));
        assert_eq!(delay_after(&policy, 1, 0.55), Some(5));
        assert_eq!(delay_after(&policy, 1, 0.999_999), Some(9));
    }

    #[test]
    fn many_failures_stay_at_the_cap() {
        let backoff = Backoff::Exponential {
            delay_ms: 1,
            cap_ms: 60_000,
        };
        let policy = RetryPolicy {
            max_attempts: 1_000,
            backoff,
            full_jitter: false,
        };
        assert_eq!(delay_after(&policy, 999, 0.5), Some(60_000));
    }

    proptest! {
        #[test]
        fn a_delay_is_never_above_the_cap(delay_ms in 0_u64..1 << 40, cap_ms in 0_u64..1 << 40, failures in 1_u32..5, rand01 in 0.0..1.0) {
            let policy = policy(Backoff::Exponential { delay_ms, cap_ms }, true);
            prop_assert!(delay_after(&policy, failures, rand01).is_some_and(|delay| delay <= cap_ms));
        }
    }
}
