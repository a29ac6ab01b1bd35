//! What can go wrong: [`Error`] for starting and running a worker, [`HandlerError`] for one attempt.
//!
//! Lost trackers are not errors: a worker reconnects for ever. A handler says with its error what becomes of the context.

mod handler;

use std::fmt;

pub use handler::{BoxError, Cause, HandlerError, HandlerResult, fatal, retry_after};

/// Why a worker could not run.
#[derive(thiserror::Error)]
pub enum Error {
    /// A setting breaks a rule; nothing was started.
    #[error("invalid {setting}: {reason}")]
    Invalid {
        /// The setting, as its builder method is called.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The process' signals could not be listened to.
    #[error("cannot listen for signals")]
    Signals(#[source] std::io::Error),
    /// The worker's main task ended by a panic: a bug of the SDK.
    #[error("the worker ended unexpectedly")]
    Ended(#[source] tokio::task::JoinError),
}

impl fmt::Debug for Error {
    /// In words, with its causes: a `main` that returns it prints it so.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = std::error::Error::source(self);
        while let Some(inner) = cause {
            write!(f, ": {inner}")?;
            cause = inner.source();
        }
        Ok(())
    }
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Invalid { .. } | Self::Ended(_) => false,
            Self::Signals(_) => true,
        }
    }

    pub(crate) fn invalid(setting: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            setting,
            reason: reason.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_main_that_returns_it_prints_words() {
        let wrong = Error::invalid("permits", "0 is not within 1 to 65536");
        assert_eq!(
            format!("{wrong:?}"),
            "invalid permits: 0 is not within 1 to 65536"
        );
        let signals = Error::Signals(std::io::Error::other("too many"));
        assert_eq!(
            format!("{signals:?}"),
            "cannot listen for signals: too many"
        );
    }
}
