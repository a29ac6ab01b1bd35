//! The part that needs TLS: files of authorities, and what its failures mean.

use std::error::Error;
use std::fmt::Display;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{self, CertificateError, RootCertStore};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

/// Bytes of a file with certificates. That of a whole system has a quarter of it.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// A tracker shakes hands within this.
const SHAKE_WITHIN: Duration = Duration::from_secs(5);

/// What a file of authorities holds, where one is named.
pub(super) fn authorities(file: Option<&Path>) -> Result<Option<Vec<u8>>, String> {
    let Some(file) = file else {
        return Ok(None);
    };
    let wrong = |why: &dyn Display| {
        format!(
            "cannot read the certificates of authorities in {}: {why}",
            file.display()
        )
    };
    let text = bounded(file).map_err(|error| wrong(&error))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        let added = roots.add(certificate);
        added.map_err(|error| wrong(&error))?;
    }
    if roots.is_empty() {
        return Err(wrong(
            &"there is none; it has to hold them in PEM (-----BEGIN CERTIFICATE-----)",
        ));
    }
    Ok(Some(text))
}

fn bounded(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let opened = std::fs::File::open(file)?;
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let why = format!("it has more than {FILE_BYTES_MAX} bytes");
        return Err(std::io::Error::other(why));
    }
    Ok(text)
}

pub(super) fn secured(file: Option<&Path>, endpoint: Endpoint) -> Result<Endpoint, String> {
    let config = ClientTlsConfig::new().timeout(SHAKE_WITHIN);
    let config = match authorities(file)? {
        Some(text) => config.ca_certificate(Certificate::from_pem(text)),
        None => config.with_native_roots(),
    };
    let url = endpoint.uri().to_string();
    endpoint.tls_config(config).map_err(|error| {
        let mut cause: &dyn Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        format!("no TLS with {url}: {cause}")
    })
}

/// What to do about each failure that a person can mend.
pub(super) fn advice(error: &(dyn Error + 'static)) -> Option<String> {
    let found = of_tls(error)?;
    let words = if let rustls::Error::InvalidCertificate(wrong) = found {
        of_certificate(wrong)?
    } else if matches!(found, rustls::Error::InvalidMessage(_)) {
        "whoever answers there speaks no TLS: a tracker without [tls] has http://"
    } else {
        return None;
    };
    Some(words.to_owned())
}

fn of_certificate(wrong: &CertificateError) -> Option<&'static str> {
    use CertificateError as Wrong;
    let is = |found: bool, words| found.then_some(words);
    is(
        matches!(wrong, Wrong::UnknownIssuer | Wrong::BadSignature),
        "no authority that is trusted here vouches for it: name the file of the one that does, by --ca-file of a command, `ca_file` of a client or a \
         worker, or TICKWHEEL_CA_FILE",
    )
    .or_else(|| {
        is(
            matches!(wrong, Wrong::Expired | Wrong::ExpiredContext { .. }),
            "the tracker's certificate has expired: put a new one where tls.cert and tls.key say; it takes them up without a restart",
        )
    })
    .or_else(|| {
        is(
            matches!(wrong, Wrong::NotValidYet | Wrong::NotValidYetContext { .. }),
            "the tracker's certificate is not valid yet: does the clock of one of the machines go wrong?",
        )
    })
    .or_else(|| {
        is(
            matches!(wrong, Wrong::NotValidForName | Wrong::NotValidForNameContext { .. }),
            "the tracker's certificate is for other names: name the tracker by one of them, or give it one for this name",
        )
    })
    .or_else(|| {
        is(
            matches!(wrong, Wrong::Other(_)),
            "the tracker's certificate is not one for servers: an authority (CA:TRUE) and a server need one each",
        )
    })
}

/// The failure of TLS among the causes of an error. An error of input and output does not name what it is made of as its cause.
fn of_tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let inside = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        let found = inside.and_then(|inside| inside.downcast_ref::<rustls::Error>());
        if found.is_some() {
            return found;
        }
        cause = error.source();
    }
    None
}
