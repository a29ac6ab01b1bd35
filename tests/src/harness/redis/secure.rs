//! A server that speaks TLS on a port of its own, beside the one for the test's plain commands.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tickwheel_certificates::testing::{Authority, Issued};
use tickwheel_store::RedisTls;

use super::{Launch, Layout, RedisServer, free_port};

/// One server, and the files with which it is spoken to.
#[derive(Debug)]
pub struct SecureRedis {
    /// The server; its own ports are those without TLS.
    pub server: RedisServer,
    /// The port with TLS.
    pub port: u16,
    dir: PathBuf,
}

/// Whether a server asks who connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clients {
    /// Everybody shows a certificate.
    Asked,
    /// Nobody does.
    Unasked,
}

impl SecureRedis {
    /// Starts one with its files in `dir`. `None` where no redis-server is installed.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(
        dir: &Path,
        authority: &Authority,
        issued: &Issued,
        clients: Clients,
    ) -> Result<Option<Self>> {
        let files = put(dir, "server", authority, issued)?;
        let port = free_port()?;
        let mut arguments = vec!["--tls-port".to_owned(), port.to_string()];
        for (name, file) in NAMES.iter().zip(&files) {
            arguments.extend([format!("--{name}"), file.display().to_string()]);
        }
        let asked = match clients {
            Clients::Asked => "yes",
            Clients::Unasked => "no",
        };
        arguments.extend(["--tls-auth-clients", asked].map(str::to_owned));
        let launch = Launch {
            layout: Layout::Single,
            arguments,
            ..Launch::default()
        };
        let server = RedisServer::launch(dir, launch).await?;
        Ok(server.map(|server| Self {
            server,
            port,
            dir: dir.to_owned(),
        }))
    }

    /// Where it is reached over TLS, by this name of the machine.
    #[must_use]
    pub fn url(&self, host: &str) -> String {
        format!("rediss://{host}:{}", self.port)
    }

    /// From now on it shows another certificate, and believes another authority.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn renew(&self, authority: &Authority, issued: &Issued) -> Result<()> {
        let files = put(&self.dir, "renewed", authority, issued)?;
        let mut words = vec!["CONFIG".to_owned(), "SET".to_owned()];
        for (name, file) in NAMES.iter().zip(&files) {
            words.extend([(*name).to_owned(), file.display().to_string()]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.server.wire().await?.command(&words).await?;
        Ok(())
    }

    /// The files of somebody who connects: whom it believes, and who it is.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn client(&self, authority: &Authority, shown: Option<&Issued>) -> Result<RedisTls> {
        let mut tls = RedisTls {
            ca_file: Some(write(&self.dir, "client-ca.pem", &authority.pem)?),
            recheck: std::time::Duration::from_millis(100),
            ..RedisTls::default()
        };
        if let Some(shown) = shown {
            tls.client_cert = Some(write(&self.dir, "client-cert.pem", &shown.cert)?);
            tls.client_key = Some(write(&self.dir, "client-key.pem", &shown.key)?);
        }
        Ok(tls)
    }
}

/// The settings of the server that name a file, in the order of [`put`].
const NAMES: [&str; 3] = ["tls-ca-cert-file", "tls-cert-file", "tls-key-file"];

fn put(dir: &Path, name: &str, authority: &Authority, issued: &Issued) -> Result<[PathBuf; 3]> {
    Ok([
        write(dir, &format!("{name}-ca.pem"), &authority.pem)?,
        write(dir, &format!("{name}-cert.pem"), &issued.cert)?,
        write(dir, &format!("{name}-key.pem"), &issued.key)?,
    ])
}

fn write(dir: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let file = dir.join(name);
    std::fs::write(&file, text).with_context(|| file.display().to_string())?;
    Ok(file)
}
