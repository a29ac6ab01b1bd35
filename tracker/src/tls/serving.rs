//! The certificate that is served now. Connections take the one of their handshake; what is open stays as it is when another one comes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tickwheel_certificates::{now, provider};
use tickwheel_core::error::Violations;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::certificate::{Certificate, Files};
use crate::config::Tls;

/// From here on a person should know that a certificate expires.
const SOON: Duration = Duration::from_secs(7 * 86_400);

/// What is spoken behind the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wire {
    /// HTTP/2.
    Grpc,
    /// HTTP/1.1.
    Http,
}

/// What is served, from which files, and for which host.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(super) tls: Tls,
    pub(super) host: String,
    now: ArcSwap<Now>,
}

#[derive(Debug)]
struct Now {
    files: Files,
    grpc: Arc<ServerConfig>,
    http: Arc<ServerConfig>,
    expires: u64,
}

/// One certificate for everybody: what a peer says of itself before it is known decides nothing.
struct One(Arc<CertifiedKey>);

impl fmt::Debug for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("One")
    }
}

impl ResolvesServerCert for One {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

impl Serving {
    /// What is in the files now, for the host that workers are told of.
    ///
    /// # Errors
    /// All that is wrong with the files, by the keys that name them.
    pub(crate) fn start(tls: Tls, host: String) -> Result<Self, Violations> {
        let now = Now::of(&tls, &host, Files::read(&tls)?)?;
        warn_of_end(now.expires);
        Ok(Self {
            now: ArcSwap::from_pointee(now),
            tls,
            host,
        })
    }

    /// Whether it is these files that are served.
    pub(super) fn is_of(&self, files: &Files) -> bool {
        self.now.load().files == *files
    }

    /// From now on these.
    pub(super) fn take_up(&self, files: Files) -> Result<(), Violations> {
        let now = Now::of(&self.tls, &self.host, files)?;
        warn_of_end(now.expires);
        self.now.store(Arc::new(now));
        Ok(())
    }

    /// Until when what is served is good, in seconds since 1970.
    pub(super) fn expires(&self) -> u64 {
        self.now.load().expires
    }

    /// With what a handshake is made now.
    pub(super) fn config(&self, wire: Wire) -> Arc<ServerConfig> {
        let now = self.now.load();
        Arc::clone(match wire {
            Wire::Grpc => &now.grpc,
            Wire::Http => &now.http,
        })
    }
}

/// Says to a person that a certificate is good for some days only.
fn warn_of_end(expires: u64) {
    let left = Duration::from_secs(expires).saturating_sub(now());
    if left < SOON {
        let hours = left.as_secs() / 3_600;
        tracing::warn!(
            hours,
            "the certificate expires soon: put a new one in its place"
        );
    }
}

impl Now {
    fn of(tls: &Tls, host: &str, files: Files) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let certificate = violations.keep(files.certificate(tls, host));
        let clients = violations.keep(files.clients(tls));
        let (Some(certificate), Some(clients)) = (certificate, clients) else {
            return Err(violations);
        };
        let made = |wire| config(&certificate, clients.clone(), wire).map(Arc::new);
        Ok(Self {
            grpc: made(Wire::Grpc)?,
            http: made(Wire::Http)?,
            expires: certificate.expires,
            files,
        })
    }
}

fn config(
    certificate: &Certificate,
    clients: Option<Arc<dyn ClientCertVerifier>>,
    wire: Wire,
) -> Result<ServerConfig, Violations> {
    let builder = ServerConfig::builder_with_provider(provider());
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|error| {
            let mut violations = Violations::new();
            violations.add("tls", "can be spoken", error);
            violations
        })?;
    let resolver = Arc::new(One(Arc::clone(&certificate.key)));
    let builder = match clients {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(resolver);
    // Who connects is looked at each time: what was believed once may have expired since.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.alpn_protocols = vec![match wire {
        Wire::Grpc => b"h2".to_vec(),
        Wire::Http => b"http/1.1".to_vec(),
    }];
    Ok(config)
}
