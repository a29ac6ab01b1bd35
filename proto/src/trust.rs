//! Whom callers and workers believe to be a tracker, where they speak TLS with it.
//!
//! Nothing is believed that no authority vouches for, and there is no way to turn that off: a token that is sent to whoever answers is as
//! good as published.

use std::error::Error;
use std::path::{Path, PathBuf};

use tonic::transport::Endpoint;

#[cfg(feature = "tls")]
mod tls;

/// Names a file with the certificates of the authorities that vouch for trackers.
pub const CA_FILE_VARIABLE: &str = "TICKWHEEL_CA_FILE";

/// Whether this program speaks TLS: the feature `tls`.
pub const SPEAKS_TLS: bool = cfg!(feature = "tls");

/// What is said where a program without TLS is to speak it.
pub(crate) const SPEAKS_NONE: &str = "this program was built without TLS: turn on the feature `tls` of tickwheel-client or tickwheel-worker";

/// Who vouches for trackers: the authorities of a file, or those that this system knows. Files are read for each use, so that what was
/// exchanged in them is taken from there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    ca_file: Option<PathBuf>,
}

impl Trust {
    /// The authorities in `file`, certificates in PEM, and no others.
    #[must_use]
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }

    /// As [`CA_FILE_VARIABLE`] says; the authorities of the system where it is unset or empty. `variable` reads one.
    #[must_use]
    pub fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        match variable(CA_FILE_VARIABLE).filter(|value| !value.is_empty()) {
            Some(file) => Self::default().ca_file(file),
            None => Self::default(),
        }
    }

    /// The file of the authorities, where there is one.
    #[must_use]
    pub fn authorities(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// Whether all of it can be read.
    ///
    /// # Errors
    /// Says in words what is wrong, and with which file.
    pub fn check(&self) -> Result<(), String> {
        #[cfg(feature = "tls")]
        tls::authorities(self.authorities())?;
        Ok(())
    }

    /// The same endpoint, which believes whom this does where its URL is `https://`.
    ///
    /// # Errors
    /// Says in words what is wrong with a file, or that this program speaks no TLS.
    pub fn secured(&self, endpoint: Endpoint) -> Result<Endpoint, String> {
        if endpoint.uri().scheme_str() != Some("https") {
            return Ok(endpoint);
        }
        #[cfg(feature = "tls")]
        return tls::secured(self.authorities(), endpoint);
        #[cfg(not(feature = "tls"))]
        Err(SPEAKS_NONE.to_owned())
    }
}

/// What to do about a connection that failed for a reason of TLS; `None` where it failed for another one.
#[must_use]
pub fn advice(error: &(dyn Error + 'static)) -> Option<String> {
    #[cfg(feature = "tls")]
    return tls::advice(error);
    #[cfg(not(feature = "tls"))]
    {
        let _: &dyn Error = error;
        None
    }
}
