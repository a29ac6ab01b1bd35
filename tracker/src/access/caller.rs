//! Whoever calls, as everything behind a surface knows it.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use tickwheel_core::access::{Permission, Role, Scope, SecretDigest, Sight, TokenId, TokenRates};

use super::tokens::Known;

/// What anybody may do where nobody is asked.
static UNLIMITED: LazyLock<Scope> = LazyLock::new(Scope::unlimited);

/// Who calls: once asked for, it is passed on to whatever is called. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// `None` where nobody is asked.
    shown: Option<Shown>,
    pub(super) peer: Option<IpAddr>,
    /// What the call is called, where its caller says so.
    pub(super) request: Option<Arc<str>>,
}

/// The token that was shown, and with which of its secrets.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) known: Arc<Known>,
    pub(super) digest: SecretDigest,
}

impl Caller {
    /// Anybody, where nobody is asked.
    pub(crate) const fn anybody() -> Self {
        Self {
            shown: None,
            peer: None,
            request: None,
        }
    }

    pub(super) fn of(shown: Shown, peer: Option<IpAddr>, request: Option<Arc<str>>) -> Self {
        Self {
            shown: Some(shown),
            peer,
            request,
        }
    }

    /// The same, whose call has this name.
    pub(crate) fn with_request(self, name: &str) -> Self {
        Self {
            request: Some(name.into()),
            ..self
        }
    }

    pub(super) fn shown(&self) -> Option<&Shown> {
        self.shown.as_ref()
    }

    /// The token that was shown; `None` where nobody is asked.
    pub(crate) fn token(&self) -> Option<&TokenId> {
        self.shown.as_ref().map(|shown| &shown.known.token)
    }

    /// Whether it is a browser, known by its session.
    pub(crate) fn is_browser(&self) -> bool {
        let known = self.shown.as_ref().map(|shown| &shown.known);
        known.is_some_and(|known| known.session.is_some())
    }

    /// What it may do.
    pub(crate) fn scope(&self) -> &Scope {
        match &self.shown {
            Some(shown) => &shown.known.record.scope,
            None => &UNLIMITED,
        }
    }

    /// What there is for it.
    pub(crate) fn sight(&self) -> &Sight {
        &self.scope().sight
    }

    /// Whether it may do what asks for `least`. Where nobody is asked, anybody is a worker as well.
    pub(crate) fn is(&self, least: Role) -> bool {
        self.shown.is_none() || self.scope().role.includes(least)
    }

    /// Whether it has a permission.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.scope().may(permission)
    }

    /// What its token may ask for in a second, where that is not what its role may.
    pub(crate) fn rates(&self) -> TokenRates {
        let shown = self.shown.as_ref();
        shown.map_or_else(TokenRates::default, |shown| shown.known.record.rates)
    }

    /// Whether what it shows ends, and when by Redis' clock.
    pub(crate) fn not_after(&self) -> Option<tickwheel_core::time::TimestampMs> {
        let known = &self.shown.as_ref()?.known;
        match &known.session {
            Some(session) => Some(session.ends),
            None => known.record.not_after,
        }
    }
}
