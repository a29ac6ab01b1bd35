//! What can go wrong in a tracker, by what its caller can do about it.
//!
//! Whatever concerns the wheel is the store's error, passed on unchanged; this crate adds what goes wrong around it. The codes that callers
//! see are in `rpc/error.rs`.

use std::net::SocketAddr;
use std::time::Duration;

use tickwheel_core::access::mask;
use tickwheel_core::error::{Violation, Violations};

/// What fails for a moment may be asked again after this.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// An operation of a tracker failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store could not or would not do it.
    #[error(transparent)]
    Store(#[from] tickwheel_store::Error),
    /// The configuration breaks these rules; the tracker does not start.
    #[error("configuration: {0}")]
    Config(Violations),
    /// An address cannot be listened on; the tracker does not start.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address as configured.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// As much is under way as this tracker takes; what, and what to do, in words.
    #[error("{0}")]
    Busy(String),
    /// Whoever calls asks for more in a second than it may; nothing was done.
    #[error("too much in a second: {wrong}")]
    Throttled {
        /// What there is too much of, and what to do.
        wrong: Violations,
        /// As much as this passes after this, where nobody else takes it.
        retry_after: Duration,
    },
    /// There are as many of something as may be kept; of what, and what to do, by field. Nothing was done.
    #[error("no room: {0}")]
    NoRoom(Violations),
    /// It is not known who calls; what to show, in words.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// Whoever calls may not do that; what it may not, by field.
    #[error("not allowed: {0}")]
    Denied(Violations),
    /// This tracker stops and takes nothing new; another one will.
    #[error("this tracker is draining")]
    Draining,
}

impl Error {
    /// True when the same call may succeed later, or on another tracker, without a change by the caller.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Busy(_) | Self::NoRoom(_) | Self::Throttled { .. } | Self::Draining => true,
            Self::Config(_) | Self::Listen { .. } | Self::Unauthenticated(_) | Self::Denied(_) => {
                false
            }
        }
    }

    /// When the same call may be made again; `None` where that alone changes nothing.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } => Some(*retry_after),
            Self::Store(_)
            | Self::Busy(_)
            | Self::NoRoom(_)
            | Self::Draining
            | Self::Config(_)
            | Self::Listen { .. }
            | Self::Unauthenticated(_)
            | Self::Denied(_) => self.is_retryable().then_some(RETRY_AFTER),
        }
    }

    /// There is no `kind` with this name or id.
    #[must_use]
    pub fn not_found(kind: &'static str, id: impl Into<String>) -> Self {
        let id = id.into();
        Self::Store(tickwheel_store::Error::NotFound {
            kind,
            id: mask(&id).into_owned(),
        })
    }

    /// The state of what was addressed does not allow the operation; `why` in words.
    #[must_use]
    pub fn conflict(why: impl Into<String>) -> Self {
        Self::Store(tickwheel_store::Error::Conflict(why.into()))
    }
}

impl From<Violations> for Error {
    fn from(violations: Violations) -> Self {
        Self::Store(tickwheel_store::Error::Invalid(violations))
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Violations::from(violation).into()
    }
}
