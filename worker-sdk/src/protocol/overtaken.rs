//! Attempts that a newer one of their context has overtaken: what a stalled tracker sends late does not start behind it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::attempt::AttemptKey;

/// Contexts that are remembered at once; the oldest are forgotten.
const CONTEXTS_MAX: usize = 4_096;
/// A stream that was silent for so long has ended, and with it what it had to send.
const KEPT: Duration = Duration::from_secs(120);

/// The newest attempts that arrived lately, of contexts that had more than one.
#[derive(Debug, Default)]
pub(super) struct Overtaken {
    newest: HashMap<Arc<str>, (u32, Instant)>,
    order: VecDeque<(Instant, Arc<str>)>,
}

impl Overtaken {
    /// Whether a newer attempt of the context arrived before.
    pub(super) fn has(&self, key: &AttemptKey) -> bool {
        self.newest
            .get(&key.context)
            .is_some_and(|(newest, _)| key.attempt < *newest)
    }

    /// Remembers an attempt. The first of a context overtakes nobody.
    pub(super) fn arrived(&mut self, key: &AttemptKey, now: Instant) {
        if key.attempt <= 1 || self.has(key) {
            return;
        }
        self.newest
            .insert(Arc::clone(&key.context), (key.attempt, now));
        self.order.push_back((now, Arc::clone(&key.context)));
        while let Some((at, context)) = self.order.front()
            && (self.order.len() > CONTEXTS_MAX || now.saturating_duration_since(*at) > KEPT)
        {
            // A later attempt of it stands further behind.
            if self.newest.get(context).is_some_and(|(_, last)| last == at) {
                self.newest.remove(context);
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_older_attempt_is_overtaken_and_for_a_while() {
        let (mut overtaken, now) = (Overtaken::default(), Instant::now());
        let key = |attempt| AttemptKey::new("1.5.a-1", attempt);
        overtaken.arrived(&key(1), now);
        assert!(overtaken.newest.is_empty(), "a first attempt costs nothing");
        overtaken.arrived(&key(3), now);
        overtaken.arrived(&key(2), now);
        assert!(overtaken.has(&key(1)) && overtaken.has(&key(2)));
        assert!(!overtaken.has(&key(3)) && !overtaken.has(&key(4)));
        assert!(!overtaken.has(&AttemptKey::new("1.5.b-1", 1)));
        let later = now + KEPT + Duration::from_secs(1);
        overtaken.arrived(&AttemptKey::new("1.5.b-1", 2), later);
        assert!(!overtaken.has(&key(1)));
        assert_eq!((overtaken.newest.len(), overtaken.order.len()), (1, 1));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (mut overtaken, now) = (Overtaken::default(), Instant::now());
        for number in 0..CONTEXTS_MAX + 10 {
            overtaken.arrived(&AttemptKey::new(&format!("1.5.a-{number}"), 2), now);
        }
        // All arrived at one instant, as contexts of one message do.
        assert_eq!(overtaken.order.len(), CONTEXTS_MAX);
        assert_eq!(overtaken.newest.len(), CONTEXTS_MAX);
        assert!(!overtaken.has(&AttemptKey::new("1.5.a-0", 1)));
        assert!(overtaken.has(&AttemptKey::new("1.5.a-10", 1)));
    }
}
