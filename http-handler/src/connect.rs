//! From a URL to a connection: resolve, vet what was found, connect to that and to nothing else, and speak TLS with the name of the URL.
//!
//! Each request has a connection of its own: what is kept open would have to be vetted for whoever uses it next. TLS sessions are
//! resumed, so that the second handshake with a server is a short one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::failure::Failure;
use crate::guard::{Guard, Place, Target};
use crate::resolve::Resolve;

/// For a look-up, a connection and a handshake together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Addresses of a name that are looked at; a longer answer is no answer.
const ADDRESSES_MAX: usize = 64;

/// Addresses that are tried one after the other.
const TRIES_MAX: usize = 4;

/// What a request goes out on.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Makes connections that the guard lets through.
pub(crate) struct Connector {
    pub(crate) guard: Guard,
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
}

impl Connector {
    pub(crate) fn new(guard: Guard, resolver: Arc<dyn Resolve>) -> Result<Self, rustls::Error> {
        Ok(Self {
            guard,
            resolver,
            tls: TlsConnector::from(Arc::new(tls_config()?)),
        })
    }

    /// A connection to the host of the URL, which was admitted. Cancel safe: dropping it drops what was begun.
    pub(crate) async fn connect(&self, target: &Target) -> Result<Box<dyn Io>, Failure> {
        match timeout(CONNECT_TIMEOUT, self.connect_now(target)).await {
            Ok(connected) => connected,
            Err(_late) => Err(Failure::NoConnection),
        }
    }

    async fn connect_now(&self, target: &Target) -> Result<Box<dyn Io>, Failure> {
        let addresses = self.addresses(target).await?;
        if let Err(refusal) = self.guard.vet(target, &addresses) {
            // Whoever submitted the call is told the rule; whoever runs the worker wants to know the rest.
            tracing::debug!(host = target.authority(), ?addresses, %refusal, "a call is refused");
            return Err(refusal.into());
        }
        let mut stream = None;
        for address in addresses.into_iter().take(TRIES_MAX) {
            match TcpStream::connect(SocketAddr::new(address, target.port())).await {
                Ok(connected) => {
                    stream = Some(connected);
                    break;
                }
                Err(error) => tracing::debug!(%address, %error, "no connection"),
            }
        }
        let stream = stream.ok_or(Failure::NoConnection)?;
        // A request is written at once; waiting for more to send would only hold it back.
        stream.set_nodelay(true).ok();
        if !target.is_tls() {
            return Ok(Box::new(stream));
        }
        let name = server_name(target)?;
        match self.tls.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => {
                tracing::debug!(host = target.authority(), %error, "no TLS");
                Err(Failure::NoTls)
            }
        }
    }

    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, Failure> {
        let name = match target.place() {
            Place::Address(address) => return Ok(vec![*address]),
            Place::Name(name) => name,
        };
        let found = self.resolver.resolve(name).await.map_err(|error| {
            tracing::debug!(host = name, %error, "no address");
            Failure::NoAddress
        })?;
        if found.is_empty() || found.len() > ADDRESSES_MAX {
            return Err(Failure::NoAddress);
        }
        Ok(found)
    }
}

fn server_name(target: &Target) -> Result<ServerName<'static>, Failure> {
    match target.place() {
        Place::Address(address) => Ok(ServerName::from(*address)),
        Place::Name(name) => ServerName::try_from(name.clone()).map_err(|_| Failure::NoTls),
    }
}

/// The certificates of the system, and rustls' own choice of protocols and ciphers.
fn tls_config() -> Result<ClientConfig, rustls::Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!(
            errors = ?found.errors,
            "the system has no certificates of authorities: no https URL can be called"
        );
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
