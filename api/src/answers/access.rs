//! Tokens, and what was done by them.

use serde::Serialize;
use tickwheel_core::access::Scope as CoreScope;
use tickwheel_proto::v1;

/// What a token may do. A pattern is a name, the beginning of some (`team-*`), or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Scope {
    /// `viewer`, `submitter`, `operator`, `admin` or `worker`.
    pub role: &'static str,
    /// The namespaces there are for it.
    pub namespaces: Vec<String>,
    /// The groups there are for it.
    pub groups: Vec<String>,
    /// The handlers there are for it.
    pub handlers: Vec<String>,
    /// What it may beside its role: `read_payload`, `override_body`.
    pub permissions: Vec<String>,
    /// Ids that workers with it may have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub worker_ids: Vec<String>,
    /// Permits that a worker with it has at most; absent: no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permits: Option<u32>,
}

impl From<&CoreScope> for Scope {
    fn from(scope: &CoreScope) -> Self {
        let wire = v1::Scope::from(scope);
        Self {
            role: scope.role.as_str(),
            namespaces: wire.namespaces,
            groups: wire.groups,
            handlers: wire.handlers,
            permissions: wire.permissions,
            worker_ids: wire.worker_ids,
            permits: Some(wire.permits).filter(|permits| *permits > 0),
        }
    }
}

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Token {
    /// What stands behind `tw_`.
    pub id: String,
    /// Who it is for, in words.
    pub name: String,
    /// What it may do; absent for one that a newer program made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// When it was made.
    pub made_ms: u64,
    /// When it was given another secret.
    pub rotated_ms: u64,
    /// From when on it is refused.
    pub not_after_ms: u64,
    /// About when it was last shown, to a few minutes.
    pub last_used_ms: u64,
    /// The secret before the last rotation is good until then.
    pub earlier_until_ms: u64,
    /// The SHA-256 of the certificate of whoever may show it; empty: anybody may.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_cert_sha256: String,
    /// Calls that it may make in a second; absent: as trackers say of its role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_second: Option<u32>,
    /// Bytes of its requests in a second; absent: as trackers say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<u32>,
}

impl From<v1::Token> for Token {
    fn from(wire: v1::Token) -> Self {
        let scope = wire.scope.and_then(|scope| CoreScope::try_from(scope).ok());
        Self {
            id: wire.id,
            name: wire.name,
            scope: scope.as_ref().map(Scope::from),
            made_ms: wire.made_ms,
            rotated_ms: wire.rotated_ms,
            not_after_ms: wire.not_after_ms,
            last_used_ms: wire.last_used_ms,
            earlier_until_ms: wire.earlier_until_ms,
            client_cert_sha256: wire.client_cert_sha256,
            calls_per_second: Some(wire.calls_per_second).filter(|calls| *calls > 0),
            bytes_per_second: Some(wire.bytes_per_second).filter(|bytes| *bytes > 0),
        }
    }
}

/// A page of tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenPage {
    /// In no order; one may come twice while others are made.
    pub items: Vec<Token>,
    /// Where the next page begins; empty: no more. A page may be short, or empty, and yet have one.
    pub next_cursor: String,
    /// Records that could not be read, and are not among these.
    pub unreadable: u64,
}

impl From<v1::ListTokensResponse> for TokenPage {
    fn from(page: v1::ListTokensResponse) -> Self {
        Self {
            items: page.tokens.into_iter().map(Token::from).collect(),
            next_cursor: page.next_cursor,
            unreadable: page.unreadable,
        }
    }
}

/// A token with its secret, told this once.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MadeToken {
    /// What it is.
    pub token: Token,
    /// `tw_<id>_<secret>`: what is shown.
    pub text: String,
}

impl std::fmt::Debug for MadeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { token, text: _ } = self;
        f.debug_struct("MadeToken")
            .field("token", token)
            .finish_non_exhaustive()
    }
}

impl From<v1::MadeToken> for MadeToken {
    fn from(made: v1::MadeToken) -> Self {
        Self {
            token: Token::from(made.token.unwrap_or_default()),
            text: made.text,
        }
    }
}

/// A token that is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Revoked {
    /// Its id.
    pub id: String,
}

/// What somebody did that changes what others find, or was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEvent {
    /// When.
    pub time_ms: u64,
    /// Whose; empty: no token that is known.
    pub token: String,
    /// Its role.
    pub role: String,
    /// The address of whoever called.
    pub peer: String,
    /// `DeleteJob`, or `Session` of a worker that was refused.
    pub method: String,
    /// What it was about, say `job billing/nightly`: the first ones.
    pub objects: Vec<String>,
    /// `OK`, or the code of the refusal.
    pub result: String,
    /// The name of the request.
    pub request: String,
    /// How many alike this stands for.
    pub count: u64,
    /// The tracker that wrote it down.
    pub tracker: String,
}

impl From<v1::AuditEvent> for AuditEvent {
    fn from(wire: v1::AuditEvent) -> Self {
        Self {
            time_ms: wire.time_ms,
            token: wire.token_id,
            role: wire.role,
            peer: wire.peer,
            method: wire.method,
            objects: wire.objects,
            result: wire.result,
            request: wire.request_id,
            count: wire.count,
            tracker: wire.tracker_id,
        }
    }
}

/// A page of the audit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditPage {
    /// The newest first; the newest 20,000 are kept.
    pub items: Vec<AuditEvent>,
    /// Where the next page begins; empty: no more. A page may be short, or empty, and yet have one.
    pub next_cursor: String,
    /// Records that could not be read, and are not among these.
    pub unreadable: u64,
}

impl From<v1::ListAuditResponse> for AuditPage {
    fn from(page: v1::ListAuditResponse) -> Self {
        Self {
            items: page.events.into_iter().map(AuditEvent::from).collect(),
            next_cursor: page.next_cursor,
            unreadable: page.unreadable,
        }
    }
}
