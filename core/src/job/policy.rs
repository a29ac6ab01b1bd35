//! What becomes of firings that come too late, or while an earlier one runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::bounds::{MISFIRE_LIMIT_DEFAULT, MISFIRE_TOLERANCE_MS_DEFAULT, QUEUE_DEFAULT};
use crate::error::Violation;
use crate::word::word_enum;

word_enum! {
    /// What becomes of due times that were popped later than the tolerance.
    MisfirePolicy {
        /// None of them fires.
        Skip = "skip",
        /// The newest fires.
        FireOnce = "fire_once",
        /// The newest fire, as many as the limit allows.
        FireAll = "fire_all",
    }
}

/// The misfire policy with its numbers. A due time within the tolerance always fires, whatever the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Misfire {
    /// What becomes of late due times.
    pub policy: MisfirePolicy,
    /// `fire_all`: at most this many late due times fire, the newest; 1..=1000.
    pub limit: u32,
    /// Lateness in ms up to which a due time is not late.
    pub tolerance_ms: u64,
    /// Due times older than this many ms are dropped for good; `None`: no window.
    pub catch_up_window_ms: Option<u64>,
}

impl Default for Misfire {
    fn default() -> Self {
        Self {
            policy: MisfirePolicy::FireOnce,
            limit: MISFIRE_LIMIT_DEFAULT,
            tolerance_ms: MISFIRE_TOLERANCE_MS_DEFAULT,
            catch_up_window_ms: None,
        }
    }
}

/// What a firing does while an earlier context of the job is active.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// Runs beside it, up to this many at once, 1..=1000.
    Parallel(u32),
    /// Waits for it, up to this many waiting, 1..=100000.
    Queue(u32),
    /// Waits for it, unless one is waiting already.
    QueueOne,
    /// Is skipped.
    #[default]
    Discard,
    /// Takes its place: the running one is cancelled.
    Replace,
}

impl Overlap {
    /// Every word, in order.
    pub const WORDS: &'static [&'static str] =
        &["parallel", "queue", "queue_one", "discard", "replace"];

    /// The word of the policy, without its number.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Parallel(_) => "parallel",
            Self::Queue(_) => "queue",
            Self::QueueOne => "queue_one",
            Self::Discard => "discard",
            Self::Replace => "replace",
        }
    }

    /// The number of `parallel` and `queue`.
    #[must_use]
    pub const fn limit(self) -> Option<u32> {
        match self {
            Self::Parallel(limit) | Self::Queue(limit) => Some(limit),
            Self::QueueOne | Self::Discard | Self::Replace => None,
        }
    }

    /// The policy of a word and, where it takes one, its number. `queue` without a number waits up to 1,000.
    ///
    /// # Errors
    /// A violation when the word is unknown, the number is missing, or there is one where none belongs.
    pub fn from_parts(word: &str, limit: Option<u32>) -> Result<Self, Violation> {
        match (word, limit) {
            ("parallel", Some(limit)) => Ok(Self::Parallel(limit)),
            ("queue", limit) => Ok(Self::Queue(limit.unwrap_or(QUEUE_DEFAULT))),
            ("queue_one", None) => Ok(Self::QueueOne),
            ("discard", None) => Ok(Self::Discard),
            ("replace", None) => Ok(Self::Replace),
            ("parallel", None) => Err(Violation::new("", "needs a number, like parallel(4)", word)),
            ("queue_one" | "discard" | "replace", Some(_)) => {
                Err(Violation::new("", format!("{word} takes no number"), word))
            }
            _ => {
                let rule = "is parallel(n), queue(n), queue_one, discard or replace";
                let rule = crate::error::with_suggestion(rule, word, Self::WORDS.iter().copied());
                Err(Violation::new("", rule, word))
            }
        }
    }
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limit() {
            Some(limit) => write!(f, "{}({limit})", self.word()),
            None => f.write_str(self.word()),
        }
    }
}

impl FromStr for Overlap {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let text = text.trim();
        let Some((word, number)) = text.split_once('(') else {
            return Self::from_parts(text, None);
        };
        let limit = number
            .strip_suffix(')')
            .and_then(|number| number.trim().parse().ok());
        let limit = limit.ok_or_else(|| {
            Violation::new(
                "",
                "has a whole number in its brackets, like queue(10)",
                text,
            )
        })?;
        Self::from_parts(word.trim(), Some(limit))
    }
}
