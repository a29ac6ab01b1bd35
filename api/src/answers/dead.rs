//! Runs that ended without success, with the bound they are kept under.

use serde::Serialize;
use tickwheel_proto::v1;

use super::looked::Looked;
use super::run::Run;

/// A page of the dead.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeadPage {
    /// The runs, without bodies.
    pub items: Vec<Run>,
    /// Where the next page begins; empty: no more. A page may be short, or empty, and yet have one.
    pub next_cursor: String,
    /// How many are kept, over all partitions.
    pub kept: u64,
    /// How many the bound has let go.
    pub dropped: u64,
    /// Records that could not be read, and are not among these.
    pub unreadable: u64,
    /// How much was looked at, and since when the list is complete.
    pub looked: Looked,
}

impl DeadPage {
    /// Takes over the page behind it.
    pub fn add(&mut self, page: v1::ListDeadResponse) {
        self.items.extend(page.contexts.into_iter().map(Run::from));
        self.next_cursor = page.next_cursor;
        self.kept = page.kept;
        self.dropped = page.dropped;
        self.unreadable += page.unreadable;
        self.looked.add(page.looked, page.horizon);
    }
}

impl From<v1::ListDeadResponse> for DeadPage {
    fn from(page: v1::ListDeadResponse) -> Self {
        let mut all = Self::default();
        all.add(page);
        all
    }
}

/// What a step of a change of the dead came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeadChanged {
    /// How many were looked at.
    pub looked: u64,
    /// How many of them were meant.
    pub matched: u64,
    /// How many run again, or are forgotten.
    pub changed: u64,
    /// Their job has no room for them; they stay.
    pub busy: u64,
    /// Their body was too great to be kept; they stay.
    pub bodiless: u64,
    /// Not among the dead, or not any more.
    pub gone: u64,
    /// They were only counted.
    pub dry_run: bool,
    /// Where the next step begins; absent: all were looked at.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub next_cursor: String,
    /// Those that were meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
}

impl DeadChanged {
    /// What a step came to.
    #[must_use]
    pub fn of(step: v1::ChangeDeadResponse, dry_run: bool) -> Self {
        Self {
            looked: step.looked,
            matched: step.matched,
            changed: step.changed,
            busy: step.busy,
            bodiless: step.bodiless,
            gone: step.gone,
            dry_run,
            next_cursor: step.next_cursor,
            ids: step.ids,
        }
    }
}
