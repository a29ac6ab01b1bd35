//! With what a cluster of a test speaks TLS, and who is who in it: an authority, certificates of trackers, callers and workers, and tokens.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tickwheel_certificates::testing::{Authority, Issued};
use tickwheel_certificates::{authorities, chain, provider, read};
use tickwheel_client::Trust;
use tickwheel_core::access::{
    Fingerprint, Patterns, Role, Scope, Secret, Sight, Token, TokenId, TokenRates, WorkerBounds,
};
use tickwheel_store::Store;
use tickwheel_store::access::NewToken;
use tickwheel_tracker::config::{Asked, Clients, Tls};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

/// Their files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    dir: PathBuf,
}

/// Who connects to trackers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Callers; their token may do everything.
    Caller,
    /// Workers; their token is bound to their certificate.
    Worker,
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Worker => "worker",
        }
    }
}

impl Secrets {
    /// Makes them in `dir`, and keeps the tokens.
    ///
    /// # Errors
    /// When a file cannot be written, or Redis does not take a token.
    pub async fn make(dir: &Path, store: &Store) -> Result<Self> {
        let secrets = Self {
            dir: dir.to_owned(),
        };
        let authority = Authority::new("the authority of a rig")?;
        secrets.write("ca.pem", &authority.pem)?;
        secrets.put("tracker", &authority.issue(&["127.0.0.1", "localhost"])?)?;
        for who in [Who::Caller, Who::Worker] {
            let issued = authority.issue(&[who.name()])?;
            secrets.put(who.name(), &issued)?;
            let text = kept(store, who, &issued).await?;
            secrets.write(&format!("{}.token", who.name()), &text)?;
        }
        Ok(secrets)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        std::fs::write(self.at(name), text).with_context(|| name.to_owned())
    }

    fn put(&self, name: &str, issued: &Issued) -> Result<()> {
        self.write(&format!("{name}.pem"), &issued.cert)?;
        self.write(&format!("{name}.key"), &issued.key)
    }

    /// A tracker's side: nobody is let in without a certificate.
    #[must_use]
    pub fn tls(&self) -> Tls {
        Tls {
            clients: Some(Clients {
                ca: self.at("ca.pem"),
                asked: Asked::Required,
            }),
            ..Tls::new(self.at("tracker.pem"), self.at("tracker.key"))
        }
    }

    /// The other side.
    #[must_use]
    pub fn trust(&self, who: Who) -> Trust {
        Trust::default()
            .ca_file(self.at("ca.pem"))
            .client_cert(self.at(&format!("{}.pem", who.name())))
            .client_key(self.at(&format!("{}.key", who.name())))
    }

    /// The file of its token.
    #[must_use]
    pub fn token(&self, who: Who) -> PathBuf {
        self.at(&format!("{}.token", who.name()))
    }

    /// For requests by hand, with the certificate of callers.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn connector(&self) -> Result<TlsConnector> {
        let text = |name: &str| read(&self.at(name)).with_context(|| name.to_owned());
        let roots = authorities(&text("ca.pem")?).map_err(anyhow::Error::msg)?;
        let own = chain(&text("caller.pem")?).map_err(anyhow::Error::msg)?;
        let key = PrivateKeyDer::from_pem_slice(&text("caller.key")?)?;
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(own, key)?;
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// A token of somebody, known to the cluster from now on.
async fn kept(store: &Store, who: Who, issued: &Issued) -> Result<String> {
    let of = match who {
        Who::Caller => 1,
        Who::Worker => 2,
    };
    let token = Token {
        id: TokenId::random([of; 12]),
        secret: Secret::new([of; 32]),
    };
    let (scope, bound) = match who {
        Who::Caller => (Scope::unlimited(), None),
        Who::Worker => (of_workers(), Some(Fingerprint::of(&issued.der))),
    };
    let new = NewToken {
        id: token.id.clone(),
        digest: token.secret.digest(),
        name: who.name().to_owned(),
        scope,
        valid: None,
        bound,
        rates: TokenRates::default(),
    };
    store.make_token(&new).await?;
    Ok(token.reveal())
}

fn of_workers() -> Scope {
    Scope {
        role: Role::Worker,
        sight: Sight {
            namespaces: Patterns::default(),
            ..Sight::everything()
        },
        permissions: std::collections::BTreeSet::new(),
        worker: Some(WorkerBounds {
            ids: Patterns::any(),
            permits: None,
        }),
    }
}
