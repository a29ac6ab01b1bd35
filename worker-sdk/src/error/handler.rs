//! How a handler fails, and what that means for the context.
//!
//! `HandlerError` is deliberately no `std::error::Error`: only so can everything that is one (and `anyhow::Error`, and a
//! plain text) become one by `?`.

use std::error::Error as StdError;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use crate::bounds::{ERROR_BYTES_MAX, clipped};

/// Any error a handler may give as the cause.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// What a handler returns.
pub type HandlerResult<T> = Result<T, HandlerError>;

/// Why an attempt failed. `?` makes a [`HandlerError::Failed`] of any error.
pub enum HandlerError {
    /// Retried by the context's policy.
    Failed(Cause),
    /// Never retried.
    Fatal(Cause),
    /// Retried after this time, whatever the back-off says; the attempt counts as a failure.
    RetryAfter(Duration, Cause),
}

/// An error as its handler gave it, and the name of its type: by it people find what failed alike.
pub struct Cause {
    error: BoxError,
    type_name: &'static str,
}

impl Cause {
    /// The name of the error's type, say `std::io::error::Error`; empty where the type says nothing: of a text, and of what can hold any error.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }
}

impl<E: Into<BoxError>> From<E> for Cause {
    fn from(error: E) -> Self {
        let name = std::any::type_name::<E>();
        let says_nothing = name.starts_with('&')
            || name.contains("dyn ")
            || ["alloc::string::String", "anyhow::Error"].contains(&name)
            || name.starts_with("alloc::borrow::Cow<");
        Self {
            error: error.into(),
            type_name: if says_nothing { "" } else { name },
        }
    }
}

impl Deref for Cause {
    type Target = dyn StdError + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.error
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
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
pub fn fatal(cause: impl Into<Cause>) -> HandlerError {
    HandlerError::Fatal(cause.into())
}

/// An error that asks for the next attempt after `delay` (say, what a `Retry-After` header said). More than ten years count as ten years.
pub fn retry_after(delay: Duration, cause: impl Into<Cause>) -> HandlerError {
    HandlerError::RetryAfter(delay, cause.into())
}

impl HandlerError {
    /// The cause and its sources, outermost first, joined by ": ", at most 1 KiB.
    #[must_use]
    pub fn message(&self) -> String {
        let cause = self.cause();
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

    /// The name of the cause's type, see [`Cause::type_name`].
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.cause().type_name()
    }

    fn cause(&self) -> &Cause {
        let (Self::Failed(cause) | Self::Fatal(cause) | Self::RetryAfter(_, cause)) = self;
        cause
    }
}

impl<E: Into<BoxError>> From<E> for HandlerError {
    fn from(cause: E) -> Self {
        Self::Failed(Cause::from(cause))
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
    fn the_type_of_an_error_is_told_where_it_says_something() {
        let parse = HandlerError::from("x".parse::<u8>().unwrap_err());
        assert_eq!(parse.type_name(), "core::num::error::ParseIntError");
        assert_eq!(
            fatal(std::io::Error::other("no")).type_name(),
            "std::io::error::Error"
        );
        let boxed: BoxError = "x".into();
        for nothing in [
            HandlerError::from("text"),
            fatal("text".to_owned()),
            retry_after(Duration::ZERO, anyhow::anyhow!("any")),
            HandlerError::from(boxed),
        ] {
            assert_eq!(nothing.type_name(), "", "{nothing:?}");
        }
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
