//! A context after its end: one line of an entry of `events`, one element of a job's `runs`.

use std::fmt;
use std::str::FromStr;

use tickwheel_core::bounds::ERROR_BYTES_MAX;
use tickwheel_core::id::{AttemptNo, ContextId, GroupName, HandlerName, WorkerId};
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;

use crate::error::Error;

/// Tab-separated: id, state, attempt, worker|-, claimed|0, ended, message, group|-, handler|-, failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Identity.
    pub id: ContextId,
    /// How it ended.
    pub state: EndState,
    /// Its last attempt; none if it never started.
    pub attempt: AttemptNo,
    /// Who ran the last attempt.
    pub worker: Option<WorkerId>,
    /// When the last attempt was claimed.
    pub claimed: Option<TimestampMs>,
    /// When it ended.
    pub ended: TimestampMs,
    /// Why, without tabs and line breaks; empty after success.
    pub message: String,
    /// The workers it was for; `None` where whoever ended it could not tell.
    pub group: Option<GroupName>,
    /// Its handler; `None` as for `group`.
    pub handler: Option<HandlerName>,
    /// Attempts that failed, timed out or lost their lease.
    pub failures: u32,
}

/// The words of a context that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndState {
    /// Its handler returned success.
    Succeeded,
    /// Its attempts are used up, or it failed for good.
    Failed,
    /// The last attempt ran past its timeout.
    TimedOut,
    /// A person, a policy or its job's deletion stopped it.
    Cancelled,
    /// Not started by its start deadline.
    Expired,
}

impl EndState {
    /// Every state, in the order of the wire.
    pub const ALL: [Self; 5] = [
        Self::Succeeded,
        Self::Failed,
        Self::TimedOut,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The word in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.word().as_str()
    }

    /// The same state among all states of a context.
    #[must_use]
    pub const fn word(self) -> ContextState {
        match self {
            Self::Succeeded => ContextState::Succeeded,
            Self::Failed => ContextState::Failed,
            Self::TimedOut => ContextState::TimedOut,
            Self::Cancelled => ContextState::Cancelled,
            Self::Expired => ContextState::Expired,
        }
    }
}

impl Settled {
    /// Reads a record.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the text does not follow the grammar.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        // A script cuts a message at its greatest length, which may be inside a character.
        let text = String::from_utf8_lossy(text);
        text.parse()
            .map_err(|()| Error::damaged("record/settled", text))
    }
}

impl FromStr for Settled {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut fields = text.split('\t');
        let mut next = || fields.next().ok_or(());
        let id = next()?.parse().map_err(drop)?;
        let word = next()?;
        let state = EndState::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or(())?;
        let attempt = AttemptNo::new(next()?.parse().map_err(drop)?);
        let worker = match next()? {
            "-" => None,
            name => Some(WorkerId::new(name).map_err(drop)?),
        };
        let claimed: u64 = next()?.parse().map_err(drop)?;
        let ended: u64 = next()?.parse().map_err(drop)?;
        let message = next()?.to_owned();
        let (group, handler) = (next()?, next()?);
        let failures = next()?.parse().map_err(drop)?;
        let known = |name: &str| name != "-";
        let group = known(group).then(|| GroupName::new(group));
        let handler = known(handler).then(|| HandlerName::new(handler));
        if fields.next().is_some() {
            return Err(());
        }
        let claimed = Some(claimed).filter(|ms| *ms > 0).map(TimestampMs::new);
        Ok(Self {
            id,
            state,
            attempt,
            worker,
            claimed,
            ended: TimestampMs::new(ended),
            message,
            group: group.transpose().map_err(drop)?,
            handler: handler.transpose().map_err(drop)?,
            failures,
        })
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let worker = self.worker.as_ref().map_or("-", WorkerId::as_str);
        let claimed = self.claimed.map_or(0, TimestampMs::as_u64);
        let (state, ended) = (self.state.as_str(), self.ended.as_u64());
        let cut = self.message.floor_char_boundary(ERROR_BYTES_MAX);
        let message = self
            .message
            .get(..cut)
            .unwrap_or_default()
            .replace(['\t', '\n', '\r'], " ");
        write!(
            f,
            "{}\t{state}\t{}\t{worker}\t{claimed}\t{ended}\t{message}\t{}\t{}\t{}",
            self.id,
            self.attempt,
            self.group.as_ref().map_or("-", GroupName::as_str),
            self.handler.as_ref().map_or("-", HandlerName::as_str),
            self.failures
        )
    }
}
