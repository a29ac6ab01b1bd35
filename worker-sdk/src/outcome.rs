//! How an attempt ended, and its form on the wire.

pub(crate) mod spool;

use std::time::Duration;

use bytes::Bytes;
use tickwheel_proto::v1::{Settlement, settlement};

use crate::attempt::AttemptKey;
use crate::bounds::RETRY_AFTER_MAX;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// With this result: JSON of a typed handler (empty for `()`), any bytes of a raw one.
    Succeeded(Bytes),
    /// Failed with this message; retried by the context's policy.
    Failed(String),
    /// Failed with this message; never retried.
    Fatal(String),
    /// Failed with this message; retried after this time.
    RetryAfter(Duration, String),
    /// Stopped because somebody asked for it, or because a newer firing took its place.
    Cancelled,
    /// Ran longer than its context allows.
    TimedOut,
}

impl Outcome {
    /// A result no tracker would take becomes a failure that no retry can cure.
    pub(crate) fn within(self, result_bytes_max: usize) -> Self {
        if let Self::Succeeded(result) = &self
            && result.len() > result_bytes_max
        {
            return Self::Fatal(format!(
                "the result has {} bytes, the limit is {result_bytes_max}",
                result.len()
            ));
        }
        self
    }

    pub(crate) fn into_wire(self, key: &AttemptKey, ran: Duration) -> Settlement {
        use settlement::Outcome as Wire;
        let (outcome, error, result, delay) = match self {
            Self::Succeeded(result) => (Wire::Succeeded, String::new(), result, Duration::ZERO),
            Self::Failed(error) => (Wire::Failed, error, Bytes::new(), Duration::ZERO),
            Self::Fatal(error) => (Wire::Fatal, error, Bytes::new(), Duration::ZERO),
            Self::RetryAfter(delay, error) => (Wire::RetryAfter, error, Bytes::new(), delay),
            Self::Cancelled => (Wire::Cancelled, String::new(), Bytes::new(), Duration::ZERO),
            Self::TimedOut => (Wire::TimedOut, String::new(), Bytes::new(), Duration::ZERO),
        };
        Settlement {
            context_id: String::from(&*key.context),
            attempt: key.attempt,
            outcome: outcome.into(),
            error,
            result,
            retry_after_ms: u64::try_from(delay.min(RETRY_AFTER_MAX).as_millis())
                .unwrap_or(u64::MAX),
            ran_us: u64::try_from(ran.as_micros()).unwrap_or(u64::MAX),
            error_type: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_over_the_limit_is_fatal() {
        let outcome = Outcome::Succeeded(Bytes::from_static(b"12345"));
        assert_eq!(outcome.clone().within(5), outcome);
        assert_eq!(
            outcome.within(4),
            Outcome::Fatal("the result has 5 bytes, the limit is 4".to_owned())
        );
    }

    #[test]
    fn the_delay_of_a_retry_travels_in_milliseconds() {
        let wire = Outcome::RetryAfter(Duration::from_secs(2), "busy".to_owned())
            .into_wire(&AttemptKey::new("c", 3), Duration::from_millis(7));
        assert_eq!(
            (
                wire.retry_after_ms,
                wire.attempt,
                wire.error.as_str(),
                wire.ran_us
            ),
            (2_000, 3, "busy", 7_000)
        );
        assert_eq!(wire.outcome(), settlement::Outcome::RetryAfter);
        let for_ever = Outcome::RetryAfter(Duration::MAX, String::new())
            .into_wire(&AttemptKey::new("c", 3), Duration::ZERO);
        assert_eq!(for_ever.retry_after_ms, 316_224_000_000, "ten years");
    }
}
