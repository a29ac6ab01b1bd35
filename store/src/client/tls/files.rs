//! What the files hold, and what is used of it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tickwheel_certificates::{Part, authorities, identity, of_system, provider, read};
use tickwheel_core::error::Violations;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::sign::CertifiedKey;

use super::config::Tls;

/// What they held when they were read; empty where none is named.
#[derive(PartialEq, Eq)]
pub(super) struct Files {
    ca: Vec<u8>,
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Files")
    }
}

/// What handshakes are made with.
#[derive(Debug)]
pub(super) struct Used {
    pub(super) files: Files,
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    pub(super) shows: Option<Arc<CertifiedKey>>,
}

impl Files {
    /// What they hold now.
    ///
    /// # Errors
    /// Names each that cannot be read.
    pub(super) fn read(tls: &Tls) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let mut take = |field: &str, file: &Option<PathBuf>| {
            let Some(file) = file else {
                return Vec::new();
            };
            read(file).unwrap_or_else(|error| {
                let rule = format!("names a file that can be read: {error}");
                violations.add(field, &rule, file.display());
                Vec::new()
            })
        };
        let files = Self {
            ca: take("redis.ca_file", &tls.ca_file),
            cert: take("redis.client_cert", &tls.client_cert),
            key: take("redis.client_key", &tls.client_key),
        };
        violations.into_result().map(|()| files)
    }
}

impl Used {
    /// What they make of a handshake.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub(super) fn of(tls: &Tls, files: Files) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let given = |file: &Option<PathBuf>| match file {
            Some(file) => file.display().to_string(),
            None => String::new(),
        };
        let roots = match &tls.ca_file {
            Some(_) => authorities(&files.ca),
            None => of_system().map_err(|why| format!("names a file with authorities, as {why}")),
        };
        let verifier = roots.and_then(|roots| {
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
                .build()
                .map_err(|error| format!("holds authorities that can be asked: {error}"))
        });
        let verifier = verifier
            .map_err(|rule| violations.add("redis.ca_file", &rule, given(&tls.ca_file)))
            .ok();
        let shows = match tls.client_cert {
            Some(_) => identity(&files.cert, &files.key).map(Some),
            None => Ok(None),
        };
        let shows = shows.unwrap_or_else(|unfit| {
            for one in unfit {
                let (field, file) = match one.part {
                    Part::Certificate => ("redis.client_cert", &tls.client_cert),
                    Part::Key => ("redis.client_key", &tls.client_key),
                };
                violations.add(field, &one.rule, given(file));
            }
            None
        });
        match (verifier, violations.is_empty()) {
            (Some(verifier), true) => Ok(Self {
                files,
                verifier,
                shows,
            }),
            _ => Err(violations),
        }
    }
}
