//! Browsers: let in by a token or by a link that was made with one, and known by a session from then on.

use std::time::Duration;

use tickwheel_core::access::{Secret, Token, TokenId};
use tickwheel_core::error::Violation;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::Error as StoreError;
use tickwheel_store::access::{Kept, NewSession, ShownFor};

use super::address::Origin;
use super::authority::{Asking, Authority, Wrong};
use super::caller::{Caller, Shown};
use super::tokens::Kind;
use crate::error::Error;

/// How long a session of a browser is good.
pub(crate) const SESSION: Duration = Duration::from_secs(12 * 3_600);

/// How long a link that logs a browser in is good.
pub(crate) const LINK: Duration = Duration::from_secs(300);
/// Of one that is not, was opened before, or is over.
const NO_LINK: &str = "this link is not good any more: each logs in once, within five minutes; `tickwheel console` makes another one";

/// A session that a browser was given, or a link to one.
#[derive(Debug)]
pub(crate) struct Opened {
    /// What the browser shows.
    pub(crate) shown: Token,
    /// When it ends, by Redis' clock.
    pub(crate) ends: TimestampMs,
}

/// The token that was shown, not by a browser.
fn by_token(caller: &Caller, shown: &Shown) -> Result<ShownFor, Error> {
    if caller.is_browser() {
        let rule = "shows a token in Authorization: a session makes no other";
        return Err(Error::Denied(Violation::new("session", rule, "").into()));
    }
    Ok(ShownFor::Token {
        id: shown.known.token.clone(),
        secret: shown.digest,
    })
}

impl Authority {
    /// Lets a browser stand for whoever shows a token, for [`SESSION`] at most; `None` where nobody is asked.
    ///
    /// # Errors
    /// What the store says; [`Error::Denied`] for who is a browser already.
    pub(crate) async fn open_session(&self, caller: &Caller) -> Result<Option<Opened>, Error> {
        let (Self::Tokens(asking), Some(shown)) = (self, caller.shown()) else {
            return Ok(None);
        };
        Ok(Some(
            asking.open(by_token(caller, shown)?, Kept::Session).await?,
        ))
    }

    /// A link that logs a browser in as whoever shows a token, once and within [`LINK`]; `None` where nobody is asked.
    ///
    /// # Errors
    /// As [`Authority::open_session`].
    pub(crate) async fn make_link(&self, caller: &Caller) -> Result<Option<Opened>, Error> {
        let (Self::Tokens(asking), Some(shown)) = (self, caller.shown()) else {
            return Ok(None);
        };
        Ok(Some(
            asking.open(by_token(caller, shown)?, Kept::Link).await?,
        ))
    }

    /// Lets the browser of `origin` in that opened a link; `None` where nobody is asked. Whoever shows what is none again and again waits, as with
    /// tokens.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a link that is not good; [`Error::Busy`] for an address that shows too many; what the store says.
    pub(crate) async fn log_in(
        &self,
        link: &Token,
        origin: Origin,
        (method, request): (&'static str, &str),
    ) -> Result<Option<(Caller, Opened)>, Error> {
        let Self::Tokens(asking) = self else {
            return Ok(None);
        };
        asking.may_show(origin).await?;
        let by = ShownFor::Link {
            id: link.id.clone(),
            secret: link.secret.digest(),
        };
        let opened = match asking.open(by, Kept::Session).await {
            Ok(opened) => opened,
            Err(Error::Store(StoreError::NotFound { .. })) => {
                let wrong = Wrong::Shown(NO_LINK, None);
                return Err(asking
                    .disbelieved(wrong, Some(origin), (method, Some(request)))
                    .await);
            }
            Err(error) => return Err(error),
        };
        let session = Ok((Kind::Session, opened.shown.clone()));
        let shown = asking.believed(session, Some(origin));
        match shown.await {
            Ok(shown) => {
                let caller = Caller::of(shown, Some(origin.address), Some(request.into()));
                Ok(Some((caller, opened)))
            }
            Err(wrong) => {
                // Nobody has it: it would only take the place of others.
                asking.store.close_session(&opened.shown.id).await.ok();
                Err(asking
                    .disbelieved(wrong, Some(origin), (method, Some(request)))
                    .await)
            }
        }
    }

    /// Ends the session of a browser; nothing for whoever is none.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn close_session(&self, caller: &Caller) -> Result<(), Error> {
        let (Self::Tokens(asking), Some(shown)) = (self, caller.shown()) else {
            return Ok(());
        };
        if caller.is_browser() {
            asking.store.close_session(&shown.known.id).await?;
            self.changed();
        }
        Ok(())
    }
}

impl Asking {
    /// Keeps what a browser is known by, or a link to it.
    async fn open(&self, by: ShownFor, kept: Kept) -> Result<Opened, Error> {
        let shown = Token {
            id: TokenId::random(rand::random()),
            secret: Secret::new(rand::random()),
        };
        let new = NewSession {
            id: shown.id.clone(),
            digest: shown.secret.digest(),
            shown: by,
            kept,
            valid: match kept {
                Kept::Session => SESSION,
                Kept::Link => LINK,
            },
        };
        let ends = self.store.open_session(&new).await?;
        Ok(Opened { shown, ends })
    }
}
