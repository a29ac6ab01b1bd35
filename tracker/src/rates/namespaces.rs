//! How many contexts were submitted to each namespace lately.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_core::error::Violation;

use super::cell::{Cell, Rate};

/// Namespaces that are counted apart. Callers name them, so that there may be any number; further ones are counted together.
const NAMESPACES_MAX: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    cells: Mutex<Cells>,
}

#[derive(Debug, Default)]
struct Cells {
    own: HashMap<String, Cell>,
    others: Cell,
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
        let (mut found, mut wait) = (Vec::new(), Duration::ZERO);
        for (namespace, share) in shares {
            if let Err(longer) = cells.of(namespace).look(now) {
                found.push((share.first, too_many(namespace, *share, longer)));
                wait = wait.max(longer);
            }
        }
        if !found.is_empty() {
            return Err((found, wait));
        }
        for (namespace, share) in shares {
            cells.make_room(namespace, now);
            cells.of(namespace).count(now, share.rate, share.count);
        }
        Ok(())
    }
}

impl Cells {
    fn of(&self, namespace: &str) -> &Cell {
        self.own.get(namespace).unwrap_or(&self.others)
    }

    /// Counts a namespace apart, if there is room: what is paid is as good as new.
    fn make_room(&mut self, namespace: &str, now: u64) {
        if self.own.contains_key(namespace) {
            return;
        }
        if self.own.len() >= NAMESPACES_MAX {
            self.own.retain(|_, cell| !cell.is_paid(now));
        }
        if self.own.len() < NAMESPACES_MAX {
            self.own.insert(namespace.to_owned(), Cell::default());
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
    let field = format!("contexts[{}].namespace", share.first);
    Violation::new(
        field,
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
        assert!(!take(0, "another", 1), "those beyond are counted together");
        // What was paid makes room.
        assert!(take(60 * SECOND, "another", 20));
        assert_eq!(namespaces.cells.lock().own.len(), 1);
        assert!(take(60 * SECOND, "one more", 20), "each has its own again");
    }
}
