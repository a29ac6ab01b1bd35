//! With what a tracker speaks TLS.

use std::path::PathBuf;
use std::time::Duration;

use tickwheel_core::error::Violations;

/// What is asked of whoever connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clients {
    /// The certificates of the authorities that vouch for theirs, in PEM.
    pub ca: PathBuf,
    /// Whether somebody without a certificate is let in.
    pub asked: Asked,
}

/// Whether somebody without a certificate is let in. One that no authority of the tracker's vouches for is refused by either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asked {
    /// Yes; but no token that is bound to one is believed then.
    Optional,
    /// No: its handshake fails.
    Required,
}

/// A certificate and its key, in files that are looked at again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate in PEM, with those that lead to its authority behind it.
    pub cert: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
    /// Whom callers and workers have to be; `None`: nobody is asked for a certificate.
    pub clients: Option<Clients>,
    /// Between two looks at the files, 100 ms..=1 h. What is new in them is served after two of them at most, without a restart.
    pub recheck: Duration,
}

impl Tls {
    /// What is in these files, looked at every five seconds.
    #[must_use]
    pub fn new(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            cert: cert.into(),
            key: key.into(),
            clients: None,
            recheck: Duration::from_secs(5),
        }
    }

    /// What is wrong with it for a tracker that workers are told of by this URL.
    pub(super) fn check(&self, advertise_url: Option<&str>, violations: &mut Violations) {
        if let Some(url) = advertise_url.filter(|url| !url.starts_with("https://")) {
            let rule = "begins with https:// where the tracker has a certificate ([tls]), as its workers are to speak TLS with it";
            violations.add("advertise_url", rule, url);
        }
        if self
            .clients
            .as_ref()
            .is_some_and(|it| it.ca.as_os_str().is_empty())
        {
            let rule = "names a file with the authorities of callers and workers, where tls.client_auth says how they are asked for a certificate";
            violations.add("tls.client_ca", rule, "");
        }
        if !(Duration::from_millis(100)..=Duration::from_secs(3_600)).contains(&self.recheck) {
            let given = format_args!("{:?}", self.recheck);
            violations.add("tls.recheck", "is 100ms..=1h", given);
        }
    }
}
