//! Tokens: who may do what. Scripts: `lua/access/`.

mod record;
mod session;

use std::time::Duration;

use fred::types::Value;
use tickwheel_core::access::{Fingerprint, Scope, SecretDigest, TokenId, TokenRates};
use tickwheel_core::time::TimestampMs;

use crate::args::Args;
use crate::error::Error;
use crate::fields::Fields;
use crate::listed::Listed;
use crate::reply::Reply;
use crate::script::{
    GET_TOKEN, LIST_TOKENS, MAKE_TOKEN, NOTE_TOKENS_USED, REVOKE_TOKEN, ROTATE_TOKEN,
};
use crate::store::Store;
pub use record::TokenRecord;
pub use session::{Kept, NewSession, ReadSession, SessionRecord, ShownFor};

/// Tokens of one call that notes their use.
pub const USED_MAX: usize = 1_000;

/// A token to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it is called.
    pub id: TokenId,
    /// What is kept of its secret.
    pub digest: SecretDigest,
    /// What it is for, in the words of who makes it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// How long it is good; `None`: until it is revoked.
    pub valid: Option<Duration>,
    /// The certificate of whoever may show it; `None`: anybody may.
    pub bound: Option<Fingerprint>,
    /// What it may ask for in a second.
    pub rates: TokenRates,
}

/// What became of a token that was to be the first of an admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// It is there, since this.
    Made(TimestampMs),
    /// A token of an admin is good, this one perhaps.
    HasAdmin,
}

/// A token as it was read.
#[derive(Debug, Clone)]
pub struct ReadToken {
    /// Redis' time then.
    pub now: TimestampMs,
    /// What is kept of it.
    pub record: TokenRecord,
}

/// A token in a list.
#[derive(Debug, Clone)]
pub struct TokenView {
    /// What it is called.
    pub id: TokenId,
    /// What is kept of it.
    pub record: TokenRecord,
    /// About when it was used last.
    pub last_used: Option<TimestampMs>,
}

impl Store {
    /// Keeps a new token; answers with when.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another one has its id, [`Error::Full`] when there are as many as may be, [`Error::Unavailable`] when it is
    /// unknown whether it was kept.
    pub async fn make_token(&self, token: &NewToken) -> Result<TimestampMs, Error> {
        match self.keep_token(token, false).await? {
            First::Made(at) => Ok(at),
            First::HasAdmin => Err(Error::contract(MAKE_TOKEN.name(), "HAS_ADMIN")),
        }
    }

    /// Keeps a token of an admin, unless there is one that is good.
    ///
    /// # Errors
    /// As [`Store::make_token`].
    pub async fn make_first_token(&self, token: &NewToken) -> Result<First, Error> {
        self.keep_token(token, true).await
    }

    async fn keep_token(&self, token: &NewToken, is_first: bool) -> Result<First, Error> {
        let valid = token.valid.map(|valid| valid.as_millis().to_string());
        let args = Args::new()
            .with("id", token.id.as_str())
            .with("digest", token.digest.to_hex())
            .with(
                "about",
                record::about(&token.name, &token.scope, token.bound, token.rates)?,
            )
            .with_optional("valid_ms", valid)
            .with_flag("first", is_first)
            .alone();
        let keys = vec![self.keys.tokens()];
        let value = self.redis.call(&MAKE_TOKEN, keys, args).await?;
        let (status, mut reply) = Reply::open(MAKE_TOKEN.name(), value)?;
        match status.as_str() {
            "MADE" => Ok(First::Made(TimestampMs::new(reply.number()?))),
            "HAS_ADMIN" => Ok(First::HasAdmin),
            "TAKEN" => Err(Error::Conflict(format!(
                "there is a token `{}` already: make it again",
                token.id
            ))),
            "TOKENS_FULL" => Err(Error::Full(
                "there are at most 10,000 tokens, and there are: revoke some that nobody uses"
                    .to_owned(),
            )),
            _ => Err(Error::contract(MAKE_TOKEN.name(), status)),
        }
    }

    /// Gives a token another secret; the one before is good for `grace`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a token that is not there, or is over.
    pub async fn rotate_token(
        &self,
        id: &TokenId,
        digest: SecretDigest,
        grace: Duration,
    ) -> Result<TokenRecord, Error> {
        let args = vec![
            Value::from(""),
            Value::from(id.as_str()),
            Value::from(digest.to_hex()),
            Value::from(grace.as_millis().to_string()),
        ];
        let keys = vec![self.keys.tokens()];
        let value = self.redis.call(&ROTATE_TOKEN, keys, args).await?;
        let (status, mut reply) = Reply::open(ROTATE_TOKEN.name(), value)?;
        match status.as_str() {
            "ROTATED" => TokenRecord::parse(&reply.text()?),
            "NO_TOKEN" => Err(no_token(id)),
            _ => Err(Error::contract(ROTATE_TOKEN.name(), status)),
        }
    }

    /// Forgets a token.
    ///
    /// # Errors
    /// [`Error::NotFound`] for one that is not there.
    pub async fn revoke_token(&self, id: &TokenId) -> Result<(), Error> {
        let args = vec![Value::from(""), Value::from(id.as_str())];
        let keys = vec![self.keys.tokens()];
        let value = self.redis.call(&REVOKE_TOKEN, keys, args).await?;
        let (status, _) = Reply::open(REVOKE_TOKEN.name(), value)?;
        match status.as_str() {
            "REVOKED" => Ok(()),
            "NO_TOKEN" => Err(no_token(id)),
            _ => Err(Error::contract(REVOKE_TOKEN.name(), status)),
        }
    }

    /// One token; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Damaged`] for one that cannot be read, [`Error::Unavailable`] when Redis does not answer.
    pub async fn get_token(&self, id: &TokenId) -> Result<Option<ReadToken>, Error> {
        let keys = vec![self.keys.tokens()];
        let value = self
            .redis
            .call(&GET_TOKEN, keys, vec![Value::from(id.as_str())])
            .await?;
        let (status, mut reply) = Reply::open(GET_TOKEN.name(), value)?;
        match status.as_str() {
            "TOKEN" => Ok(Some(ReadToken {
                now: TimestampMs::new(reply.number()?),
                record: TokenRecord::parse(&reply.text()?)?,
            })),
            "NO_TOKEN" => Ok(None),
            _ => Err(Error::contract(GET_TOKEN.name(), status)),
        }
    }

    /// A page of the tokens from `cursor` on, which is empty or that of an earlier page.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a cursor that is none, [`Error::Unavailable`] when Redis does not answer.
    pub async fn list_tokens(&self, cursor: &str) -> Result<Listed<TokenView>, Error> {
        let is_cursor = cursor.len() <= 20 && cursor.bytes().all(|byte| byte.is_ascii_digit());
        if !is_cursor {
            return Err(Error::bad_cursor(cursor));
        }
        let cursor = if cursor.is_empty() { "0" } else { cursor };
        let keys = vec![self.keys.tokens()];
        let value = self
            .redis
            .call(&LIST_TOKENS, keys, vec![Value::from(cursor)])
            .await?;
        let reply = Reply::expect(LIST_TOKENS.name(), value, "TOKENS")?;
        Fields::read(reply, |fields| {
            let mut listed = Listed {
                next: fields.text_or_empty("cursor")?,
                ..Listed::default()
            };
            listed.skip(LIST_TOKENS.name(), fields.count("unreadable")?);
            let mut tokens = fields.list("tokens")?;
            while !tokens.is_empty() {
                let one = tokens.list()?;
                listed.add(LIST_TOKENS.name(), view(one))?;
            }
            Ok(listed)
        })
    }

    /// Notes that these tokens, at most [`USED_MAX`], are used now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it is unknown whether it was noted.
    pub async fn note_tokens_used(&self, ids: &[TokenId]) -> Result<(), Error> {
        let ids = ids.get(..USED_MAX).unwrap_or(ids);
        if ids.is_empty() {
            return Ok(());
        }
        let mut args = vec![Value::from(""), Value::from(ids.len().to_string())];
        args.extend(ids.iter().map(|id| Value::from(id.as_str())));
        let keys = vec![self.keys.tokens()];
        let value = self.redis.call(&NOTE_TOKENS_USED, keys, args).await?;
        Reply::expect(NOTE_TOKENS_USED.name(), value, "NOTED").map(drop)
    }
}

fn no_token(id: &TokenId) -> Error {
    Error::NotFound {
        kind: "token",
        id: id.to_string(),
    }
}

fn view(mut one: Reply) -> Result<TokenView, Error> {
    let (id, text, used) = (one.parsed()?, one.text()?, one.shown()?);
    Ok(TokenView {
        id,
        record: TokenRecord::parse(&text)?,
        last_used: used.parse().ok().map(TimestampMs::new),
    })
}
