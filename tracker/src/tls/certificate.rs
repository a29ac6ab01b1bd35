//! What the files hold, and whether it can be served: everything that a worker would refuse is refused here, with what to do.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tickwheel_certificates::{authorities, chain, instant, now, provider, read};
use tickwheel_core::error::Violations;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, CertificateError, RootCertStore};

use crate::config::{Asked, Clients, Tls};

/// Later than any certificate is good: 9999-12-31.
const FOR_EVER: Duration = Duration::from_secs(253_402_214_400);

/// What the files held when they were read.
#[derive(PartialEq, Eq)]
pub(super) struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
    /// Empty where nobody is asked for a certificate.
    client_ca: Vec<u8>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Files")
    }
}

/// A certificate that can be served.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    /// Seconds since 1970.
    pub(super) expires: u64,
}

impl Files {
    /// What they hold now.
    ///
    /// # Errors
    /// Names each that cannot be read.
    pub(super) fn read(tls: &Tls) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let mut take = |field: &str, path: &Path| match read(path) {
            Ok(text) => text,
            Err(error) => {
                let rule = format!("names a file that can be read: {error}");
                violations.add(field, &rule, path.display());
                Vec::new()
            }
        };
        let files = Self {
            cert: take("tls.cert", &tls.cert),
            key: take("tls.key", &tls.key),
            client_ca: match &tls.clients {
                Some(clients) => take("tls.client_ca", &clients.ca),
                None => Vec::new(),
            },
        };
        violations.into_result().map(|()| files)
    }

    /// The certificate in them, good for `host`.
    ///
    /// # Errors
    /// Says why workers would refuse it, and what to do.
    pub(super) fn certificate(&self, tls: &Tls, host: &str) -> Result<Certificate, Violations> {
        let mut violations = Violations::new();
        let chain = chain(&self.cert);
        let chain = chain.map_err(|rule| violations.add("tls.cert", &rule, tls.cert.display()));
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| {
            let rule = format!("holds a private key in PEM: {error}");
            violations.add("tls.key", &rule, tls.key.display());
        });
        let (Ok(chain), Ok(key)) = (chain, key) else {
            return Err(violations);
        };
        let expires = good_for(&chain, host)
            .map_err(|rule| violations.add("tls.cert", &rule, tls.cert.display()));
        let key = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| {
            let rule = format!(
                "holds the key of the certificate in {}: {error}",
                tls.cert.display()
            );
            violations.add("tls.key", &rule, tls.key.display());
        });
        match (expires, key) {
            (Ok(expires), Ok(key)) => Ok(Certificate {
                key: Arc::new(key),
                expires,
            }),
            _ => Err(violations),
        }
    }
}

impl Files {
    /// What looks at the certificates of whoever connects; `None`: nobody is asked for one.
    ///
    /// # Errors
    /// Says what is wrong with the file of their authorities.
    pub(super) fn clients(
        &self,
        tls: &Tls,
    ) -> Result<Option<Arc<dyn ClientCertVerifier>>, Violations> {
        let Some(Clients { ca, asked }) = &tls.clients else {
            return Ok(None);
        };
        let roots = authorities(&self.client_ca);
        let verifier = roots.and_then(|roots| {
            let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
            let builder = match asked {
                Asked::Optional => builder.allow_unauthenticated(),
                Asked::Required => builder,
            };
            let built = builder.build();
            built.map_err(|error| format!("holds authorities that can be asked: {error}"))
        });
        verifier.map(Some).map_err(|rule| {
            let mut violations = Violations::new();
            violations.add("tls.client_ca", &rule, ca.display());
            violations
        })
    }
}

/// Until when the first of them is good, in seconds since 1970, where it is good now and for `host`.
fn good_for(chain: &[CertificateDer<'_>], host: &str) -> Result<u64, String> {
    use CertificateError as Wrong;
    let unfit = |error: &dyn fmt::Display| {
        format!("holds a certificate that workers and callers believe: {error}")
    };
    let leaf = chain.first().ok_or("holds a certificate")?;
    let seen = |at| seen(leaf, at).map_err(|error| unfit(&error));
    match seen(now())? {
        None | Some(Wrong::UnknownIssuer | Wrong::BadSignature) => {}
        Some(Wrong::ExpiredContext { not_after, .. }) => {
            return Err(unfit(&format_args!(
                "it expired at {}: get a new one",
                instant(not_after.as_secs())
            )));
        }
        Some(Wrong::NotValidYetContext { not_before, .. }) => {
            return Err(unfit(&format_args!(
                "it is good from {} only: does the clock go wrong?",
                instant(not_before.as_secs())
            )));
        }
        Some(other) => return Err(unfit(&other)),
    }
    let named = ParsedCertificate::try_from(leaf).map_err(|error| unfit(&error))?;
    if let Err(error) = verify_server_name(&named, &server_name(host)?) {
        return Err(format!(
            "holds a certificate for {host}, the host that workers are told of: name the tracker as its certificate does, by \
             tracker.advertise_url = \"https://NAME:PORT\", or get one for {host} ({error})"
        ));
    }
    match seen(FOR_EVER)? {
        Some(Wrong::ExpiredContext { not_after, .. }) => Ok(not_after.as_secs()),
        _ => Ok(FOR_EVER.as_secs()),
    }
}

fn server_name(host: &str) -> Result<ServerName<'_>, String> {
    ServerName::try_from(host).map_err(|_| format!("is for a host; {host:?} is the name of none"))
}

/// What a peer would say of a certificate at that time, whoever vouches for it: a verifier looks at what stands in it before it looks for its
/// authority, which is not known here.
fn seen(
    leaf: &CertificateDer<'_>,
    at: Duration,
) -> Result<Option<CertificateError>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(leaf.clone().into_owned())?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    // Its names are looked at last, and apart.
    let any = ServerName::try_from("name.invalid")
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let at = UnixTime::since_unix_epoch(at);
    match verifier.verify_server_cert(leaf, &[], &any, &[], at) {
        Ok(_) => Ok(None),
        Err(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => Ok(None),
        Err(rustls::Error::InvalidCertificate(error)) => Ok(Some(error)),
        Err(other) => Err(other),
    }
}
