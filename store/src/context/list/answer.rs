//! How much an answer may have, and what it has.

use tickwheel_core::time::TimestampMs;

use crate::context::ContextView;

/// Entries that one request looks at, at most: some 20 ms of Redis' time.
pub const LOOK_MAX: u32 = 6_400;

/// How much one answer may have, and take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageBounds {
    /// Contexts, 1 or more.
    pub items: u32,
    /// Entries looked at, up to [`LOOK_MAX`]. Of each partition two are looked at in any case.
    pub look: u32,
}

impl From<u32> for PageBounds {
    fn from(items: u32) -> Self {
        Self {
            items,
            look: LOOK_MAX,
        }
    }
}

/// How much was looked at for an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// Entries, for this answer alone.
    pub entries: u64,
    /// About how many the whole list would have to look at, as its first page found it.
    pub of: u64,
}

/// Since when a list of what has ended is complete: what is kept is bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Horizon {
    /// Whatever ended at this or later is in the list; 0 when nothing was let go.
    pub complete_since: TimestampMs,
    /// What was let go, in words; empty when nothing was.
    pub reason: String,
}

/// A page of a list of contexts.
pub type ContextList = MergedList<ContextView>;

/// A page of a list that is merged over the partitions.
#[derive(Debug, Clone, PartialEq)]
pub struct MergedList<T> {
    /// What was chosen, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins; empty behind the last. A page may be short, or empty, and yet have a next one.
    pub next: String,
    /// Records that could not be read, and keys of a wrong type.
    pub unreadable: u64,
    /// How much was looked at.
    pub looked: Looked,
    /// `None` until the list has come to what has ended.
    pub horizon: Option<Horizon>,
}

impl<T> Default for MergedList<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            next: String::new(),
            unreadable: 0,
            looked: Looked::default(),
            horizon: None,
        }
    }
}
