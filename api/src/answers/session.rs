//! Who asks, and what it may do.

use serde::Serialize;
use tickwheel_core::access::Scope as CoreScope;
use tickwheel_proto::v1;

use super::access::Scope;

/// Who asks: whoever shows a token, or a browser that logged in with one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// The token; empty where nobody is asked.
    pub token: String,
    /// What it may do.
    pub scope: Scope,
    /// From when on it is refused; 0: it has no end.
    pub ends_ms: u64,
    /// The operations that its role may ask for, by their `operationId`.
    pub operations: Vec<&'static str>,
}

impl Session {
    /// Of whoever asks.
    #[must_use]
    pub fn new(
        token: String,
        scope: &CoreScope,
        ends_ms: u64,
        operations: Vec<&'static str>,
    ) -> Self {
        Self {
            token,
            scope: Scope::from(scope),
            ends_ms,
            operations,
        }
    }
}

/// A link that logs a browser in once.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginLink {
    /// What stands behind `/login#`; empty where nobody is asked who it is, and no login is needed.
    pub code: String,
    /// From then on it is refused; 0: never.
    pub ends_ms: u64,
    /// Where the tracker answers to browsers; empty where it does not know.
    pub url: String,
}

impl std::fmt::Debug for LoginLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            code: _,
            ends_ms,
            url,
        } = self;
        f.debug_struct("LoginLink")
            .field("ends_ms", ends_ms)
            .field("url", url)
            .finish_non_exhaustive()
    }
}

impl LoginLink {
    /// What a browser opens, of the console at `url`.
    #[must_use]
    pub fn at(&self, url: &str) -> String {
        let url = url.trim_end_matches('/');
        match self.code.as_str() {
            "" => format!("{url}/"),
            code => format!("{url}/login#{code}"),
        }
    }
}

impl From<v1::LoginLink> for LoginLink {
    fn from(link: v1::LoginLink) -> Self {
        Self {
            code: link.code,
            ends_ms: link.ends_ms,
            url: link.url,
        }
    }
}
