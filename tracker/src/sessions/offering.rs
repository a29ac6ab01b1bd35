//! Who offers which handler in one group.
//!
//! Thousands of workers run the same program: they share one list of up to 1,000 names, and one list of workers for all of these; each its
//! own would be some 100 KiB.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::handlers::Handlers;
use super::session::Session;

/// Streams in the order of their workers.
type Ordered = Vec<Arc<Session>>;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Offering {
    /// By the text of the handlers: who offers just these.
    by_list: BTreeMap<Arc<str>, Alike>,
    by_handler: BTreeMap<String, Offerers>,
}

/// Streams that offer the same handlers.
#[derive(Debug)]
struct Alike {
    handlers: Arc<Handlers>,
    streams: Ordered,
}

/// Who offers a handler.
#[derive(Debug)]
enum Offerers {
    /// Those that offer this list.
    OfList(Arc<str>),
    /// Those of several lists.
    OfLists(Ordered),
}

impl Offering {
    pub(super) fn is_empty(&self) -> bool {
        self.by_list.is_empty()
    }

    /// The handlers that somebody offers, in order.
    pub(super) fn handlers(&self) -> impl Iterator<Item = &String> {
        self.by_handler.keys()
    }

    /// The streams that offer a handler, in the order of their workers; some may drain.
    pub(super) fn of(&self, handler: &str) -> &[Arc<Session>] {
        match self.by_handler.get(handler) {
            None => &[],
            Some(Offerers::OfList(list)) => self.alike(list),
            Some(Offerers::OfLists(streams)) => streams,
        }
    }

    fn alike(&self, list: &str) -> &[Arc<Session>] {
        let alike = self.by_list.get(list);
        alike.map_or(&[], |alike| &alike.streams)
    }

    /// Adds a stream; it takes the list of those that offer the same.
    pub(super) fn add(&mut self, session: &Arc<Session>) {
        let own = session.handlers();
        let alike = self.by_list.entry(own.text()).or_insert_with(|| Alike {
            handlers: Arc::clone(&own),
            streams: Vec::new(),
        });
        session.set_handlers(Arc::clone(&alike.handlers));
        let handlers = Arc::clone(&alike.handlers);
        for handler in handlers.names().iter() {
            self.add_to(handler, &handlers, session);
        }
        if let Some(alike) = self.by_list.get_mut(&handlers.text()) {
            put(&mut alike.streams, session);
        }
    }

    fn add_to(&mut self, handler: &str, handlers: &Handlers, session: &Arc<Session>) {
        let list = handlers.text();
        match self.by_handler.get_mut(handler) {
            None => {
                self.by_handler
                    .insert(handler.to_owned(), Offerers::OfList(list));
            }
            Some(Offerers::OfList(only)) if *only == list => {}
            Some(Offerers::OfLists(streams)) => put(streams, session),
            Some(several @ Offerers::OfList(_)) => {
                let Offerers::OfList(other) = several else {
                    return;
                };
                let (mine, theirs) = (self.by_list.get(&list), self.by_list.get(other));
                let mine = mine.into_iter().flat_map(|alike| alike.streams.iter());
                let theirs = theirs.into_iter().flat_map(|alike| alike.streams.iter());
                let mut streams: Ordered = mine.chain(theirs).cloned().collect();
                streams.sort_unstable_by(|one, other| one.worker.cmp(&other.worker));
                put(&mut streams, session);
                *several = Offerers::OfLists(streams);
            }
        }
    }

    /// Takes a stream out that was added with the handlers it has.
    pub(super) fn remove(&mut self, session: &Arc<Session>) {
        let handlers = session.handlers();
        let mut nobody = false;
        if let Entry::Occupied(mut alike) = self.by_list.entry(handlers.text()) {
            take(&mut alike.get_mut().streams, session);
            nobody = alike.get().streams.is_empty();
            if nobody {
                alike.remove();
            }
        }
        for handler in handlers.names().iter() {
            let empty = match self.by_handler.get_mut(handler) {
                None => false,
                Some(Offerers::OfList(_)) => nobody,
                Some(Offerers::OfLists(streams)) => {
                    take(streams, session);
                    streams.is_empty()
                }
            };
            if empty {
                self.by_handler.remove(handler);
            }
        }
    }
}

/// Puts a stream where it belongs; the older one of its worker is not there any more.
fn put(ordered: &mut Ordered, session: &Arc<Session>) {
    let at = ordered.partition_point(|one| one.worker < session.worker);
    ordered.insert(at, Arc::clone(session));
}

fn take(ordered: &mut Ordered, session: &Arc<Session>) {
    if let Ok(at) = ordered.binary_search_by(|one| one.worker.cmp(&session.worker)) {
        ordered.remove(at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sessions::transport;

    #[test]
    fn equal_lists_are_one() {
        let mut offering = Offering::default();
        let first = transport("a", "g", &["h", "i"], 1);
        let second = transport("b", "g", &["i", "h", "i"], 1);
        offering.add(&second);
        offering.add(&first);
        assert!(Arc::ptr_eq(&first.handlers(), &second.handlers()));
        assert_eq!(&*first.handlers().text(), "h,i");
        assert!(
            std::ptr::eq(offering.of("h"), offering.of("i")),
            "one list of workers"
        );
        offering.remove(&first);
        offering.remove(&second);
        assert!(offering.is_empty() && offering.handlers().count() == 0);
    }

    proptest! {
        #[test]
        fn whoever_comes_and_goes_those_who_offer_a_handler_are_found_in_order(
            steps in prop::collection::vec((0..6_usize, prop::collection::btree_set(0..5_usize, 1..4)), 0..60)
        ) {
            let mut offering = Offering::default();
            let mut there: BTreeMap<String, Arc<Session>> = BTreeMap::new();
            for (worker, handlers) in steps {
                let worker = format!("w{worker}");
                if let Some(session) = there.remove(&worker) {
                    offering.remove(&session);
                } else {
                    let handlers: Vec<String> = handlers.iter().map(|number| format!("h{number}")).collect();
                    let handlers: Vec<&str> = handlers.iter().map(String::as_str).collect();
                    let session = transport(&worker, "g", &handlers, 1);
                    offering.add(&session);
                    there.insert(worker, session);
                }
                for number in 0..5 {
                    let handler = format!("h{number}");
                    let found = offering.of(&handler).iter().map(|session| session.worker.as_str());
                    let expected = there.values().filter(|session| session.handlers().has(&handler));
                    prop_assert!(found.eq(expected.map(|session| session.worker.as_str())));
                }
                prop_assert_eq!(offering.is_empty(), there.is_empty());
            }
        }
    }
}
