//! Whom callers and workers believe to be a tracker, where they speak TLS with it.
//!
//! Nothing is believed that no authority vouches for, and there is no way to turn that off: a token that is sent to whoever answers is as
//! good as published.

use std::error::Error;
use std::path::{Path, PathBuf};

use tonic::transport::Endpoint;

#[cfg(feature = "tls")]
mod tls;
mod unfit;

pub use unfit::Unfit;

/// Names a file with the certificates of the authorities that vouch for trackers.
pub const CA_FILE_VARIABLE: &str = "TICKWHEEL_CA_FILE";
/// Names a file with the certificate that is shown to trackers.
pub const CLIENT_CERT_VARIABLE: &str = "TICKWHEEL_CLIENT_CERT";
/// Names a file with its private key.
pub const CLIENT_KEY_VARIABLE: &str = "TICKWHEEL_CLIENT_KEY";

/// Whether this program speaks TLS: the feature `tls`.
pub const SPEAKS_TLS: bool = cfg!(feature = "tls");

/// What is said where a program without TLS is to speak it.
pub(crate) const SPEAKS_NONE: &str = "this program was built without TLS: turn on the feature `tls` of tickwheel-client or tickwheel-worker";

/// Who vouches for trackers: the authorities of a file, or those that this system knows; and who this program is to trackers that ask for a
/// certificate. Files are read for each use, so that what was exchanged in them is taken from there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    ca_file: Option<PathBuf>,
    client_cert: Option<PathBuf>,
    client_key: Option<PathBuf>,
}

impl Trust {
    /// The authorities in `file`, certificates in PEM, and no others.
    #[must_use]
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }

    /// The certificate in this file, in PEM with those that lead to its authority behind it, is shown to trackers that ask for one.
    #[must_use]
    pub fn client_cert(mut self, file: impl Into<PathBuf>) -> Self {
        self.client_cert = Some(file.into());
        self
    }

    /// Its private key, in PEM.
    #[must_use]
    pub fn client_key(mut self, file: impl Into<PathBuf>) -> Self {
        self.client_key = Some(file.into());
        self
    }

    /// As [`CA_FILE_VARIABLE`], [`CLIENT_CERT_VARIABLE`] and [`CLIENT_KEY_VARIABLE`] say; the authorities of the system, and no certificate,
    /// where they are unset or empty. `variable` reads one.
    #[must_use]
    pub fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let named = |name| {
            let given = variable(name).filter(|value| !value.is_empty());
            given.map(PathBuf::from)
        };
        Self {
            ca_file: named(CA_FILE_VARIABLE),
            client_cert: named(CLIENT_CERT_VARIABLE),
            client_key: named(CLIENT_KEY_VARIABLE),
        }
    }

    /// The same, and what `other` says where this says nothing. A certificate and its key are of one of both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let shows = self.client_cert.is_some() || self.client_key.is_some();
        let (client_cert, client_key) = if shows {
            (self.client_cert, self.client_key)
        } else {
            (other.client_cert, other.client_key)
        };
        Self {
            ca_file: self.ca_file.or(other.ca_file),
            client_cert,
            client_key,
        }
    }

    /// The file of the authorities, where there is one.
    #[must_use]
    pub fn authorities(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// The files of the certificate that is shown and of its key, where they are named.
    ///
    /// # Errors
    /// When one of them is named alone.
    #[cfg(feature = "tls")]
    fn shows(&self) -> Result<Option<(&Path, &Path)>, Unfit> {
        let alone = |setting, given: &Path| Unfit {
            setting,
            reason: format!(
                "is given with {}: a certificate and its key are named together",
                given.display()
            ),
        };
        match (&self.client_cert, &self.client_key) {
            (Some(cert), Some(key)) => Ok(Some((cert, key))),
            (Some(cert), None) => Err(alone("client_key", cert)),
            (None, Some(key)) => Err(alone("client_cert", key)),
            (None, None) => Ok(None),
        }
    }

    /// Whether all of it can be read, and be believed by trackers.
    ///
    /// # Errors
    /// Says in words what is wrong, and with which file.
    pub fn check(&self) -> Result<(), Unfit> {
        #[cfg(feature = "tls")]
        {
            tls::authorities(self.authorities())?;
            tls::identity(self.shows()?)?;
        }
        Ok(())
    }

    /// The same endpoint, which believes whom this does, and shows what this does, where its URL is `https://`.
    ///
    /// # Errors
    /// Says in words what is wrong with a file, or that this program speaks no TLS.
    pub fn secured(&self, endpoint: Endpoint) -> Result<Endpoint, Unfit> {
        if endpoint.uri().scheme_str() != Some("https") {
            return Ok(endpoint);
        }
        #[cfg(feature = "tls")]
        return tls::secured(self.authorities(), self.shows()?, endpoint);
        #[cfg(not(feature = "tls"))]
        Err(Unfit {
            setting: "ca_file",
            reason: SPEAKS_NONE.to_owned(),
        })
    }
}

/// What may be the reason where a connection to `url` ends at once, and `cause` is all that is known: whoever is refused for its certificate
/// is told so, but behind the handshake, where its alert may be passed over.
#[must_use]
pub fn closed(url: &str, cause: &str) -> Option<&'static str> {
    let ends = ["connection closed", "reset", "broken pipe", "eof"];
    let cause = cause.to_ascii_lowercase();
    let is_closed = url.starts_with("https://") && ends.iter().any(|end| cause.contains(end));
    is_closed.then_some(
        "it ended, or it asks for certificates (tls.client_ca) and was shown none, or does not believe the certificate that you show: name one and its \
         key, by --client-cert and --client-key of a command, `client_cert` and `client_key` of a client or a worker",
    )
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
