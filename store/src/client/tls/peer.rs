//! Why a server is not spoken with: by a handshake of its own, whose failure says more than what the client passes on.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_certificates::instant;
use tickwheel_core::error::Violation;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, AlertDescription, CertificateError};

use super::live::Live;
use crate::client::address::is_plain;

/// How long a server is asked.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of a server and of how it is named.
struct Asked<'a> {
    live: &'a Live,
    shown: &'a str,
    host: &'a str,
    address: String,
}

/// Which rule one of these servers breaks; `None` where it is another matter than TLS. `shown` is the URL without its password.
pub(in crate::client) async fn why(
    live: &Arc<Live>,
    shown: &str,
    servers: &[(String, u16)],
) -> Option<Violation> {
    for server in servers {
        let found = why_not(live, shown, server).await;
        if found.is_some() {
            return found;
        }
    }
    None
}

async fn why_not(live: &Arc<Live>, shown: &str, (host, port): &(String, u16)) -> Option<Violation> {
    let asked = Asked {
        live,
        shown,
        host,
        address: format!("{host}:{port}"),
    };
    let Ok(name) = ServerName::try_from(host.clone()) else {
        let rule = "names a server by a name or an address that a certificate can have";
        return Some(Violation::new("redis.url", rule, shown));
    };
    let connector = TlsConnector::from(Arc::new(live.config().ok()?));
    let error = match timeout(PATIENCE, shaken(connector, name, &asked.address)).await {
        Ok(Ok(())) => return None,
        Ok(Err(error)) => Some(error),
        Err(_) => None,
    };
    let found = error.as_ref().and_then(std::io::Error::get_ref);
    match found.and_then(|inside| inside.downcast_ref::<rustls::Error>()) {
        Some(found) => asked.violation(found),
        // A server that is greeted in words it does not know waits for more of them, or closes without any.
        None if is_plain(&asked.address).await => Some(asked.plain()),
        None => None,
    }
}

/// With the first answer: a server looks at who connects after the handshake is over for whoever does.
async fn shaken(
    connector: TlsConnector,
    name: ServerName<'static>,
    address: &str,
) -> std::io::Result<()> {
    let stream = TcpStream::connect(address).await?;
    let mut stream = connector.connect(name, stream).await?;
    stream.write_all(b"PING\r\n").await?;
    stream.read_exact(&mut [0; 1]).await.map(|_| ())
}

impl Asked<'_> {
    fn violation(&self, found: &rustls::Error) -> Option<Violation> {
        if let rustls::Error::InvalidCertificate(wrong) = found {
            Some(self.of_certificate(wrong))
        } else if let rustls::Error::AlertReceived(alert) = found {
            self.of_alert(*alert)
        } else {
            let is_plain = matches!(found, rustls::Error::InvalidMessage(_));
            is_plain.then(|| self.plain())
        }
    }

    /// Where a server speaks without TLS.
    fn plain(&self) -> Violation {
        let rule = format!(
            "names a server that speaks TLS, as it begins with rediss://; {} does not: write the port that it has as tls-port, or redis://",
            self.address
        );
        Violation::new("redis.url", rule, self.shown)
    }

    fn of_certificate(&self, wrong: &CertificateError) -> Violation {
        use CertificateError as Wrong;
        let (address, host) = (&self.address, self.host);
        if matches!(wrong, Wrong::UnknownIssuer | Wrong::BadSignature) {
            return self.of_authority();
        }
        let rule = if let Wrong::ExpiredContext { not_after, .. } = wrong {
            format!(
                "names a server with a good certificate; that of {address} expired at {}: give the server a new one (tls-cert-file, which CONFIG SET \
                 takes up without a restart)",
                instant(not_after.as_secs())
            )
        } else if let Wrong::NotValidYetContext { not_before, .. } = wrong {
            format!(
                "names a server with a good certificate; that of {address} is good from {} only: does the clock of one of the machines go wrong?",
                instant(not_before.as_secs())
            )
        } else if let Wrong::NotValidForNameContext { presented, .. } = wrong {
            format!(
                "names the server as its certificate does; that of {address} is for {}: write one of these, or give the server a certificate for {host}",
                names(presented)
            )
        } else {
            format!(
                "names a server with a good certificate; that of {address} is none for servers: {wrong}"
            )
        };
        Violation::new("redis.url", rule, self.shown)
    }

    fn of_authority(&self) -> Violation {
        let address = &self.address;
        match &self.live.tls.ca_file {
            Some(file) => {
                let rule = format!(
                    "holds the authority that vouches for the certificate of {address}; none of those in it does: name the file of the one that does (the \
                     tls-ca-cert-file of the server has it as a rule)"
                );
                Violation::new("redis.ca_file", rule, file.display())
            }
            None => {
                let rule = format!(
                    "is given where no authority that this system knows vouches for the certificate of {address}: name the file of the one that does"
                );
                Violation::new("redis.ca_file", rule, "")
            }
        }
    }

    /// What a server says of who connects.
    fn of_alert(&self, alert: AlertDescription) -> Option<Violation> {
        use AlertDescription as Said;
        let address = &self.address;
        match (&self.live.tls.client_cert, alert) {
            (None, Said::CertificateRequired | Said::HandshakeFailure) => {
                let rule = format!(
                    "is given where the server asks who connects, as {address} does: name a certificate that its tls-ca-cert-file vouches for, and its key \
                     (redis.client_key), or set tls-auth-clients of the server"
                );
                Some(Violation::new("redis.client_cert", rule, ""))
            }
            (
                Some(file),
                Said::BadCertificate
                | Said::UnsupportedCertificate
                | Said::CertificateRevoked
                | Said::CertificateExpired
                | Said::CertificateUnknown
                | Said::UnknownCA
                | Said::AccessDenied
                | Said::DecryptError,
            ) => {
                let rule = format!(
                    "names a certificate that {address} believes; it answered {alert:?}: name one that the tls-ca-cert-file of the server vouches for"
                );
                Some(Violation::new("redis.client_cert", rule, file.display()))
            }
            _ => None,
        }
    }
}

/// The names of a certificate, as a person writes them.
fn names(presented: &[String]) -> String {
    let plain = |name: &String| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, rest)| rest);
        inner.trim_end_matches(')').trim_matches('"').to_owned()
    };
    let names: Vec<String> = presented.iter().take(8).map(plain).collect();
    if names.is_empty() {
        "nobody".to_owned()
    } else {
        names.join(", ")
    }
}
