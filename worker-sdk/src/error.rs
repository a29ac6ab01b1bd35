//! What can go wrong: [`Error`] for starting and running a worker, [`HandlerError`] for one attempt.
//!
//! Lost trackers are not errors: a worker reconnects for ever. A handler says with its error what becomes of the context.

mod handler;

pub use handler::{BoxError, HandlerError, HandlerResult, fatal, retry_after};

/// Why a worker could not run.
#[derive(Debug, thiserror::Error)]
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
