//! What can go wrong between a caller and Redis, by what the caller can do about it.

use tickwheel_core::Durability;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::ContextId;

use crate::words::plain;

/// An operation on the store failed. Expected outcomes (lease lost, already settled, nothing due) are replies, not errors.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Redis did not answer in time, or answered that it cannot now. Whether the operation happened is unknown.
    #[error("redis is unavailable: {reason}")]
    Unavailable {
        /// What the client or the server said.
        reason: String,
        /// The client's error.
        #[source]
        source: Option<fred::error::Error>,
    },
    /// Redis is out of memory: intake is refused, everything that leads to settlement goes on.
    #[error("redis is full: {reason}")]
    Exhausted {
        /// The server's words.
        reason: String,
    },
    /// A bound of a partition is reached; nothing was written. What fills it may go.
    #[error("{0}")]
    Full(String),
    /// It is written, and has not come as far as was promised. A repeat is safe with a `dedup_key`, and confirms what the first call wrote.
    #[error("written, but not confirmed as {durability}: {missing}")]
    Unconfirmed {
        /// What was promised.
        durability: Durability,
        /// What is missing, in words.
        missing: String,
        /// The contexts that are written, or were found by their dedup keys.
        contexts: Vec<ContextId>,
    },
    /// Of a submission a part is written; what is not met the cause.
    #[error("{cause}; {} contexts of the request are written", taken.len())]
    Partly {
        /// Where those that are written stand in the request, and their ids; ascending.
        taken: Vec<(usize, ContextId)>,
        /// Why the others are not, as far as is known.
        cause: Box<Self>,
    },
    /// The caller's input breaks a rule; nothing was written.
    #[error("{0}")]
    Invalid(#[from] Violations),
    /// The state of what was addressed does not allow the operation.
    #[error("{0}")]
    Conflict(String),
    /// What was addressed is not as whoever asks knows it; nothing was written.
    #[error("{what} {}; nothing was changed: read it again", present(*revision))]
    Changed {
        /// What was addressed, in words.
        what: String,
        /// Its revision; 0: it does not exist.
        revision: u64,
    },
    /// Nothing has this name or id.
    #[error("{kind} `{id}` does not exist")]
    NotFound {
        /// What was looked for: job, context, …
        kind: &'static str,
        /// Its name or id as given.
        id: String,
    },
    /// A script and its caller disagree: a defect of this program.
    #[error("contract broken in script {script}: {reply}")]
    Contract {
        /// `area/verb` of the script.
        script: &'static str,
        /// The reply, or the raised error with file and line.
        reply: String,
    },
    /// What lies in Redis has another type than it should, or does not follow its grammar: somebody changed it by hand, or it was damaged.
    #[error("the store is damaged, as {script} found: {found}")]
    Damaged {
        /// `area/verb` of the script, or the record's kind.
        script: &'static str,
        /// The record, or the raised error with file and line.
        found: String,
    },
    /// This server or this cluster cannot be used; a person must act.
    #[error("{0}")]
    Unusable(String),
}

fn present(revision: u64) -> String {
    match revision {
        0 => "does not exist, and was to be changed from one revision to the next".to_owned(),
        _ => format!("has revision {revision} now, and not the one that was asked for"),
    }
}

impl Error {
    /// Whether Redis gave this answer itself; silence is another matter.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Partly { cause, .. } => cause.is_answer(),
            // The words of a server begin with a word in capitals.
            Self::Unavailable { reason, .. } => {
                let word = reason.split(' ').next().unwrap_or_default();
                word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase())
            }
            Self::Exhausted { .. }
            | Self::Full(_)
            | Self::Unconfirmed { .. }
            | Self::Invalid(_)
            | Self::Conflict(_)
            | Self::Changed { .. }
            | Self::NotFound { .. }
            | Self::Contract { .. }
            | Self::Damaged { .. }
            | Self::Unusable(_) => true,
        }
    }

    /// True when the same call may succeed later without a change by the caller.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Partly { cause, .. } => cause.is_retryable(),
            Self::Unavailable { .. }
            | Self::Exhausted { .. }
            | Self::Full(_)
            | Self::Unconfirmed { .. } => true,
            Self::Invalid(_)
            | Self::Conflict(_)
            | Self::Changed { .. }
            | Self::NotFound { .. }
            | Self::Contract { .. }
            | Self::Damaged { .. }
            | Self::Unusable(_) => false,
        }
    }

    /// Tells which contexts are written that are not known to have come as far as was promised.
    #[must_use]
    pub fn of_contexts(mut self, ids: impl IntoIterator<Item = ContextId>) -> Self {
        if let Self::Unconfirmed { contexts, .. } = &mut self {
            contexts.extend(ids);
        }
        self
    }

    /// Tells which contexts of the request are written all the same.
    #[must_use]
    pub fn partly(self, taken: impl IntoIterator<Item = (usize, ContextId)>) -> Self {
        let (mut all, cause) = if let Self::Partly { taken, cause } = self {
            (taken, cause)
        } else {
            (Vec::new(), Box::new(self))
        };
        all.extend(taken);
        if all.is_empty() {
            return *cause;
        }
        all.sort_unstable_by_key(|(at, _)| *at);
        Self::Partly { taken: all, cause }
    }

    /// The same of a request in which what was given stood at `places`. What is written and not confirmed is a part of that request.
    #[must_use]
    pub fn standing_at(mut self, places: &[usize]) -> Self {
        if let Self::Unconfirmed { contexts, .. } = &self {
            let taken = places.iter().copied().zip(contexts.iter().cloned());
            let taken: Vec<(usize, ContextId)> = taken.collect();
            return self.partly(taken);
        }
        if let Self::Partly { taken, .. } = &mut self {
            for (at, _) in taken {
                *at = places.get(*at).copied().unwrap_or(*at);
            }
        }
        self
    }

    /// The same of a request of `given` contexts: one that is written whole, and not confirmed, is no part.
    #[must_use]
    pub fn of_request(self, given: usize) -> Self {
        let Self::Partly { taken, mut cause } = self else {
            return self;
        };
        if let Self::Unconfirmed { contexts, .. } = cause.as_mut()
            && taken.len() == given
        {
            *contexts = taken.into_iter().map(|(_, id)| id).collect();
            return *cause;
        }
        Self::Partly { taken, cause }
    }

    /// A broken contract of `script`.
    pub(crate) fn contract(script: &'static str, reply: impl std::fmt::Debug) -> Self {
        Self::Contract {
            script,
            reply: format!("{reply:?}").chars().take(400).collect(),
        }
    }

    /// A record of the kind `script` that does not follow its grammar.
    pub(crate) fn damaged(script: &'static str, found: impl std::fmt::Debug) -> Self {
        Self::Damaged {
            script,
            found: format!("{found:?}").chars().take(400).collect(),
        }
    }

    /// A cursor that no list has given.
    pub(crate) fn bad_cursor(cursor: &str) -> Self {
        let rule = "is of an earlier page of the same list";
        Self::Invalid(Violation::new("cursor", rule, cursor).into())
    }

    /// Sorts an error of the Redis client by what the caller can do.
    pub(crate) fn from_redis(
        script: &'static str,
        error: fred::error::Error,
        locate: impl Fn(&str) -> String,
    ) -> Self {
        use fred::error::ErrorKind;
        let details = plain(error.details());
        // Raised again by a script that took back what it had begun, it has a code in front.
        let words = details.strip_prefix("ERR ").unwrap_or(&details);
        if words.starts_with("OOM") || details.contains("-OOM") {
            return Self::Exhausted { reason: details };
        }
        if words.starts_with("WRONGTYPE") {
            return Self::Damaged {
                script,
                found: locate(&details),
            };
        }
        // Somebody took a right away.
        if words.starts_with("NOPERM") {
            return Self::Unusable(details);
        }
        let busy = [
            "BUSY",
            "LOADING",
            "TRYAGAIN",
            "CLUSTERDOWN",
            "MASTERDOWN",
            "NOREPLICAS",
            "READONLY",
            "MISCONF",
            "MOVED",
            "ASK",
            "max number of clients reached",
        ];
        // Only a script that has written nothing can be ended by hand.
        let ended_by_hand = details.contains("killed by user with SCRIPT KILL");
        if ended_by_hand || busy.iter().any(|word| words.starts_with(word)) {
            return Self::Unavailable {
                reason: details,
                source: Some(error),
            };
        }
        // The client's words for a connection that broke under a command it must not repeat.
        if details.starts_with("Too many failed write attempts") {
            return Self::Unavailable {
                reason: "the connection broke".to_owned(),
                source: Some(error),
            };
        }
        match error.kind() {
            ErrorKind::IO
            | ErrorKind::Timeout
            | ErrorKind::Canceled
            | ErrorKind::Cluster
            | ErrorKind::Sentinel
            | ErrorKind::Routing
            | ErrorKind::Tls
            | ErrorKind::Backpressure => Self::Unavailable {
                reason: details,
                source: Some(error),
            },
            ErrorKind::Auth | ErrorKind::Config | ErrorKind::Url => Self::Unusable(details),
            ErrorKind::InvalidCommand
            | ErrorKind::InvalidArgument
            | ErrorKind::Protocol
            | ErrorKind::Unknown
            | ErrorKind::Parse
            | ErrorKind::NotFound => Self::Contract {
                script,
                reply: locate(&details),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use fred::error::ErrorKind;

    use super::*;

    fn sorted(kind: ErrorKind, words: &str) -> Error {
        let error = fred::error::Error::new(kind, words.to_owned());
        Error::from_redis("wheel/turn", error, ToOwned::to_owned)
    }

    #[test]
    fn what_a_server_says_is_sorted_by_what_can_be_done_about_it() {
        for words in [
            "MISCONF Redis is configured to save RDB snapshots",
            "READONLY You can't write against a read only replica.",
            "ERR READONLY You can't write against a read only replica.",
            "ERR max number of clients reached",
            "ERR Error running script: Script killed by user with SCRIPT KILL.",
        ] {
            let error = sorted(ErrorKind::Unknown, words);
            assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
        }
        for words in [
            "OOM command not allowed when used memory > 'maxmemory'.",
            "ERR OOM command not allowed when used memory > 'maxmemory'.",
        ] {
            let error = sorted(ErrorKind::Unknown, words);
            assert!(matches!(error, Error::Exhausted { .. }), "{error:?}");
        }
        let error = sorted(
            ErrorKind::Unknown,
            "NOPERM User tw has no permissions to run the 'fcall' command",
        );
        assert!(matches!(error, Error::Unusable(_)), "{error:?}");
        let error = sorted(ErrorKind::InvalidArgument, "ERR WRONGTYPE Operation");
        assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
        let error = sorted(ErrorKind::Unknown, "ERR BAD_ARG now_ms");
        assert!(matches!(error, Error::Contract { .. }), "{error:?}");
    }

    #[test]
    fn what_was_taken_stands_where_it_stood_in_the_request() {
        let id = |n: u32| format!("0.1.a-{n}").parse::<ContextId>().unwrap();
        let none = Error::Full("full".to_owned()).partly([]);
        assert!(matches!(none, Error::Full(_)), "{none:?}");
        let some = none.partly([(1, id(1)), (0, id(0))]);
        assert!(some.is_retryable() && some.is_answer());
        let more = some.standing_at(&[5, 3]).partly([(4, id(4))]);
        assert_eq!(
            more.to_string(),
            "full; 3 contexts of the request are written"
        );
        let Error::Partly { taken, cause } = more else {
            panic!("{more:?}");
        };
        assert_eq!(taken, [(3, id(1)), (4, id(4)), (5, id(0))]);
        assert!(matches!(*cause, Error::Full(_)));
    }

    #[test]
    fn what_is_written_and_not_confirmed_is_a_part_until_it_is_the_whole() {
        let id = |n: u32| format!("0.1.a-{n}").parse::<ContextId>().unwrap();
        let unconfirmed = |contexts: Vec<ContextId>| Error::Unconfirmed {
            durability: Durability::Fsynced,
            missing: "one replica".to_owned(),
            contexts,
        };
        let some = unconfirmed(vec![id(1), id(3)]).standing_at(&[1, 3]);
        let Error::Partly { taken, .. } = &some else {
            panic!("{some:?}");
        };
        assert_eq!(taken, &[(1, id(1)), (3, id(3))]);
        // Two others were not sent, or were refused.
        let of_four = unconfirmed(vec![id(1), id(3)])
            .standing_at(&[1, 3])
            .of_request(4);
        assert!(matches!(of_four, Error::Partly { .. }), "{of_four:?}");
        let whole = some.partly([(0, id(0)), (2, id(2))]).of_request(4);
        let Error::Unconfirmed { contexts, .. } = whole else {
            panic!("{whole:?}");
        };
        assert_eq!(contexts, [id(0), id(1), id(2), id(3)]);
        let full = Error::Full("full".to_owned())
            .partly([(0, id(0))])
            .of_request(1);
        assert!(matches!(full, Error::Partly { .. }), "{full:?}");
    }
}
