//! Who somebody is, by what it shows.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use tickwheel_core::access::{Role, Token, TokenId};
use tickwheel_proto::{AUTHORIZATION_HEADER, REQUEST_ID_HEADER};
use tickwheel_store::Store;
use tokio::time::{Instant, sleep, sleep_until};

use super::address::Origin;
use super::audit::{Audit, Who};
use super::caller::{Caller, Shown};
use super::cookie;
use super::failures::Failures;
use super::tokens::{Kind, Known, Tokens};
use crate::config::{Access, AccessMode};
use crate::error::Error;
use crate::metrics::measure;
use crate::rates::{Asker, Meter, Rates};

/// Bytes of an authorization. A token has 63 at most.
const SHOWN_BYTES_MAX: usize = 128;
const REQUEST_ID_BYTES_MAX: usize = 64;

const NOTHING: &str = "this tracker asks who you are: show a token, with `--token-file` or TICKWHEEL_TOKEN_FILE (docs/security.md)";
const NO_TOKEN: &str =
    "what you show is no token: `authorization` is there once, and is `Bearer tw_<id>_<secret>`";
/// The same of one that there is not, that has another secret, and that is over.
const NOT_GOOD: &str = "the token that you show is not known, or not good any more";

/// Of one that is good, but not over this connection.
const NOT_YOURS: &str = "the token that you show is bound to a certificate, and this connection shows another one, or none: connect with that certificate and \
                         its key (`--client-cert`, `--client-key`) to a tracker that asks for one (`tls.client_ca`; docs/security.md)";
/// The same of a session.
const NO_SESSION: &str = "your session is not known, or over: log in again";
/// Says who calls.
#[derive(Debug)]
pub(crate) enum Authority {
    /// Nobody is asked: everybody may do everything.
    Open,
    /// By tokens.
    Tokens(Box<Asking>),
}

/// What it takes to know tokens.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(super) store: Store,
    tokens: Tokens,
    sessions: Tokens,
    failures: Failures,
    audit: Arc<Audit>,
    rates: Arc<Rates>,
}

/// Why somebody is not believed.
pub(super) enum Wrong {
    /// What was shown; the token that it is, if there is one.
    Shown(&'static str, Option<TokenId>),
    /// It is not known.
    Unknown(Error),
}

impl Authority {
    /// As it is configured.
    pub(crate) fn new(config: &Access, store: Store, audit: Arc<Audit>, rates: Arc<Rates>) -> Self {
        let all = |kind| Tokens::new(store.clone(), kind, config.recheck, Arc::clone(&rates));
        match config.mode {
            AccessMode::Open => Self::Open,
            AccessMode::Tokens => Self::Tokens(Box::new(Asking {
                tokens: all(Kind::Token),
                sessions: all(Kind::Session),
                store,
                failures: Failures::default(),
                audit,
                rates,
            })),
        }
    }

    /// Whoever calls `method` from `origin` with these headers. Whoever shows the wrong thing again and again waits for its answer. Only who shows a
    /// good token spends of what that may ask for: an id alone does nothing to its owner.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Throttled`] for a token that asks for too much in a second; [`Error::Busy`] for an address that shows too
    /// many things that are no tokens, and what the store says.
    pub(crate) async fn caller(
        &self,
        headers: &HeaderMap,
        origin: Option<Origin>,
        method: &str,
    ) -> Result<Caller, Error> {
        let caller = self.of_token(headers, origin, method).await?;
        self.counted(caller)
    }

    /// The same of who opens a stream that lasts: that of a worker is not counted. A fleet that comes back has one token, and what it runs has to
    /// go on; how much a stream sends is bounded by the permits of its worker, and how many streams there are by connections.
    ///
    /// # Errors
    /// As [`Authority::caller`], for workers never [`Error::Throttled`].
    pub(crate) async fn streaming(
        &self,
        headers: &HeaderMap,
        origin: Option<Origin>,
        method: &str,
    ) -> Result<Caller, Error> {
        let caller = self.of_token(headers, origin, method).await?;
        let asker = caller.shown().map(asker);
        if asker.is_none_or(|asker| asker.role == Role::Worker) {
            return Ok(caller);
        }
        self.counted(caller)
    }

    async fn of_token(
        &self,
        headers: &HeaderMap,
        origin: Option<Origin>,
        method: &str,
    ) -> Result<Caller, Error> {
        let shown = shown(headers).map(|token| (Kind::Token, token));
        self.believed((headers, origin), method, shown).await
    }

    /// The same of who may be a browser, which shows its session in a cookie. What stands in `Authorization` counts before.
    ///
    /// # Errors
    /// As [`Authority::caller`].
    pub(crate) async fn caller_or_browser(
        &self,
        headers: &HeaderMap,
        origin: Option<Origin>,
        method: &str,
    ) -> Result<Caller, Error> {
        let is_browser = !headers.contains_key(AUTHORIZATION_HEADER) && cookie::is_there(headers);
        if !is_browser {
            return self.caller(headers, origin, method).await;
        }
        let session = cookie::shown(headers).map(|session| (Kind::Session, session));
        let shown = session.ok_or(NO_SESSION);
        let caller = self.believed((headers, origin), method, shown).await?;
        self.counted(caller)
    }

    /// Counts a call of whoever makes it.
    fn counted(&self, caller: Caller) -> Result<Caller, Error> {
        if let (Self::Tokens(asking), Some(shown)) = (self, caller.shown()) {
            asking.rates.call(&shown.known.usage, asker(shown))?;
        }
        Ok(caller)
    }

    /// What counts the bytes that whoever this is sends; `None` where nobody is asked.
    pub(crate) fn meter(&self, caller: &Caller) -> Option<Meter> {
        let (Self::Tokens(asking), Some(shown)) = (self, caller.shown()) else {
            return None;
        };
        let usage = Arc::clone(&shown.known.usage);
        let rates = Arc::clone(&asking.rates);
        Some(Meter::new(rates, usage, asker(shown)))
    }

    async fn believed(
        &self,
        (headers, origin): (&HeaderMap, Option<Origin>),
        method: &str,
        shown: Result<(Kind, Token), &'static str>,
    ) -> Result<Caller, Error> {
        let Self::Tokens(asking) = self else {
            return Ok(Caller::anybody());
        };
        let request = request_id(headers);
        let peer = origin.map(|origin| origin.address);
        match asking.believed(shown, origin).await {
            Ok(shown) => Ok(Caller::of(shown, peer, request)),
            Err(wrong) => Err(asking
                .disbelieved(wrong, origin, (method, request.as_deref()))
                .await),
        }
    }

    /// Whoever calls without a surface that asked who it is.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], unless nobody is asked.
    pub(crate) fn nobody(&self) -> Result<Caller, Error> {
        match self {
            Self::Open => Ok(Caller::anybody()),
            Self::Tokens(_) => Err(Error::Unauthenticated(NOTHING)),
        }
    }

    /// Whether who was let in may stay. While that is not known, it may.
    pub(crate) async fn still_knows(&self, caller: &Caller) -> bool {
        let (Self::Tokens(asking), Some(shown)) = (self, caller.shown()) else {
            return true;
        };
        let all = match shown.known.session {
            Some(_) => &asking.sessions,
            None => &asking.tokens,
        };
        match all.find(&shown.known.id).await {
            Ok(Some(known)) => {
                known.believes(shown.digest, Instant::now())
                    && known.record.scope == shown.known.record.scope
                    && known.record.bound == shown.known.record.bound
            }
            Ok(None) => false,
            Err(error) => {
                tracing::debug!(%error, token = %shown.known.id, "it is not known whether a token is good");
                true
            }
        }
    }

    /// A heartbeat told how often tokens changed.
    pub(crate) fn heard(&self, changes: u64) {
        if let Self::Tokens(asking) = self {
            asking.tokens.heard(changes);
            asking.sessions.heard(changes);
        }
    }

    /// Tokens were changed by this tracker.
    pub(crate) fn changed(&self) {
        if let Self::Tokens(asking) = self {
            asking.tokens.changed();
            asking.sessions.changed();
        }
    }

    /// Tells Redis which tokens were used.
    pub(super) async fn tend(&self) -> Result<(), tickwheel_store::Error> {
        match self {
            Self::Open => Ok(()),
            Self::Tokens(asking) => {
                asking.tokens.tend().await?;
                asking.sessions.tend().await?;
                asking.rates.tend();
                Ok(())
            }
        }
    }

    /// Writes down that somebody was refused something that it asked for, in what `objects` says.
    pub(crate) fn denied(
        &self,
        caller: &Caller,
        method: &str,
        objects: impl FnOnce() -> Vec<String>,
        result: &'static str,
    ) {
        let Self::Tokens(asking) = self else {
            return;
        };
        measure::refused_access("denied");
        asking
            .audit
            .denied(Who::of(caller), method, objects, result);
    }

    /// Writes down what somebody did, before it is told so.
    pub(crate) async fn done(
        &self,
        caller: &Caller,
        method: &str,
        objects: &[String],
        result: &'static str,
    ) {
        if let Self::Tokens(asking) = self {
            asking
                .audit
                .done(Who::of(caller), method, objects, result)
                .await;
        }
    }
}

impl Asking {
    /// What somebody is told who is not believed, when it was written down and has waited for it.
    pub(super) async fn disbelieved(
        &self,
        wrong: Wrong,
        origin: Option<Origin>,
        (method, request): (&str, Option<&str>),
    ) -> Error {
        let (why, token) = match wrong {
            Wrong::Shown(why, token) => (why, token),
            Wrong::Unknown(error) => return error,
        };
        let is_bound = why == NOT_YOURS;
        measure::refused_access(if is_bound { "bound" } else { "unauthenticated" });
        let peer = origin.map(|origin| origin.address);
        let who = Who {
            token: token.as_ref(),
            role: None,
            peer,
            request,
        };
        self.audit.denied(who, method, Vec::new, "UNAUTHENTICATED");
        if let Some(peer) = peer {
            sleep(self.failures.count(peer, Instant::now())).await;
        }
        Error::Unauthenticated(why)
    }

    /// Waits as long as an address has to that showed much that was no token.
    pub(super) async fn may_show(&self, origin: Origin) -> Result<(), Error> {
        let Some(at) = self.failures.look(origin.address, Instant::now()) else {
            let why =
                "too much was shown from this address that is no token: try again in a few seconds";
            return Err(Error::Busy(why.to_owned()));
        };
        sleep_until(at).await;
        Ok(())
    }

    pub(super) async fn believed(
        &self,
        shown: Result<(Kind, Token), &'static str>,
        origin: Option<Origin>,
    ) -> Result<Shown, Wrong> {
        let (kind, token) = shown.map_err(|why| Wrong::Shown(why, None))?;
        let (all, not_good) = match kind {
            Kind::Token => (&self.tokens, NOT_GOOD),
            Kind::Session => (&self.sessions, NO_SESSION),
        };
        if let Some(origin) = origin.filter(|_| all.is_new(&token.id)) {
            self.may_show(origin).await.map_err(Wrong::Unknown)?;
        }
        let found = all.find(&token.id).await;
        let found = found.map_err(|error| Wrong::Unknown(error.into()))?;
        let mut known = found.ok_or(Wrong::Shown(not_good, None))?;
        let digest = token.secret.digest();
        if !known.believes(digest, Instant::now()) {
            // It may have been given another secret since it was read.
            let again = all.again(&known).await;
            let again = again.map_err(|error| Wrong::Unknown(error.into()))?;
            known = again.ok_or(Wrong::Shown(not_good, None))?;
        }
        if !known.believes(digest, Instant::now()) {
            return Err(Wrong::Shown(not_good, Some(known.token.clone())));
        }
        // Only whoever shows its secret is told that it is bound.
        let certificate = origin.and_then(|origin| origin.certificate);
        if !known.record.is_for(certificate) {
            return Err(Wrong::Shown(NOT_YOURS, Some(known.token.clone())));
        }
        all.note_used(&known);
        Ok(Shown { known, digest })
    }
}

/// Whoever shows a token, as its rate is found.
fn asker(shown: &Shown) -> Asker<'_> {
    let Known { token, record, .. } = &*shown.known;
    Asker {
        token,
        role: record.scope.role,
        own: record.rates,
    }
}

/// The token that these headers show.
fn shown(headers: &HeaderMap) -> Result<Token, &'static str> {
    let mut all = headers.get_all(AUTHORIZATION_HEADER).into_iter();
    let only = all.next().ok_or(NOTHING)?;
    if all.next().is_some() || only.len() > SHOWN_BYTES_MAX {
        return Err(NO_TOKEN);
    }
    let text = str::from_utf8(only.as_bytes()).map_err(|_| NO_TOKEN)?;
    let (scheme, token) = text.split_once(' ').ok_or(NO_TOKEN)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(NO_TOKEN);
    }
    token.parse().map_err(|_| NO_TOKEN)
}

/// What its caller calls the call; what is no word is left out.
fn request_id(headers: &HeaderMap) -> Option<Arc<str>> {
    let given = headers.get(REQUEST_ID_HEADER).map(HeaderValue::as_bytes)?;
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let is_word = (1..=REQUEST_ID_BYTES_MAX).contains(&given.len()) && given.iter().all(fits);
    let text = str::from_utf8(given).ok().filter(|_| is_word)?;
    Some(text.into())
}

impl Who<'_> {
    fn of(caller: &Caller) -> Who<'_> {
        Who {
            token: caller.token(),
            role: Some(caller.scope().role).filter(|_| caller.token().is_some()),
            peer: caller.peer,
            request: caller.request.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_core::access::Secret;

    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                AUTHORIZATION_HEADER,
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        headers
    }

    #[test]
    fn one_token_is_shown_and_nothing_else() {
        let (id, secret) = (TokenId::random([2; 12]), Secret::new([3; 32]));
        let token = Token { id, secret }.reveal();
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let value = format!("{scheme} {token}");
            assert!(shown(&headers(&[value.as_bytes()])).is_ok(), "{scheme}");
        }
        assert_eq!(shown(&headers(&[])).unwrap_err(), NOTHING);
        let good = format!("Bearer {token}");
        let huge = format!("Bearer {}", "A".repeat(10_000));
        let wrong: [&[&[u8]]; 8] = [
            &[b""],
            &[b"Bearer"],
            &[token.as_bytes()],
            &[b"Basic YTpi"],
            &[huge.as_bytes()],
            &[b"Bearer \xff\xfe\x80"],
            &[good.as_bytes(), good.as_bytes()],
            &[good.as_bytes(), b"x"],
        ];
        for values in wrong {
            assert_eq!(shown(&headers(values)).unwrap_err(), NO_TOKEN);
        }
        let twice = format!("Bearer  {token}");
        assert!(shown(&headers(&[twice.as_bytes()])).is_err());
    }

    #[test]
    fn the_name_of_a_call_is_a_word_or_none() {
        let named = |name: &'static [u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID_HEADER, HeaderValue::from_bytes(name).unwrap());
            request_id(&headers).map(|name| name.to_string())
        };
        assert_eq!(named(b"a-1.B_2").as_deref(), Some("a-1.B_2"));
        for name in [&b""[..], b"a b", b"\xff", &[b'a'; 65]] {
            assert_eq!(named(name), None);
        }
    }
}
