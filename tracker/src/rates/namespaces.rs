//! How many contexts were submitted to each namespace lately.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_core::error::Violation;

use super::cell::{Cell, Rate};

/// Namespaces that are counted apart. Callers name them, so that there may be any number.
const NAMESPACES_MAX: usize = 10_000;
/// Cells that further ones share. Nobody can tell who shares one with whom.
const SHARED: usize = 4_096;
/// Between two looks for namespaces that are paid, in ns: each looks at all of them.
const LOOK_EVERY: u64 = 100_000_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    cells: Mutex<Cells>,
}

#[derive(Debug)]
struct Cells {
    own: HashMap<String, Cell>,
    /// None until they are needed.
    shared: Vec<Cell>,
    hasher: RandomState,
    /// When room is made next.
    look_at: u64,
}

impl Default for Cells {
    fn default() -> Self {
        Self {
            own: HashMap::new(),
            shared: Vec::new(),
            hasher: RandomState::new(),
            look_at: 0,
        }
    }
}

/// What is submitted to one namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    /// Contexts.
    pub(super) count: u64,
    /// Where the first of them stands.
    pub(super) first: usize,
    /// What the namespace may.
    pub(super) rate: Rate,
}

/// Where the first context of a namespace stands, and what is said of it.
pub(super) type TooMany = (usize, Violation);

impl Namespaces {
    /// Lets all of it in, or nothing: then what is too much is named, and how long to wait.
    pub(super) fn take(
        &self,
        now: u64,
        shares: &BTreeMap<&str, Share>,
    ) -> Result<(), (Vec<TooMany>, Duration)> {
        let mut cells = self.cells.lock();
        cells.make_room(shares.len(), now);
        let (mut found, mut wait) = (Vec::new(), Duration::ZERO);
        for (namespace, share) in shares {
            // One that is not known has spent nothing.
            if let Some(cell) = cells.of(namespace)
                && let Err(longer) = cell.look(now)
            {
                found.push((share.first, too_many(namespace, *share, longer)));
                wait = wait.max(longer);
            }
        }
        if !found.is_empty() {
            return Err((found, wait));
        }
        for (namespace, share) in shares {
            cells.add(namespace, now);
            if let Some(cell) = cells.of(namespace) {
                cell.count(now, share.rate, share.count);
            }
        }
        Ok(())
    }
}

impl Cells {
    fn of(&self, namespace: &str) -> Option<&Cell> {
        self.own.get(namespace).or_else(|| {
            let count = u64::try_from(self.shared.len())
                .ok()
                .filter(|count| *count > 0)?;
            let place = self.hasher.hash_one(namespace) % count;
            self.shared.get(usize::try_from(place).ok()?)
        })
    }

    /// Drops what is paid, which is as good as new, where there is no room for so many more.
    fn make_room(&mut self, more: usize, now: u64) {
        if self.own.len() + more > NAMESPACES_MAX && now >= self.look_at {
            self.own.retain(|_, cell| !cell.is_paid(now));
            if self.shared.iter().all(|cell| cell.is_paid(now)) {
                self.shared = Vec::new();
            }
            self.look_at = now.saturating_add(LOOK_EVERY);
        }
    }

    /// Counts a namespace apart, if there is room and it owes nothing where it was counted with others.
    fn add(&mut self, namespace: &str, now: u64) {
        if self.of(namespace).is_some_and(|cell| !cell.is_paid(now)) {
            return;
        }
        if self.own.len() < NAMESPACES_MAX {
            self.own.entry(namespace.to_owned()).or_default();
        } else if self.shared.is_empty() {
            self.shared.resize_with(SHARED, Cell::default);
        }
    }
}

fn too_many(namespace: &str, share: Share, wait: Duration) -> Violation {
    let rule = format!(
        "is submitted at most {} contexts a second, {} of them at this tracker: wait {} ms, submit fewer, or have `quotas.contexts_per_second` of the trackers raised",
        share.rate.per_second,
        share.rate.here(),
        wait.as_nanos().div_ceil(1_000_000),
    );
    // Its caller knows what the field is called.
    Violation::new(
        "",
        rule,
        format_args!("{namespace} ({} contexts)", share.count),
    )
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn share(count: u64) -> Share {
        let rate = Rate {
            per_second: NonZeroU32::new(10).unwrap(),
            trackers: NonZeroU32::MIN,
        };
        Share {
            count,
            first: 3,
            rate,
        }
    }

    #[test]
    fn a_batch_is_let_in_whole_or_not_at_all() {
        let namespaces = Namespaces::default();
        let take = |now, shares: &[(&'static str, u64)]| {
            let shares = shares.iter().map(|(name, count)| (*name, share(*count)));
            namespaces.take(now, &shares.collect())
        };
        take(0, &[("a", 30)]).unwrap();
        let (found, wait) = take(0, &[("a", 1), ("b", 500)]).unwrap_err();
        assert_eq!(found.len(), 1);
        let (first, one) = &found[0];
        assert_eq!(*first, 3);
        assert_eq!(one.given, "a (1 contexts)");
        assert!(one.rule.contains("at most 10 contexts a second"), "{one}");
        assert_eq!(wait, Duration::from_nanos(SECOND + 1), "30 are paid in 3 s");
        take(0, &[("b", 20)]).unwrap();
        let (found, _) = take(0, &[("a", 1), ("b", 1)]).unwrap_err();
        assert_eq!(found.len(), 2, "`b` spent nothing before");
        take(SECOND + 1, &[("a", 1), ("b", 1)]).unwrap();
    }

    #[test]
    fn names_without_end_take_no_memory_without_end() {
        let namespaces = Namespaces::default();
        let names: Vec<String> = (0..NAMESPACES_MAX + 500).map(|n| format!("n{n}")).collect();
        let take = |now, name: &str, count| {
            let shares = [(name, share(count))].into();
            namespaces.take(now, &shares).is_ok()
        };
        for name in &names {
            take(0, name, 20);
        }
        assert_eq!(namespaces.cells.lock().own.len(), NAMESPACES_MAX);
        let last = names.last().unwrap();
        assert!(!take(0, last, 1), "it is counted beyond them too");
        let idle: Vec<String> = (0..100).map(|n| format!("idle{n}")).collect();
        let let_in = idle.iter().filter(|name| take(0, name, 1)).count();
        assert!(let_in > 50, "{let_in} of 100, beside 500 in 4,096 cells");
        // What was paid makes room.
        assert!(take(60 * SECOND, "another", 20));
        assert_eq!(namespaces.cells.lock().own.len(), 1);
        assert!(take(60 * SECOND, "one more", 20), "each has its own again");
    }
}
