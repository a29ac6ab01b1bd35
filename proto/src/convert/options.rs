//! What holds for one context.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::job::{Backoff, ContextOptions, Priority, RetryPolicy};

use super::field;
use crate::v1;

impl TryFrom<v1::ContextOptions> for ContextOptions {
    type Error = Violations;

    fn try_from(wire: v1::ContextOptions) -> Result<Self, Violations> {
        let default = Self::default();
        let mut found = Violations::new();
        let priority = wire
            .priority
            .map_or(Ok(default.priority), Priority::try_from);
        let priority = field(&mut found, "priority", priority);
        let retry = found.keep(wire.retry.map_or(Ok(default.retry), RetryPolicy::try_from));
        match (priority, retry) {
            (Some(priority), Some(retry)) => Ok(Self {
                priority,
                retry,
                timeout_ms: wire.timeout_ms,
                cancel_grace_ms: wire.cancel_grace_ms.unwrap_or(default.cancel_grace_ms),
                start_deadline_ms: wire.start_deadline_ms,
                lease_ms: wire.lease_ms.unwrap_or(default.lease_ms),
                fail_on_lease_lost: wire.fail_on_lease_lost,
            }),
            (None, _) | (_, None) => Err(found),
        }
    }
}

impl From<ContextOptions> for v1::ContextOptions {
    fn from(options: ContextOptions) -> Self {
        Self {
            priority: Some(u8::from(options.priority).into()),
            retry: Some(options.retry.into()),
            timeout_ms: options.timeout_ms,
            cancel_grace_ms: Some(options.cancel_grace_ms),
            start_deadline_ms: options.start_deadline_ms,
            lease_ms: Some(options.lease_ms),
            fail_on_lease_lost: options.fail_on_lease_lost,
            ..Self::default()
        }
    }
}

impl TryFrom<v1::Retry> for RetryPolicy {
    type Error = Violation;

    fn try_from(wire: v1::Retry) -> Result<Self, Violation> {
        let backoff = match (wire.exponential, wire.cap_ms) {
            (true, cap_ms) => Backoff::Exponential {
                delay_ms: wire.delay_ms,
                cap_ms,
            },
            (false, 0) => Backoff::Fixed {
                delay_ms: wire.delay_ms,
            },
            (false, cap_ms) => {
                return Err(Violation::new(
                    "retry.cap_ms",
                    "belongs to an exponential delay",
                    cap_ms,
                ));
            }
        };
        Ok(Self {
            max_attempts: wire.max_attempts,
            backoff,
            full_jitter: wire.full_jitter,
        })
    }
}

impl From<RetryPolicy> for v1::Retry {
    fn from(retry: RetryPolicy) -> Self {
        let (delay_ms, exponential, cap_ms) = match retry.backoff {
            Backoff::Fixed { delay_ms } => (delay_ms, false, 0),
            Backoff::Exponential { delay_ms, cap_ms } => (delay_ms, true, cap_ms),
        };
        Self {
            max_attempts: retry.max_attempts,
            delay_ms,
            exponential,
            cap_ms,
            full_jitter: retry.full_jitter,
        }
    }
}
