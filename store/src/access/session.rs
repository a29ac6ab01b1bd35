//! Sessions of browsers: each stands for a token, for a while. Scripts: `lua/access/*_session.lua`.

use std::time::Duration;

use fred::types::Value;
use tickwheel_core::access::{SecretDigest, TokenId};
use tickwheel_core::time::TimestampMs;

use super::record::TokenRecord;
use crate::args::Args;
use crate::error::Error;
use crate::reply::Reply;
use crate::script::{CLOSE_SESSION, GET_SESSION, OPEN_SESSION};
use crate::store::Store;

/// What was shown for a session, or for a link.
#[derive(Debug, Clone)]
pub enum ShownFor {
    /// A token.
    Token {
        /// Which one.
        id: TokenId,
        /// What is kept of the secret that was shown, which the caller compared.
        secret: SecretDigest,
    },
    /// A link, which is gone then.
    Link {
        /// Which one.
        id: TokenId,
        /// What is kept of its secret, which is compared as it is taken.
        secret: SecretDigest,
    },
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The session of a browser.
    Session,
    /// A link that is exchanged for a session once.
    Link,
}

/// A session to be.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// What it is called.
    pub id: TokenId,
    /// What is kept of its secret.
    pub digest: SecretDigest,
    /// What it stands for.
    pub shown: ShownFor,
    /// Whether it is one, or a link to one.
    pub kept: Kept,
    /// How long it is good at most, a second to a week.
    pub valid: Duration,
}

/// What Redis has of a session, as `lua/lib/records/session_record.lua` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    digest: SecretDigest,
    /// From here on it is refused.
    pub ends: TimestampMs,
    /// The token that it stands for.
    pub token: TokenId,
    /// What is kept of the secret of the token that was shown for it.
    shown: SecretDigest,
}

impl SessionRecord {
    /// Whether whoever shows this secret of the session is to be believed at `now`, as `record` says of its token: as long as the secret
    /// that was shown for it is good.
    #[must_use]
    pub fn is_good(&self, secret: SecretDigest, record: &TokenRecord, now: TimestampMs) -> bool {
        self.digest == secret && self.ends > now && record.good_until(self.shown, now).is_some()
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let damaged = || Error::damaged(GET_SESSION.name(), "a session");
        let words: Vec<&str> = text.split(' ').collect();
        let [digest, ends, _, token, shown] = words.as_slice() else {
            return Err(damaged());
        };
        Ok(Self {
            digest: digest.parse().map_err(|_| damaged())?,
            ends: TimestampMs::new(ends.parse().map_err(|_| damaged())?),
            token: token.parse().map_err(|_| damaged())?,
            shown: shown.parse().map_err(|_| damaged())?,
        })
    }
}

/// A session as it was read, and its token.
#[derive(Debug, Clone)]
pub struct ReadSession {
    /// Redis' time then.
    pub now: TimestampMs,
    /// What is kept of the session.
    pub session: SessionRecord,
    /// What is kept of its token.
    pub record: TokenRecord,
}

impl Store {
    /// Keeps a session, or a link; answers with its end. Of one token the newest 20 sessions and 5 links are kept.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a token that is not there, or is over, and for a link that is not, was opened before or has another secret; [`Error::Conflict`] when another session has its id, [`Error::Full`] when
    /// there are as many as may be, [`Error::Unavailable`] when it is unknown whether it was kept.
    pub async fn open_session(&self, session: &NewSession) -> Result<TimestampMs, Error> {
        let args = Args::new()
            .with("session", session.id.as_str())
            .with("digest", session.digest.to_hex())
            .with("valid_ms", session.valid.as_millis().to_string())
            .with_flag("once", session.kept == Kept::Link);
        let args = match &session.shown {
            ShownFor::Token { id, secret } => args
                .with("token", id.as_str())
                .with("shown", secret.to_hex()),
            ShownFor::Link { id, secret } => args
                .with("link", id.as_str())
                .with("secret", secret.to_hex()),
        };
        let args = args.alone();
        let keys = vec![self.keys.tokens()];
        let value = self.redis.call(&OPEN_SESSION, keys, args).await?;
        let (status, mut reply) = Reply::open(OPEN_SESSION.name(), value)?;
        match status.as_str() {
            "OPENED" => {
                reply.number()?;
                Ok(TimestampMs::new(reply.number()?))
            }
            // Of a link nobody but Redis knows the token.
            "NO_TOKEN" | "NO_LINK" => Err(match &session.shown {
                ShownFor::Token { id, .. } => super::no_token(id),
                ShownFor::Link { id, .. } => Error::NotFound {
                    kind: "link",
                    id: id.to_string(),
                },
            }),
            "TAKEN" => Err(Error::Conflict(
                "there is a session of this id already: ask again".to_owned(),
            )),
            "SESSIONS_FULL" => Err(Error::Full(
                "at most 2,000 sessions of browsers are open, and they are: end some, or wait until they are over"
                    .to_owned(),
            )),
            _ => Err(Error::contract(OPEN_SESSION.name(), status)),
        }
    }

    /// One session and its token; `None` where there is no such session, or its token is gone.
    ///
    /// # Errors
    /// [`Error::Damaged`] for one that cannot be read, [`Error::Unavailable`] when Redis does not answer.
    pub async fn get_session(&self, id: &TokenId) -> Result<Option<ReadSession>, Error> {
        let keys = vec![self.keys.tokens()];
        let value = self
            .redis
            .call(&GET_SESSION, keys, vec![Value::from(id.as_str())])
            .await?;
        let (status, mut reply) = Reply::open(GET_SESSION.name(), value)?;
        match status.as_str() {
            "SESSION" => Ok(Some(ReadSession {
                now: TimestampMs::new(reply.number()?),
                session: SessionRecord::parse(&reply.text()?)?,
                record: TokenRecord::parse(&reply.text()?)?,
            })),
            "NO_SESSION" => Ok(None),
            _ => Err(Error::contract(GET_SESSION.name(), status)),
        }
    }

    /// Ends a session; nothing changes for one that is not there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it is unknown whether it was ended.
    pub async fn close_session(&self, id: &TokenId) -> Result<(), Error> {
        let args = vec![Value::from(""), Value::from(id.as_str())];
        let keys = vec![self.keys.tokens()];
        let value = self.redis.call(&CLOSE_SESSION, keys, args).await?;
        let (status, _) = Reply::open(CLOSE_SESSION.name(), value)?;
        match status.as_str() {
            "CLOSED" | "NO_SESSION" => Ok(()),
            _ => Err(Error::contract(CLOSE_SESSION.name(), status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use tickwheel_core::access::Secret;

    use super::*;

    #[test]
    fn what_is_none_is_damaged_and_not_repeated() {
        let hex = Secret::new([1; 32]).digest().to_hex();
        let good = format!("{hex} 9 5 abcdefgh {hex}");
        let read = SessionRecord::parse(&good).unwrap();
        assert_eq!(
            (read.ends, read.token.as_str()),
            (TimestampMs::new(9), "abcdefgh")
        );
        for text in [
            String::new(),
            format!("{hex} x 5 abcdefgh {hex}"),
            format!("{hex} 9 5 abcdefgh"),
            format!("{hex} 9 5 abcdefgh {hex} more"),
            format!("short 9 5 abcdefgh {hex}"),
        ] {
            let error = SessionRecord::parse(&text).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{error}");
            assert!(!error.to_string().contains(&hex), "{error}");
        }
    }
}
