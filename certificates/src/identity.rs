//! Who somebody is, by a certificate and its key; and what keeps others from believing a certificate, before they see it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::TimestampMs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, CertificateError, RootCertStore};

use crate::{chain, provider};

/// Which of two files is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// That with the certificate.
    Certificate,
    /// That with its private key.
    Key,
}

/// A rule that one of the files breaks, in words; nothing of a key is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Which file.
    pub part: Part,
    /// The rule, and why it is broken.
    pub rule: String,
}

/// Seconds since 1970, by this machine's clock: peers judge a certificate by theirs.
#[must_use]
pub fn now() -> Duration {
    Duration::from_secs(UnixTime::now().as_secs())
}

/// A day and a time of it, UTC.
#[must_use]
pub fn instant(seconds: u64) -> TimestampMs {
    TimestampMs::new(seconds.saturating_mul(1_000))
}

/// Whom the texts of two files make whoever connects with them, where servers can believe that now.
///
/// # Errors
/// All that is wrong with them.
pub fn identity(cert: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, Vec<Unfit>> {
    let unfit = |part, rule| vec![Unfit { part, rule }];
    let of_cert = chain(cert).map_err(|rule| unfit(Part::Certificate, rule));
    let of_key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| unfit(Part::Key, format!("holds a private key in PEM: {error}")));
    let (chain, key) = match (of_cert, of_key) {
        (Ok(chain), Ok(key)) => (chain, key),
        (Err(mut wrong), Err(more)) => {
            wrong.extend(more);
            return Err(wrong);
        }
        (Err(wrong), Ok(_)) | (Ok(_), Err(wrong)) => return Err(wrong),
    };
    if let Some(rule) = refused(&chain, now()) {
        return Err(unfit(Part::Certificate, rule));
    }
    let key = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| {
        let rule = format!("holds the key of the certificate beside it: {error}");
        unfit(Part::Key, rule)
    })?;
    Ok(Arc::new(key))
}

/// Why a server would not believe the first of them, whoever vouches for it: what stands in a certificate is looked at before its
/// authority, which is not known here.
fn refused(chain: &[CertificateDer<'static>], at: Duration) -> Option<String> {
    use CertificateError as Wrong;
    let unfit =
        |why: &dyn fmt::Display| Some(format!("holds a certificate that servers believe: {why}"));
    let leaf = chain.first()?;
    let mut roots = RootCertStore::empty();
    if let Err(error) = roots.add(leaf.clone()) {
        return unfit(&error);
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    let verifier = match verifier {
        Ok(verifier) => verifier,
        Err(error) => return unfit(&error),
    };
    let at = UnixTime::since_unix_epoch(at);
    match verifier.verify_client_cert(leaf, &[], at) {
        Ok(_) => None,
        Err(rustls::Error::InvalidCertificate(wrong)) => {
            if matches!(wrong, Wrong::UnknownIssuer | Wrong::BadSignature) {
                None
            } else if let Wrong::ExpiredContext { not_after, .. } = wrong {
                let expired = instant(not_after.as_secs());
                unfit(&format_args!("it expired at {expired}: get a new one"))
            } else if let Wrong::NotValidYetContext { not_before, .. } = wrong {
                let from = instant(not_before.as_secs());
                unfit(&format_args!(
                    "it is good from {from} only: does the clock go wrong?"
                ))
            } else {
                unfit(&wrong)
            }
        }
        Err(other) => unfit(&other),
    }
}
