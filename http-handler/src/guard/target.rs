//! Where a call goes: a URL that is nothing but scheme, host, port, path and query.
//!
//! It is read once, by the rules of browsers, and nobody reads it a second time: the host that is vetted is the one that is resolved,
//! named in the TLS handshake and sent as `Host`. By these rules `0x7f.1`, `2130706433` and `①②⑦.0.0.1` are the address 127.0.0.1.

use std::net::IpAddr;

use url::{Host, Url};

use super::refusal::Refusal;

/// Bytes of a URL; servers and proxies take about as many.
pub(crate) const URL_BYTES_MAX: usize = 8_192;

/// The URL of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    place: Place,
    port: u16,
}

/// The host: an address, or a name that has to be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Address(IpAddr),
    /// In small letters, in its ASCII form, without a dot at its end.
    Name(String),
}

impl Target {
    /// Reads the URL of a call.
    ///
    /// # Errors
    /// [`Refusal::Url`] with the rule that it breaks; never with the URL, which may hold a password.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        // Browsers also read `http:host` and `http:///host`: nobody writes that by intention.
        if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(Refusal::Url("begins with http:// or https://"));
        }
        if rest.starts_with('/') {
            return Err(Refusal::Url("has a host"));
        }
        plain(text)?;
        Self::of_url(Url::parse(text).map_err(|_| Refusal::Url("is a URL"))?)
    }

    /// The URL of a redirect from here.
    ///
    /// # Errors
    /// [`Refusal::Url`] for one that no call may have, or that leaves TLS.
    pub fn join(&self, location: &str) -> Result<Self, Refusal> {
        plain(location)?;
        let url = self.url.join(location);
        let next = Self::of_url(url.map_err(|_| Refusal::Url("is a URL"))?)?;
        if self.is_tls() && !next.is_tls() {
            return Err(Refusal::Url("stays with https"));
        }
        Ok(next)
    }

    fn of_url(mut url: Url) -> Result<Self, Refusal> {
        if !["http", "https"].contains(&url.scheme()) {
            return Err(Refusal::Url("begins with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Url("has no user and no password: use a header"));
        }
        url.set_fragment(None);
        if url.as_str().len() > URL_BYTES_MAX {
            return Err(Refusal::Url("has at most 8192 bytes"));
        }
        let place = match url.host() {
            Some(Host::Ipv4(address)) => Place::Address(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Place::Address(IpAddr::V6(address)),
            Some(Host::Domain(name)) => Place::Name(dns_name(name)?),
            None => return Err(Refusal::Url("has a host")),
        };
        let port = url.port_or_known_default();
        let port = port.filter(|port| *port > 0);
        let port = port.ok_or(Refusal::Url("has a port above 0"))?;
        Ok(Self { url, place, port })
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The port, also where the URL leaves it to the scheme.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is https.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// What the header `Host` says: the port only where it is not that of the scheme.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = match &self.place {
            Place::Name(name) => name.clone(),
            Place::Address(IpAddr::V4(address)) => address.to_string(),
            Place::Address(IpAddr::V6(address)) => format!("[{address}]"),
        };
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }

    /// Path and query, as the request line has them.
    #[must_use]
    pub fn path(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// Whether both are on the same server by scheme, host and port.
    #[must_use]
    pub fn is_origin_of(&self, other: &Self) -> bool {
        (self.is_tls(), &self.place, self.port) == (other.is_tls(), &other.place, other.port)
    }
}

/// Browsers drop line breaks and take a backslash for a slash; others do not, and two readings of one URL are one too many.
fn plain(text: &str) -> Result<(), Refusal> {
    if text.len() > URL_BYTES_MAX {
        return Err(Refusal::Url("has at most 8192 bytes"));
    }
    if text
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || c == '\\')
    {
        return Err(Refusal::Url(
            "has no spaces, control characters or backslashes",
        ));
    }
    Ok(())
}

/// A name that means the same to every resolver.
fn dns_name(name: &str) -> Result<String, Refusal> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if name.len() > 253 || !name.split('.').all(fits) {
        return Err(Refusal::Url("has the name of a host, or an address"));
    }
    Ok(name.to_ascii_lowercase())
}
