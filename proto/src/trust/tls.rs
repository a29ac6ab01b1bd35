//! The part that needs TLS: files of authorities, and what its failures mean.

use std::error::Error;
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use tickwheel_certificates::{Part, read};
use tokio_rustls::rustls::{self, AlertDescription, CertificateError};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use super::unfit::Unfit;

/// A tracker shakes hands within this.
const SHAKE_WITHIN: Duration = Duration::from_secs(5);

/// What a file of authorities holds, where one is named.
pub(super) fn authorities(file: Option<&Path>) -> Result<Option<Vec<u8>>, Unfit> {
    let Some(file) = file else {
        return Ok(None);
    };
    let wrong = |why: &dyn Display| Unfit {
        setting: "ca_file",
        reason: format!(
            "cannot read the certificates of authorities in {}: {why}",
            file.display()
        ),
    };
    let text = read(file).map_err(|error| wrong(&error))?;
    tickwheel_certificates::authorities(&text).map_err(|rule| wrong(&rule))?;
    Ok(Some(text))
}

/// What the files of a certificate and its key hold, where they are named.
pub(super) fn identity(files: Option<(&Path, &Path)>) -> Result<Option<Identity>, Unfit> {
    let Some((cert, key)) = files else {
        return Ok(None);
    };
    let text = |setting, file: &Path| {
        read(file).map_err(|error| Unfit {
            setting,
            reason: format!("cannot read {}: {error}", file.display()),
        })
    };
    let texts = (text("client_cert", cert)?, text("client_key", key)?);
    let known = tickwheel_certificates::identity(&texts.0, &texts.1);
    if let Some(unfit) = known.err().and_then(|all| all.into_iter().next()) {
        let (setting, file) = match unfit.part {
            Part::Certificate => ("client_cert", cert),
            Part::Key => ("client_key", key),
        };
        let reason = format!("{} has to be one that {}", file.display(), unfit.rule);
        return Err(Unfit { setting, reason });
    }
    Ok(Some(Identity::from_pem(texts.0, texts.1)))
}

pub(super) fn secured(
    file: Option<&Path>,
    shows: Option<(&Path, &Path)>,
    endpoint: Endpoint,
) -> Result<Endpoint, Unfit> {
    let config = ClientTlsConfig::new().timeout(SHAKE_WITHIN);
    let config = match authorities(file)? {
        Some(text) => config.ca_certificate(Certificate::from_pem(text)),
        None => config.with_native_roots(),
    };
    let config = match identity(shows)? {
        Some(identity) => config.identity(identity),
        None => config,
    };
    let url = endpoint.uri().to_string();
    endpoint.tls_config(config).map_err(|error| {
        let mut cause: &dyn Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let reason = format!("no TLS with {url}: {cause}");
        let setting = "ca_file";
        Unfit { setting, reason }
    })
}

/// What to do about each failure that a person can mend.
pub(super) fn advice(error: &(dyn Error + 'static)) -> Option<String> {
    let Some(found) = of_tls(error) else {
        return of_text(error).map(str::to_owned);
    };
    let words = if let rustls::Error::InvalidCertificate(wrong) = found {
        of_certificate(wrong)?
    } else if let rustls::Error::AlertReceived(alert) = found {
        of_alert(*alert)?
    } else if matches!(found, rustls::Error::InvalidMessage(_)) {
        "whoever answers there speaks no TLS: a tracker without [tls] has http://"
    } else {
        return None;
    };
    Some(words.to_owned())
}

/// The same of an alert that came behind the handshake, of which HTTP/2 passes on the text alone.
fn of_text(error: &(dyn Error + 'static)) -> Option<&'static str> {
    use AlertDescription as Said;
    let alerts = [
        Said::CertificateRequired,
        Said::CertificateExpired,
        Said::UnknownCA,
        Said::BadCertificate,
        Said::UnsupportedCertificate,
        Said::CertificateRevoked,
        Said::CertificateUnknown,
        Said::DecryptError,
    ];
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        let is_said = |alert: &&AlertDescription| {
            text.contains(&rustls::Error::AlertReceived(**alert).to_string())
        };
        if let Some(alert) = alerts.iter().find(is_said) {
            return of_alert(*alert);
        }
        cause = error.source();
    }
    None
}

/// What a tracker says of who connects.
fn of_alert(alert: AlertDescription) -> Option<&'static str> {
    use AlertDescription as Said;
    let is = |found: bool, words| found.then_some(words);
    is(
        matches!(alert, Said::CertificateRequired),
        "the tracker lets in only who shows a certificate (tls.client_ca): name yours and its key, by --client-cert and --client-key of a command, \
         `client_cert` and `client_key` of a client or a worker, or TICKWHEEL_CLIENT_CERT and TICKWHEEL_CLIENT_KEY",
    )
    .or_else(|| {
        is(
            matches!(alert, Said::CertificateExpired),
            "the certificate that you show has expired: put a new one into its file",
        )
    })
    .or_else(|| {
        let is_refused = matches!(
            alert,
            Said::UnknownCA
                | Said::BadCertificate
                | Said::UnsupportedCertificate
                | Said::CertificateRevoked
                | Said::CertificateUnknown
                | Said::DecryptError
        );
        is(
            is_refused,
            "the tracker does not believe the certificate that you show: show one that an authority of its tls.client_ca vouches for",
        )
    })
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
