//! How a handler fails, and what that means for the context.
//!
//! `HandlerError` is deliberately no `std::error::Error`: only so can everything that is one (and `anyhow::Error`, and a
//! plain text) become one by `?`.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::bounds::{ERROR_BYTES_MAX, clipped};

/// Any error a handler may give as the cause.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What a handler returns.
pub type HandlerResult<T> = Result<T, HandlerError>;

/// Why an attempt failed. `?` makes a [`HandlerError::Failed`] of any error.
pub enum HandlerError {
    /// Retried by the context's policy.
    Failed(BoxError),
    /// Never retried.
    Fatal(BoxError),
    /// Retried after this time, whatever the back-off says; the attempt counts as a failure.
    RetryAfter(Duration, BoxError),
}

/// An error that no repetition will cure: the context ends as failed.
///
/// ```
/// use tickwheel_worker::{HandlerResult, fatal};
/// fn check(amount: i64) -> HandlerResult<()> {
///     if amount < 0 {
///         return Err(fatal("the amount is negative"));
///     }
///     Ok(())
/// }
/// assert!(check(-1).is_err());
/// ```
pub fn fatal(cause: impl Into<BoxError>) -> HandlerError {
    HandlerError::Fatal(cause.into())
}

/// An error that asks for the next attempt after `delay` (say, what a `Retry-After` header said). More than ten years count as ten years.
pub fn retry_after(delay: Duration, cause: impl Into<BoxError>) -> HandlerError {
    HandlerError::RetryAfter(delay, cause.into())
}

impl HandlerError {
    /// The cause and its sources, outermost first, joined by ": ", at most 1 KiB.
    #[must_use]
    pub fn message(&self) -> String {
        let (Self::Failed(cause) | Self::Fatal(cause) | Self::RetryAfter(_, cause)) = self;
        let mut message = cause.to_string();
        let mut source = cause.source();
        while let Some(inner) = source {
            if message.len() > ERROR_BYTES_MAX {
                break;
            }
            message.push_str(": ");
            message.push_str(&inner.to_string());
            source = inner.source();
        }
        clipped(message, ERROR_BYTES_MAX)
    }
}

impl<E: Into<BoxError>> From<E> for HandlerError {
    fn from(cause: E) -> Self {
        Self::Failed(cause.into())
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(_) => f.debug_tuple("Failed").field(&self.message()).finish(),
            Self::Fatal(_) => f.debug_tuple("Fatal").field(&self.message()).finish(),
            Self::RetryAfter(delay, _) => f
                .debug_tuple("RetryAfter")
                .field(delay)
                .field(&self.message())
                .finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_error_becomes_a_failure_with_its_causes() {
        fn by_anyhow() -> HandlerResult<()> {
            Err(anyhow::anyhow!("inner").context("outer"))?;
            Ok(())
        }
        fn by_std() -> HandlerResult<u8> {
            Ok("x".parse::<u8>()?)
        }
        assert_eq!(by_anyhow().unwrap_err().message(), "outer: inner");
        assert_eq!(
            by_std().unwrap_err().message(),
            "invalid digit found in string"
        );
        assert_eq!(HandlerError::from("text").message(), "text");
    }

    #[test]
    fn a_long_message_is_cut_at_a_kibibyte() {
        assert_eq!(fatal("é".repeat(2_000)).message().len(), ERROR_BYTES_MAX);
    }

    #[test]
    fn retry_after_keeps_its_delay() {
        let delay = Duration::from_secs(7);
        assert!(matches!(retry_after(delay, "busy"), HandlerError::RetryAfter(d, _) if d == delay));
    }
}
