//! Who asks, and what it may do.

use serde::Serialize;
use tickwheel_core::access::Scope as CoreScope;

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
