//! The settings of a client.

use std::path::PathBuf;
use std::time::Duration;

use tickwheel_core::Durability;
use tickwheel_proto::credential::{Credential, is_private};
use tickwheel_proto::trust::Trust;

use crate::call::{Client, Settings};
use crate::endpoints::{Endpoints, Shows};
use crate::error::Error;

/// How long a call takes at most, with everything that is tried again.
const TIMEOUT: Duration = Duration::from_secs(10);
/// One connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl Client {
    /// Connects to the first of these trackers that answers: URLs such as `http://127.0.0.1:7400`, or `https://` with the feature `tls`.
    ///
    /// # Errors
    /// As [`Builder::connect`].
    pub async fn connect<I>(urls: I) -> Result<Self, Error>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self::builder(urls).connect().await
    }

    /// The settings of a client of these trackers, 1 to 64.
    pub fn builder<I>(urls: I) -> Builder
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Builder::new(urls.into_iter().map(Into::into).collect())
    }
}

/// A client to be; made by [`Client::builder`].
#[derive(Debug, Clone)]
#[must_use = "a client is made by `connect` or `lazy`"]
pub struct Builder {
    urls: Vec<String>,
    connect_timeout: Duration,
    calls: Settings,
    credential: Credential,
    in_plaintext: bool,
    trust: Trust,
}

impl Builder {
    fn new(urls: Vec<String>) -> Self {
        Self {
            urls,
            connect_timeout: CONNECT_TIMEOUT,
            calls: Settings {
                timeout: TIMEOUT,
                durability: None,
                tries: u32::MAX,
            },
            credential: Credential::None,
            in_plaintext: false,
            trust: Trust::default(),
        }
    }

    /// How long a call may take in all, however often it is tried. Default: ten seconds. Waiting for an end has a limit of its own.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.calls.timeout = timeout;
        self
    }

    /// How long one connection to one tracker may take. Default: five seconds, and never more than a call.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How often a call is tried at most, 1 at least. Default: as often as its time-out lets it.
    pub fn tries(mut self, most: u32) -> Self {
        self.calls.tries = most;
        self
    }

    /// How far a write has come when it is confirmed. Default: what the trackers are configured to.
    pub fn durable(mut self, durability: Durability) -> Self {
        self.calls.durability = Some(durability);
        self
    }

    /// The token that each call shows, `tw_<id>_<secret>`. Default: none.
    pub fn token(self, token: impl Into<String>) -> Self {
        self.credential(Credential::Text(token.into()))
    }

    /// A file with the token, which is read when the client is made.
    pub fn token_file(self, file: impl Into<PathBuf>) -> Self {
        self.credential(Credential::File(file.into()))
    }

    /// The token that `TICKWHEEL_TOKEN_FILE` names, or `TICKWHEEL_TOKEN` holds; none where neither is set.
    pub fn token_from_env(self) -> Self {
        self.credential(Credential::of_variables(|name| std::env::var(name).ok()))
    }

    /// Where the token is from.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }

    /// Whether the token may be shown to trackers on other machines without TLS (`http://`): whoever is on the way can read it, and do all
    /// that it may. Default: no, and a client with a token and such a tracker is refused.
    pub fn plaintext_token(mut self, is_allowed: bool) -> Self {
        self.in_plaintext = is_allowed;
        self
    }

    /// A file with the certificates of the authorities that vouch for the trackers, in PEM; no others are believed then. Default: those that
    /// this system knows.
    #[cfg(feature = "tls")]
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.trust = self.trust.ca_file(file);
        self
    }

    /// A file with the certificate that is shown to trackers that ask for one, in PEM, with those that lead to its authority behind it; and
    /// `client_key` the file of its key. They are read when the client is made.
    #[cfg(feature = "tls")]
    pub fn client_cert(mut self, file: impl Into<PathBuf>) -> Self {
        self.trust = self.trust.client_cert(file);
        self
    }

    /// A file with the private key of `client_cert`, in PEM.
    #[cfg(feature = "tls")]
    pub fn client_key(mut self, file: impl Into<PathBuf>) -> Self {
        self.trust = self.trust.client_key(file);
        self
    }

    /// Who vouches for the trackers, and who this program is to them, where their URLs are `https://`.
    #[cfg(feature = "tls")]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Connects to the first tracker that answers.
    ///
    /// # Errors
    /// [`Error::Setting`] for a URL that is none, [`Error::Unavailable`] when no tracker answers. Each is tried once.
    pub async fn connect(self) -> Result<Client, Error> {
        let endpoints = self.endpoints()?.connect().await?;
        Ok(Client::new(endpoints, self.calls))
    }

    /// A client that connects with its first call. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Setting`] for a URL that is none.
    pub fn lazy(self) -> Result<Client, Error> {
        Ok(Client::new(self.endpoints()?, self.calls))
    }

    fn endpoints(&self) -> Result<Endpoints, Error> {
        let shown = self.credential.authorization();
        let shown = shown.map_err(|reason| Error::Setting {
            setting: "token",
            reason,
        })?;
        let far = self.urls.iter().find(|url| !is_private(url));
        if let Some(url) = far.filter(|_| shown.is_some() && !self.in_plaintext) {
            return Err(Error::Setting {
                setting: "plaintext_token",
                reason: format!(
                    "a token is not shown to {url}, where others on the way can read it, unless that is allowed: give the tracker a certificate ([tls]) \
                     and write https://"
                ),
            });
        }
        let connect = self.connect_timeout.min(self.calls.timeout);
        Endpoints::new(&self.urls, connect, (Shows(shown), &self.trust))
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_core::access::{Secret, Token, TokenId};

    use super::*;

    fn builder(url: &str) -> Builder {
        let token = Token {
            id: TokenId::random([1; 12]),
            secret: Secret::new([2; 32]),
        };
        Client::builder([url]).token(token.reveal())
    }

    fn refused(builder: Builder) -> &'static str {
        match builder.lazy() {
            Err(Error::Setting { setting, reason }) => {
                assert!(!reason.contains("AgIC"), "{reason}");
                setting
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_token_goes_to_loopback_unless_more_is_allowed() {
        assert!(builder("http://127.0.0.1:7400").lazy().is_ok());
        assert_eq!(refused(builder("http://tracker:7400")), "plaintext_token");
        let allowed = builder("http://tracker:7400").plaintext_token(true);
        assert!(allowed.lazy().is_ok());
        let two = ["http://127.0.0.1:7400", "http://tracker:7400"];
        let mixed = Builder::new(two.map(ToOwned::to_owned).to_vec()).token("tw_x");
        assert_eq!(refused(mixed), "token");
        let without = Client::builder(["http://tracker:7400"]).lazy();
        assert!(without.is_ok());
        let shown = format!("{:?}", builder("http://127.0.0.1:7400"));
        assert!(!shown.contains("AgIC"), "{shown}");
    }
}
