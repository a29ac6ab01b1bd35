//! Thousands of workers run the same program: they share one list of up to 1,000 handlers, which else were some 100 KiB for each of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::handlers::Handlers;
use super::session::Session;

/// Lists below this number are not looked through for those that nobody has any more.
const KEPT: usize = 64;

/// One of each list that streams offer, by its text.
#[derive(Debug, Default)]
pub(super) struct SharedHandlers {
    by_text: BTreeMap<Arc<str>, Weak<Handlers>>,
    /// At so many lists, those that nobody has any more are forgotten.
    full: usize,
}

impl SharedHandlers {
    /// Gives a stream that comes the list of those that offer the same.
    pub(super) fn share(&mut self, session: &Session) {
        let own = session.handlers();
        if let Some(shared) = self.by_text.get(&own.text()).and_then(Weak::upgrade) {
            session.set_handlers(shared);
            return;
        }
        if self.by_text.len() >= self.full {
            self.by_text
                .retain(|_, handlers| handlers.strong_count() > 0);
            self.full = KEPT.max(2 * self.by_text.len());
        }
        self.by_text.insert(own.text(), Arc::downgrade(&own));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::stand_in;

    #[test]
    fn equal_lists_are_one_and_those_of_nobody_are_forgotten() {
        let mut shared = SharedHandlers::default();
        let (first, second) = (
            stand_in("a", "g", &["h", "i"], 1),
            stand_in("b", "g", &["i", "h", "i"], 1),
        );
        shared.share(&first);
        shared.share(&second);
        assert!(Arc::ptr_eq(&first.handlers(), &second.handlers()));
        assert_eq!(&*first.handlers().text(), "h,i");
        assert!(first.handlers().has("i") && !first.handlers().has("j"));
        assert_eq!(first.handlers().without("h").names()[..], ["i"]);
        for number in 0..10 * KEPT {
            shared.share(&stand_in("c", "g", &[&format!("h{number}")], 1));
        }
        assert!(shared.by_text.len() <= KEPT, "{}", shared.by_text.len());
        shared.share(&stand_in("d", "g", &["h", "i"], 1));
        assert!(Arc::ptr_eq(&first.handlers(), &second.handlers()));
    }
}
