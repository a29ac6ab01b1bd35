//! What is asked about tokens, and about what was done by them.

use tickwheel_core::access::{Role, Token};
use tickwheel_core::bounds::{BYTE_RATE_MIN, RATE_MAX};
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::shape::{
    List, Maybe, Record, SPAN, TEXT, Visitor, Words, needed, optional, place,
};
use tickwheel_proto::v1;

use super::asked::Asked;
use super::forms::{Flag, Number};
use super::record;

/// Patterns of one kind.
const PATTERNS_MAX: usize = 64;
const ROLES: &[Role] = &[
    Role::Viewer,
    Role::Submitter,
    Role::Operator,
    Role::Admin,
    Role::Worker,
];
const PAGE: Number = Number {
    least: 1,
    most: 1_000,
};
/// What a caller of gRPC says by 0.
const PAGE_DEFAULT: u32 = 100;

/// The code of a link that logs a browser in.
struct Login {
    code: String,
}

impl Record for Login {
    fn blank() -> Self {
        let code = String::new();
        Self { code }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "What stands behind # in the link.";
        visit.field(needed("code", about), TEXT, place!(Self: code));
    }
}

/// What a browser sends that opened a link.
///
/// # Errors
/// When it is anything else; what was given is not repeated.
pub fn login_code(body: &[u8]) -> Result<Token, Violations> {
    let login: Login = record::of_json(body)?;
    let code = login.code.parse();
    code.map_err(|_| Violation::new("code", "is that of a login link", "").into())
}

/// A token as it shall be.
pub(crate) struct TokenWish {
    name: String,
    role: Option<Role>,
    namespaces: Vec<String>,
    groups: Option<Vec<String>>,
    handlers: Option<Vec<String>>,
    worker_ids: Option<Vec<String>>,
    permits: Option<u32>,
    read_payload: bool,
    override_body: bool,
    valid_ms: Option<u64>,
    client_cert_sha256: String,
    calls_per_second: Option<u32>,
    bytes_per_second: Option<u32>,
}

const fn patterns() -> List<tickwheel_core::shape::Text> {
    List {
        form: TEXT,
        rule: "is a list of at most 64 names, each as it is, or its beginning and *",
        least: 0,
        most: PATTERNS_MAX,
    }
}

impl Record for TokenWish {
    fn blank() -> Self {
        Self {
            name: String::new(),
            role: None,
            namespaces: Vec::new(),
            groups: None,
            handlers: None,
            worker_ids: None,
            permits: None,
            read_payload: false,
            override_body: false,
            valid_ms: None,
            client_cert_sha256: String::new(),
            calls_per_second: None,
            bytes_per_second: None,
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let roles = Words {
            all: ROLES,
            word: Role::as_str,
        };
        let permits = Number {
            least: 1,
            most: 65_536,
        };
        visit.field(
            needed("name", "Who it is for, in words."),
            TEXT,
            place!(Self: name),
        );
        let about = "What it may do: each of the first four also what those before it may; a worker runs contexts, and nothing else.";
        visit.field(needed("role", about), Maybe(roles), place!(Self: role));
        let about = "The namespaces whose jobs and runs there are for it; of a worker none.";
        visit.field(
            optional("namespaces", about),
            patterns(),
            place!(Self: namespaces),
        );
        let about = "The same of groups; all without it, of a worker none.";
        visit.field(
            optional("groups", about),
            Maybe(patterns()),
            place!(Self: groups),
        );
        let about = "The same of handlers; all without it.";
        visit.field(
            optional("handlers", about),
            Maybe(patterns()),
            place!(Self: handlers),
        );
        let about = "Ids that workers with it may have; any without it.";
        visit.field(
            optional("worker_ids", about),
            Maybe(patterns()),
            place!(Self: worker_ids),
        );
        let about = "Permits of a worker with it, at most.";
        visit.field(
            optional("permits", about),
            Maybe(permits),
            place!(Self: permits),
        );
        let about = "Whether it sees bodies, results, errors and logs.";
        visit.field(
            optional("read_payload", about),
            Flag,
            place!(Self: read_payload),
        );
        let about = "Whether it runs jobs with other bodies than their own.";
        visit.field(
            optional("override_body", about),
            Flag,
            place!(Self: override_body),
        );
        let about = "How long it is good; until it is revoked without it.";
        visit.field(
            optional("valid", about),
            Maybe(SPAN),
            place!(Self: valid_ms),
        );
        let about = "The SHA-256 of a client's certificate, 64 hexadecimal digits, to which it is bound; anybody may show it without.";
        visit.field(
            optional("client_cert_sha256", about),
            TEXT,
            place!(Self: client_cert_sha256),
        );
        Self::rates(visit);
    }
}

impl TokenWish {
    fn rates(visit: &mut impl Visitor<Self>) {
        let per_second = |least| Number {
            least,
            most: RATE_MAX,
        };
        let about = "Calls that it may make in a second, all trackers together; as they say of its role without it.";
        visit.field(
            optional("calls_per_second", about),
            Maybe(per_second(1)),
            place!(Self: calls_per_second),
        );
        let about = "Bytes of its requests in a second; as trackers say without it.";
        visit.field(
            optional("bytes_per_second", about),
            Maybe(per_second(BYTE_RATE_MIN)),
            place!(Self: bytes_per_second),
        );
    }
}

/// A new token.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn make_token(asked: &Asked<'_>) -> Result<v1::MakeTokenRequest, Violations> {
    let nothing = record::of_query::<record::Nothing>(asked.query, &[]);
    let wish = record::of_json::<TokenWish>(asked.body);
    let mut found = Violations::new();
    let (Some(_), Some(wish)) = (found.keep(nothing), found.keep(wish)) else {
        return Err(found);
    };
    let is_worker = wish.role == Some(Role::Worker);
    let or_all = |given: Option<Vec<String>>, is_all: bool| {
        let all = if is_all {
            vec!["*".to_owned()]
        } else {
            Vec::new()
        };
        given.unwrap_or(all)
    };
    let permissions = [
        (wish.read_payload, "read_payload"),
        (wish.override_body, "override_body"),
    ];
    let permissions = permissions.into_iter().filter(|(given, _)| *given);
    Ok(v1::MakeTokenRequest {
        name: wish.name,
        scope: Some(v1::Scope {
            role: wish.role.map_or(0, |role| v1::Role::from(role).into()),
            namespaces: wish.namespaces,
            groups: or_all(wish.groups, !is_worker),
            handlers: or_all(wish.handlers, true),
            permissions: permissions.map(|(_, word)| word.to_owned()).collect(),
            worker_ids: or_all(wish.worker_ids, is_worker),
            permits: wish.permits.unwrap_or_default(),
        }),
        valid_ms: wish.valid_ms,
        client_cert_sha256: wish.client_cert_sha256,
        calls_per_second: wish.calls_per_second.unwrap_or_default(),
        bytes_per_second: wish.bytes_per_second.unwrap_or_default(),
    })
}

/// How a token is given another secret.
pub(crate) struct Rotation {
    grace_ms: Option<u64>,
}

impl Record for Rotation {
    fn blank() -> Self {
        Self { grace_ms: None }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "How long the secret before is good; an hour without it.";
        visit.field(
            optional("grace", about),
            Maybe(SPAN),
            place!(Self: grace_ms),
        );
    }
}

/// Another secret for a token.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn rotate_token(asked: &Asked<'_>) -> Result<v1::RotateTokenRequest, Violations> {
    let nothing = record::of_query::<record::Nothing>(asked.query, &[]);
    let rotation = record::of_json::<Rotation>(asked.body);
    let mut found = Violations::new();
    match (found.keep(nothing), found.keep(rotation)) {
        (Some(_), Some(rotation)) => Ok(v1::RotateTokenRequest {
            id: asked.name.to_owned(),
            grace_ms: rotation.grace_ms,
        }),
        (None, _) | (_, None) => Err(found),
    }
}

/// A token that shall be no more.
///
/// # Errors
/// When there are parameters.
pub fn revoke_token(asked: &Asked<'_>) -> Result<v1::RevokeTokenRequest, Violations> {
    let record::Nothing = record::of_query(asked.query, &[])?;
    Ok(v1::RevokeTokenRequest {
        id: asked.name.to_owned(),
    })
}

/// Where a page of tokens begins.
pub(crate) struct TokensQuery {
    cursor: String,
}

impl Record for TokensQuery {
    fn blank() -> Self {
        let cursor = String::new();
        Self { cursor }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "The `next_cursor` of the page before.";
        visit.field(optional("cursor", about), TEXT, place!(Self: cursor));
    }
}

/// A page of tokens.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn list_tokens(asked: &Asked<'_>) -> Result<v1::ListTokensRequest, Violations> {
    let query: TokensQuery = record::of_query(asked.query, &[])?;
    Ok(v1::ListTokensRequest {
        cursor: query.cursor,
    })
}

/// Which events are listed.
pub(crate) struct AuditQuery {
    token: String,
    method: String,
    denied: bool,
    page_size: u32,
    cursor: String,
}

impl Record for AuditQuery {
    fn blank() -> Self {
        Self {
            token: String::new(),
            method: String::new(),
            denied: false,
            page_size: PAGE_DEFAULT,
            cursor: String::new(),
        }
    }

    fn fields(visit: &mut impl Visitor<Self>) {
        let about = "Only of the token with this id.";
        visit.field(optional("token", about), TEXT, place!(Self: token));
        let about = "Only of this method, say `DeleteJob`.";
        visit.field(optional("method", about), TEXT, place!(Self: method));
        let about = "Only what was refused.";
        visit.field(optional("denied", about), Flag, place!(Self: denied));
        let about = "At most so many; a page may have fewer, or none, and yet a cursor.";
        visit.field(optional("page_size", about), PAGE, place!(Self: page_size));
        let about = "The `next_cursor` of the page before.";
        visit.field(optional("cursor", about), TEXT, place!(Self: cursor));
    }
}

/// A page of the audit.
///
/// # Errors
/// Everything that is wrong with the parameters.
pub fn list_audit(asked: &Asked<'_>) -> Result<v1::ListAuditRequest, Violations> {
    let query: AuditQuery = record::of_query(asked.query, &[])?;
    Ok(v1::ListAuditRequest {
        page_size: query.page_size,
        cursor: query.cursor,
        token_id: query.token,
        method: query.method,
        denied: query.denied,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(body: &str) -> Result<v1::Scope, String> {
        let asked = Asked {
            body: body.as_bytes(),
            ..Asked::default()
        };
        let request = make_token(&asked).map_err(|wrong| wrong.to_string())?;
        Ok(request.scope.unwrap())
    }

    #[test]
    fn what_is_left_out_is_all_but_for_namespaces_and_the_group_of_a_worker() {
        let scope = make(r#"{"name": "me", "role": "viewer", "namespaces": ["billing"]}"#).unwrap();
        let all = vec!["*".to_owned()];
        assert_eq!((&scope.groups, &scope.handlers), (&all, &all));
        assert!(scope.worker_ids.is_empty() && scope.permissions.is_empty());
        let scope = make(
            r#"{"name": "me", "role": "worker", "groups": ["mills"], "permits": 4, "read_payload": true}"#,
        );
        let scope = scope.unwrap();
        assert_eq!((&scope.worker_ids, scope.permits), (&all, 4));
        assert_eq!(scope.permissions, ["read_payload"]);
        let none = make(r#"{"name": "me", "role": "worker"}"#).unwrap();
        assert!(none.groups.is_empty());
    }

    #[test]
    fn every_mistake_is_told() {
        let wrong = make(r#"{"role": "root", "namespace": ["a"], "permits": 0, "valid": "soon"}"#);
        let wrong = wrong.unwrap_err();
        for start in ["name:", "role:", "namespace:", "permits:", "valid:"] {
            assert!(
                wrong.lines().any(|line| line.starts_with(start)),
                "{start} {wrong}"
            );
        }
    }
}
