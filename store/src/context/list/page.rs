//! A page while it fills, within its bounds.

use super::answer::{Horizon, Looked, MergedList, PageBounds};
use super::ask::{Found, Lists};
use super::section::Section;
use crate::listed::Listed;
use tickwheel_core::time::TimestampMs;

/// Bytes of the bodies of a page; it ends behind the context that reaches them.
const BYTES_MAX: usize = 2 << 20;

pub(super) struct Page<L: Lists> {
    pub(super) listed: Listed<L::Item>,
    bytes: usize,
    items: usize,
    /// Entries that may still be looked at.
    left: u64,
    looked: u64,
    horizon: Option<Horizon>,
}

impl<L: Lists> Page<L> {
    pub(super) fn new(bounds: PageBounds, partitions: usize) -> Self {
        let least = u64::try_from(2 * partitions).unwrap_or(u64::MAX);
        Self {
            listed: Listed::default(),
            bytes: 0,
            items: usize::try_from(bounds.items.max(1)).unwrap_or(usize::MAX),
            left: u64::from(bounds.look).max(least),
            looked: 0,
            horizon: None,
        }
    }

    /// Contexts that still fit.
    pub(super) fn missing(&self) -> usize {
        self.items.saturating_sub(self.listed.items.len())
    }

    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Nothing more fits, whatever is left to be looked at.
    pub(super) fn is_full(&self) -> bool {
        self.missing() == 0 || self.bytes >= BYTES_MAX
    }

    pub(super) fn is_done(&self) -> bool {
        self.is_full() || self.left == 0
    }

    /// A call looked at so many entries, and cost as much as so many.
    pub(super) fn spend(&mut self, looked: u64, cost: u64) {
        self.looked += looked;
        self.left = self.left.saturating_sub(cost.max(looked).max(1));
    }

    /// Adds what the list has come to.
    pub(super) fn add(&mut self, found: Found<L::Item>) {
        match found.item {
            Some(item) => {
                self.bytes += L::bytes_of(&item);
                self.listed.items.push(item);
            }
            None if found.is_unreadable => self.listed.skip(L::NAME, 1),
            None => {}
        }
    }

    /// A partition has everything of `section` since then; nothing of it was let go if 0.
    pub(super) fn complete_since(&mut self, section: Section, since: u64) {
        let horizon = self.horizon.get_or_insert_default();
        if since > 0 {
            horizon.reason = section.horizon().to_owned();
        }
        horizon.complete_since = horizon.complete_since.max(TimestampMs::new(since));
    }

    pub(super) fn finish(self, next: String, of: u64) -> MergedList<L::Item> {
        MergedList {
            items: self.listed.items,
            next,
            unreadable: self.listed.unreadable,
            looked: Looked {
                entries: self.looked,
                of,
            },
            horizon: self.horizon,
        }
    }
}
