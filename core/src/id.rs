//! Names and ids: parsed once at the edge, trusted afterwards.
//!
//! Every name a caller gives, but for dedup keys, is `[A-Za-z0-9._/-]{1,128}`, so that it stands without quoting in a Redis key, a wheel
//! member (fields separated by spaces), a URL and a terminal.

mod context;
mod dedup;
mod digits;
mod text;

pub use context::{ContextId, Part, Subtask};
pub use dedup::{DedupKey, DedupName, Reuse};
pub(crate) use digits::hex;
pub use text::{GroupName, HandlerName, JobName, Namespace, TrackerId, WorkerId};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Violation;

/// Number of an attempt, the fencing token: it only grows (W2). 0 stands for "none yet".
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct AttemptNo(u32);

impl AttemptNo {
    /// Before the first attempt.
    pub const NONE: Self = Self(0);
    /// The first attempt.
    pub const FIRST: Self = Self(1);

    /// The attempt of this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    /// The attempt after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl From<u32> for AttemptNo {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl fmt::Display for AttemptNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AttemptNo {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        text.parse()
            .map(Self)
            .map_err(|_| Violation::new("attempt", "is a whole number, 0..=4294967295", text))
    }
}

#[cfg(test)]
mod tests;
