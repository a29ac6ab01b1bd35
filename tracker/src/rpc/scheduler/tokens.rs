//! Tokens: made, listed, given other secrets, revoked. Whoever does so reaches no further than its own token does.

use std::time::Duration;

use tickwheel_core::access::{Fingerprint, Role, Scope, Secret, Token, TokenId, TokenRates};
use tickwheel_core::bounds::TOKEN_NAME_CHARS_MAX;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_store::access::{NewToken, TokenRecord};

use super::call::Call;
use super::given::named;
use crate::error::Error;

const VALID_MS: std::ops::RangeInclusive<u64> = 1_000..=315_360_000_000;
const GRACE_MS: u64 = 3_600_000;
const GRACE_MS_MAX: u64 = 2_592_000_000;

pub(super) async fn make(
    call: &Call<'_>,
    request: v1::MakeTokenRequest,
) -> Result<v1::MadeToken, Error> {
    let mut found = Violations::new();
    found.keep(name(&request.name));
    let rates = rates(&request);
    found.keep(rates.validate());
    let scope = Scope::try_from(request.scope.unwrap_or_default());
    let scope = found.keep(scope.map_err(|wrong| wrong.prefix("scope")));
    let is_worker = scope
        .as_ref()
        .is_some_and(|scope| scope.role == Role::Worker);
    for (field, given) in [
        ("calls_per_second", rates.calls),
        ("bytes_per_second", rates.bytes),
    ] {
        if let Some(given) = given.filter(|_| is_worker) {
            let rule = "is left out for a worker: its stream is not held to a rate";
            found.add(field, rule, given);
        }
    }
    if let Some(ms) = request.valid_ms.filter(|ms| !VALID_MS.contains(ms)) {
        found.add("valid_ms", "is a second to ten years", ms);
    }
    let bound = found.keep(bound(&request.client_cert_sha256));
    let (Some(scope), Some(bound), true) = (scope, bound, found.is_empty()) else {
        return Err(found.into());
    };
    within(call, &scope, request.valid_ms).await?;
    if !is_worker {
        within_rates(call, &scope, rates)?;
    }
    let token = Token {
        id: TokenId::random(rand::random()),
        secret: Secret::new(rand::random()),
    };
    let new = NewToken {
        id: token.id.clone(),
        digest: token.secret.digest(),
        name: request.name,
        scope,
        valid: request.valid_ms.map(Duration::from_millis),
        bound,
        rates,
    };
    let made = call.store.make_token(&new).await?;
    call.authority.changed();
    Ok(v1::MadeToken {
        token: Some(v1::Token {
            id: new.id.to_string(),
            name: new.name,
            scope: Some((&new.scope).into()),
            made_ms: made.as_u64(),
            not_after_ms: request.valid_ms.map_or(0, |ms| made.plus_ms(ms).as_u64()),
            client_cert_sha256: shown_bound(bound),
            calls_per_second: rates.calls.unwrap_or_default(),
            bytes_per_second: rates.bytes.unwrap_or_default(),
            ..v1::Token::default()
        }),
        text: token.reveal(),
    })
}

pub(super) async fn make_login_link(
    call: &Call<'_>,
    _: v1::MakeLoginLinkRequest,
) -> Result<v1::LoginLink, Error> {
    let made = call.authority.make_link(call.caller).await?;
    let (code, ends_ms) = made.map_or_else(Default::default, |made| {
        (made.shown.reveal(), made.ends.as_u64())
    });
    Ok(v1::LoginLink {
        code,
        ends_ms,
        url: call.browsers_url.clone(),
    })
}

/// The certificate that a token shall be bound to.
fn bound(given: &str) -> Result<Option<Fingerprint>, Violation> {
    if given.is_empty() {
        return Ok(None);
    }
    let read = given.parse().map(Some);
    read.map_err(|violation| named("client_cert_sha256", violation))
}

fn shown_bound(bound: Option<Fingerprint>) -> String {
    bound.map(|bound| bound.to_string()).unwrap_or_default()
}

/// Refuses a token that may do what its maker may not, or that lives longer.
async fn within(call: &Call<'_>, scope: &Scope, valid_ms: Option<u64>) -> Result<(), Error> {
    if !call.caller.scope().covers(scope) {
        let rule =
            "is within that of your own token: its role, and all that it reaches and is permitted";
        return Err(Error::Denied(
            Violation::new("scope", rule, scope.role).into(),
        ));
    }
    let Some(ends) = call.caller.not_after() else {
        return Ok(());
    };
    let now = call.store.time().await?;
    if valid_ms.is_none_or(|ms| now.plus_ms(ms) > ends) {
        let rule = "ends no later than your own token does";
        return Err(Error::Denied(Violation::new("valid_ms", rule, ends).into()));
    }
    Ok(())
}

/// What a token may ask for where that is not what its role may.
fn rates(request: &v1::MakeTokenRequest) -> TokenRates {
    let given = |per_second: u32| Some(per_second).filter(|per_second| *per_second > 0);
    TokenRates {
        calls: given(request.calls_per_second),
        bytes: given(request.bytes_per_second),
    }
}

/// Refuses a token that may ask for more than its maker may give: no more than its own rates, where it has some; else no more than the new token's role
/// may, unless it reaches everything.
fn within_rates(call: &Call<'_>, scope: &Scope, rates: TokenRates) -> Result<(), Error> {
    let (own, reaches_all) = (call.caller.rates(), call.caller.sight().is_everything());
    let (role_calls, role_bytes) = call.rates.of(scope.role, TokenRates::default());
    let most = |own: Option<u32>, of_role: u32| match own {
        Some(own) => own,
        None if reaches_all || of_role == 0 => u32::MAX,
        None => of_role,
    };
    let all = [
        ("calls_per_second", own.calls, role_calls, rates.calls),
        ("bytes_per_second", own.bytes, role_bytes, rates.bytes),
    ];
    let mut found = Violations::new();
    for (field, own, of_role, given) in all {
        let most = most(own, of_role);
        let is_within = match given {
            Some(given) => given <= most,
            // As its role: no limit is more than any.
            None => own.is_none() || (of_role != 0 && of_role <= most),
        };
        if !is_within {
            let rule = format!("is at most {most}, as much as your own token may give");
            found.add(field, rule, given.unwrap_or_default());
        }
    }
    found.into_result().map_err(Error::Denied)
}

fn name(name: &str) -> Result<(), Violation> {
    let is_shown = |letter: char| !letter.is_control();
    if name.chars().count() > TOKEN_NAME_CHARS_MAX || !name.chars().all(is_shown) {
        let rule = format!(
            "has at most {TOKEN_NAME_CHARS_MAX} characters, none of them a control character"
        );
        return Err(Violation::new("name", rule, name.escape_debug()));
    }
    Ok(())
}

pub(super) async fn rotate(
    call: &Call<'_>,
    request: v1::RotateTokenRequest,
) -> Result<v1::MadeToken, Error> {
    let id = id(&request.id)?;
    let grace = request.grace_ms.unwrap_or(GRACE_MS);
    if grace > GRACE_MS_MAX {
        return Err(Violation::new("grace_ms", "is at most 30 days", grace).into());
    }
    in_reach(call, &id).await?;
    let token = Token {
        id,
        secret: Secret::new(rand::random()),
    };
    let digest = token.secret.digest();
    let rotated = call
        .store
        .rotate_token(&token.id, digest, Duration::from_millis(grace))
        .await?;
    call.authority.changed();
    Ok(v1::MadeToken {
        token: Some(shown(&token.id, &rotated, None)),
        text: token.reveal(),
    })
}

pub(super) async fn revoke(
    call: &Call<'_>,
    request: v1::RevokeTokenRequest,
) -> Result<v1::RevokeTokenResponse, Error> {
    let id = id(&request.id)?;
    in_reach(call, &id).await?;
    call.store.revoke_token(&id).await?;
    call.authority.changed();
    Ok(v1::RevokeTokenResponse {})
}

/// A token that reaches further than that of the caller does not exist for it.
async fn in_reach(call: &Call<'_>, id: &TokenId) -> Result<(), Error> {
    if is_master(call) {
        return Ok(());
    }
    let found = call.store.get_token(id).await?;
    let scope = found.map(|found| found.record.scope);
    if scope.is_some_and(|scope| call.caller.scope().covers(&scope)) {
        return Ok(());
    }
    Err(Error::not_found("token", id.as_str()))
}

/// Whether no token reaches further: also one that cannot be read may be revoked then.
fn is_master(call: &Call<'_>) -> bool {
    call.caller.scope().covers(&Scope::unlimited())
}

pub(super) async fn list(
    call: &Call<'_>,
    request: v1::ListTokensRequest,
) -> Result<v1::ListTokensResponse, Error> {
    let page = call.store.list_tokens(&request.cursor).await?;
    let own = call.caller.scope();
    let seen = page
        .items
        .iter()
        .filter(|token| own.covers(&token.record.scope));
    Ok(v1::ListTokensResponse {
        tokens: seen
            .map(|token| shown(&token.id, &token.record, token.last_used))
            .collect(),
        next_cursor: page.next.clone(),
        unreadable: page.unreadable,
    })
}

fn id(given: &str) -> Result<TokenId, Error> {
    given
        .parse()
        .map_err(|violation| named("id", violation).into())
}

fn shown(id: &TokenId, record: &TokenRecord, used: Option<TimestampMs>) -> v1::Token {
    let millis = |at: Option<TimestampMs>| at.map_or(0, TimestampMs::as_u64);
    v1::Token {
        id: id.to_string(),
        name: record.name.clone(),
        scope: Some((&record.scope).into()),
        made_ms: record.made.as_u64(),
        rotated_ms: millis(record.rotated),
        not_after_ms: millis(record.not_after),
        last_used_ms: millis(used),
        earlier_until_ms: millis(record.earlier_until()),
        client_cert_sha256: shown_bound(record.bound),
        calls_per_second: record.rates.calls.unwrap_or_default(),
        bytes_per_second: record.rates.bytes.unwrap_or_default(),
    }
}
