//! Which files it is about, and what is wrong with naming them.

use std::path::PathBuf;
use std::time::Duration;

use tickwheel_core::error::Violations;

/// With what Redis is spoken to where its URL has TLS (`rediss://`). Nothing is believed that no authority vouches for, and nothing turns
/// that off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificates of the authorities that vouch for servers, in PEM, and no others are believed; `None`: those that this system
    /// knows.
    pub ca_file: Option<PathBuf>,
    /// The certificate that is shown to servers that ask for one, in PEM, with those that lead to its authority behind it.
    pub client_cert: Option<PathBuf>,
    /// Its private key, in PEM.
    pub client_key: Option<PathBuf>,
    /// Between two looks at the files, 100 ms..=1 h.
    pub recheck: Duration,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            ca_file: None,
            client_cert: None,
            client_key: None,
            recheck: Duration::from_secs(5),
        }
    }
}

impl Tls {
    /// What is wrong with it for a server of this URL, of which `shown` is what may be shown.
    pub(super) fn check(&self, has_tls: bool, shown: &str) -> Result<(), Violations> {
        let mut violations = Violations::new();
        let files = [
            ("redis.ca_file", &self.ca_file),
            ("redis.client_cert", &self.client_cert),
            ("redis.client_key", &self.client_key),
        ];
        for (field, file) in files {
            if let (false, Some(file)) = (has_tls, file) {
                let rule = format!(
                    "is given only with a redis.url that has TLS, or everything is sent in plain text to `{shown}`: write {}",
                    with_tls(shown)
                );
                violations.add(field, &rule, file.display());
            }
        }
        let alone = match (&self.client_cert, &self.client_key) {
            (Some(cert), None) => Some(("redis.client_key", cert)),
            (None, Some(key)) => Some(("redis.client_cert", key)),
            (Some(_), Some(_)) | (None, None) => None,
        };
        if let Some((missing, given)) = alone {
            let rule = format!(
                "is given with {}: a certificate and its key are named together",
                given.display()
            );
            violations.add(missing, &rule, "");
        }
        if !(Duration::from_millis(100)..=Duration::from_secs(3_600)).contains(&self.recheck) {
            let given = format_args!("{:?}", self.recheck);
            violations.add("redis.recheck", "is 100ms..=1h", given);
        }
        violations.into_result()
    }
}

/// The same URL with TLS.
fn with_tls(url: &str) -> String {
    let secret = url.replacen("redis", "rediss", 1);
    secret.replacen("valkey", "valkeys", 1)
}

/// Whether a URL has TLS.
pub(in crate::client) fn is_meant(url: &str) -> bool {
    url.starts_with("rediss") || url.starts_with("valkeys")
}
