//! What holds for each context, of a job or submitted alone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::bounds::{CANCEL_GRACE_MS_DEFAULT, LEASE_MS_DEFAULT};
use crate::error::{Violation, with_suggestion};

/// Which of the waiting contexts of a group goes first: 0 (lowest) ..= 4 (highest), 2 when nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Priority(u8);

impl Priority {
    /// Behind everything else.
    pub const LOWEST: Self = Self(0);
    /// 1.
    pub const LOW: Self = Self(1);
    /// 2, the default.
    pub const NORMAL: Self = Self(2);
    /// 3.
    pub const HIGH: Self = Self(3);
    /// Before everything else.
    pub const HIGHEST: Self = Self(4);

    /// The words of the levels, lowest first.
    pub const WORDS: &'static [&'static str] = &["lowest", "low", "normal", "high", "highest"];

    /// The priority of this level.
    ///
    /// # Errors
    /// A violation above 4.
    pub fn new(level: u8) -> Result<Self, Violation> {
        if level <= Self::HIGHEST.0 {
            return Ok(Self(level));
        }
        Err(Violation::new(
            "priority",
            "is 0 (lowest) ..= 4 (highest)",
            level,
        ))
    }

    /// The level, 0..=4.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self::NORMAL
    }
}

impl TryFrom<u8> for Priority {
    type Error = Violation;

    fn try_from(level: u8) -> Result<Self, Violation> {
        Self::new(level)
    }
}

impl TryFrom<u32> for Priority {
    type Error = Violation;

    fn try_from(level: u32) -> Result<Self, Violation> {
        Self::new(u8::try_from(level).unwrap_or(u8::MAX)).map_err(|mut violation| {
            violation.given = level.to_string();
            violation
        })
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(
            Self::WORDS
                .get(usize::from(self.0))
                .copied()
                .unwrap_or_default(),
        )
    }
}

impl FromStr for Priority {
    type Err = Violation;

    /// Reads a level or its word.
    fn from_str(text: &str) -> Result<Self, Violation> {
        let by_word = Self::WORDS.iter().position(|word| *word == text);
        let level = by_word
            .and_then(|level| u8::try_from(level).ok())
            .or_else(|| text.parse().ok());
        match level {
            Some(level) => Self::new(level),
            None => {
                let rule = "is 0..=4 or lowest, low, normal, high, highest";
                let rule = with_suggestion(rule, text, Self::WORDS.iter().copied());
                Err(Violation::new("priority", rule, text))
            }
        }
    }
}

/// How the delay before the next attempt grows with the failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// It does not grow.
    Fixed {
        /// Milliseconds before each further attempt.
        delay_ms: u64,
    },
    /// It doubles.
    Exponential {
        /// Milliseconds before the second attempt.
        delay_ms: u64,
        /// No delay is longer, in ms.
        cap_ms: u64,
    },
}

/// How often a context is tried, and when again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct RetryPolicy {
    /// Attempts in all, 1..=1000.
    pub max_attempts: u32,
    /// The delay before the next one.
    pub backoff: Backoff,
    /// Whether a delay is drawn from 0..=computed delay, so that contexts that failed together do not return together.
    pub full_jitter: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            backoff: Backoff::Exponential {
                delay_ms: 1_000,
                cap_ms: 60_000,
            },
            full_jitter: true,
        }
    }
}

/// What holds for a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct ContextOptions {
    /// Which of the waiting contexts goes first.
    pub priority: Priority,
    /// How often it is tried.
    pub retry: RetryPolicy,
    /// Milliseconds an attempt may take; `None`: no bound.
    pub timeout_ms: Option<u64>,
    /// Milliseconds a cancelled or timed-out attempt has to settle before its lease is taken.
    pub cancel_grace_ms: u64,
    /// Not started this many ms after its due time, it ends as expired; `None`: it waits.
    pub start_deadline_ms: Option<u64>,
    /// Milliseconds a lease holds without being renewed.
    pub lease_ms: u64,
    /// Whether an attempt whose lease was lost ends the context as failed instead of being retried (at most once).
    pub fail_on_lease_lost: bool,
}

impl Default for ContextOptions {
    fn default() -> Self {
        Self {
            priority: Priority::default(),
            retry: RetryPolicy::default(),
            timeout_ms: None,
            cancel_grace_ms: CANCEL_GRACE_MS_DEFAULT,
            start_deadline_ms: None,
            lease_ms: LEASE_MS_DEFAULT,
            fail_on_lease_lost: false,
        }
    }
}
