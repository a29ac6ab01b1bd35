//! Certificates and keys in files: how much of a file is read, what has to be in it, and what is wrong with it in words.
//!
//! Trackers, callers, workers and the client of Redis have this in common; whom each of them believes is theirs.

mod identity;
#[cfg(feature = "testing")]
pub mod testing;

use std::fmt::Display;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

pub use identity::{Part, Unfit, identity, instant, now};

/// Bytes of a file. A chain of ten certificates has some 20 KiB, all authorities of a system a quarter of this.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Certificates of a chain.
const CHAIN_MAX: usize = 16;

/// The one implementation of everything secret that a process has.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// What a file holds, at most 1 MiB.
///
/// # Errors
/// When it cannot be read, or has more.
pub fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let opened = std::fs::File::open(file)?;
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let why = format!("it has more than {FILE_BYTES_MAX} bytes");
        return Err(std::io::Error::other(why));
    }
    Ok(text)
}

/// The certificates of a text, that of whoever shows them first: 1 to 16.
///
/// # Errors
/// The rule that it breaks, in words.
pub fn chain(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let chain = read.map_err(|error| format!("holds certificates in PEM: {error}"))?;
    if chain.is_empty() || chain.len() > CHAIN_MAX {
        return Err(format!(
            "holds 1 to {CHAIN_MAX} certificates in PEM (-----BEGIN CERTIFICATE-----); there are {}",
            chain.len()
        ));
    }
    Ok(chain)
}

/// The authorities of a text.
///
/// # Errors
/// The rule that it breaks, in words.
pub fn authorities(text: &[u8]) -> Result<RootCertStore, String> {
    let wrong = |why: &dyn Display| format!("holds the certificates of authorities in PEM: {why}");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text) {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    if roots.is_empty() {
        return Err(wrong(&"there is none (-----BEGIN CERTIFICATE-----)"));
    }
    Ok(roots)
}

/// The authorities that this system knows; those of a file that the variable `SSL_CERT_FILE` names, where it is set. One that cannot be
/// read vouches for nobody.
///
/// # Errors
/// In words, when there is none.
pub fn of_system() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(ToString::to_string);
        let why = why.unwrap_or_else(|| "it has none".to_owned());
        return Err(format!("no authority of this system can be read: {why}"));
    }
    Ok(roots)
}
