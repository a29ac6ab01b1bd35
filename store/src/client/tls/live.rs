//! What handshakes are made with now. The client keeps one configuration for its life; whom it believes and whom it shows is asked of what
//! is here at each handshake.

use std::sync::Arc;

use parking_lot::RwLock;
use tickwheel_certificates::provider;
use tickwheel_core::error::Violations;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{ResolvesClientCert, Resumption};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ClientConfig, DigitallySignedStruct, SignatureScheme};

use super::config::{Tls, is_meant};
use super::files::{Files, Used};

/// What is used for handshakes now.
#[derive(Debug)]
pub(in crate::client) struct Live {
    pub(super) tls: Tls,
    now: RwLock<Arc<Used>>,
}

impl Live {
    /// What is in the files now; `None` where the URL has no TLS. `shown` is the URL without its password.
    ///
    /// # Errors
    /// All that is wrong with the files, by the keys that name them.
    pub(in crate::client) fn start(
        tls: &Tls,
        shown: &str,
    ) -> Result<Option<Arc<Self>>, Violations> {
        tls.check(is_meant(shown), shown)?;
        if !is_meant(shown) {
            return Ok(None);
        }
        let used = Used::of(tls, Files::read(tls)?)?;
        Ok(Some(Arc::new(Self {
            tls: tls.clone(),
            now: RwLock::new(Arc::new(used)),
        })))
    }

    pub(super) fn used(&self) -> Arc<Used> {
        Arc::clone(&self.now.read())
    }

    /// How every connection begins. Each is a handshake of its own: one that is resumed would show what was believed before.
    ///
    /// # Errors
    /// In words, when no TLS can be spoken.
    pub(in crate::client) fn config(self: &Arc<Self>) -> Result<ClientConfig, String> {
        let builder = ClientConfig::builder_with_provider(provider());
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        // Called so for what somebody could do here; this verifier asks that of the library, with the authorities of now.
        let verifier: Arc<dyn ServerCertVerifier> = Arc::<Self>::clone(self);
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let shows: Arc<dyn ResolvesClientCert> = Arc::<Self>::clone(self);
        let mut config = builder.with_client_cert_resolver(shows);
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

impl ServerCertVerifier for Live {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verifier = Arc::clone(&self.used().verifier);
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.used()
            .verifier
            .verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.used()
            .verifier
            .verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.used().verifier.supported_verify_schemes()
    }
}

impl ResolvesClientCert for Live {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.used().shows.clone()
    }

    fn has_certs(&self) -> bool {
        self.used().shows.is_some()
    }
}

impl Live {
    /// Takes up what is in the files now; whether it is new.
    ///
    /// # Errors
    /// All that is wrong with them; what was used before is used on.
    pub(super) fn look(&self) -> Result<bool, Violations> {
        let files = Files::read(&self.tls)?;
        if self.used().files == files {
            return Ok(false);
        }
        let used = Used::of(&self.tls, files)?;
        *self.now.write() = Arc::new(used);
        Ok(true)
    }
}
