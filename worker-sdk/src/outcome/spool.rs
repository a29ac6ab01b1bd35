//! Every outcome from the end of its attempt until a tracker confirmed it, and a while longer.
//!
//! A confirmed outcome is remembered, within bounds, so that a dispatch that is repeated (its answer was lost) is
//! answered like the first time and not run twice.

use std::collections::{HashMap, VecDeque};

use tickwheel_proto::v1::Settlement;

use crate::attempt::AttemptKey;
use crate::bounds::{REMEMBERED_BYTES_MAX, REMEMBERED_MAX};

#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) settlement: Settlement,
    /// The link over which the context came.
    pub(crate) link: usize,
    /// Grows with each sending, so that older marks of sendings can be told.
    pub(crate) sending: u32,
    /// The link over which it was sent last.
    sent_over: usize,
    confirmed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Spool {
    kept: HashMap<AttemptKey, Kept>,
    remembered: VecDeque<AttemptKey>,
    remembered_bytes: usize,
}

impl Spool {
    pub(crate) fn keep(&mut self, key: AttemptKey, settlement: Settlement, link: usize) {
        let outcome = Kept {
            settlement,
            link,
            sending: 0,
            sent_over: link,
            confirmed: false,
        };
        self.kept.insert(key, outcome);
    }

    /// Outcomes no tracker has confirmed.
    pub(crate) fn unconfirmed(&self) -> usize {
        self.kept.len() - self.remembered.len()
    }

    pub(crate) fn get(&self, key: &AttemptKey) -> Option<&Kept> {
        self.kept.get(key)
    }

    /// The outcome, marked as sent once more, over this link. `None`: forgotten meanwhile.
    pub(crate) fn send(&mut self, key: &AttemptKey, link: usize) -> Option<&Kept> {
        let kept = self.kept.get_mut(key)?;
        kept.sending = kept.sending.wrapping_add(1);
        kept.sent_over = link;
        Some(kept)
    }

    /// Its last sending, if that went over this link and no tracker has confirmed it.
    pub(crate) fn sent_over(&self, key: &AttemptKey, link: usize) -> Option<u32> {
        let kept = self.kept.get(key)?;
        (!kept.confirmed && kept.sending > 0 && kept.sent_over == link).then_some(kept.sending)
    }

    /// Whether this sending of the outcome still waits for its confirmation.
    pub(crate) fn awaits(&self, key: &AttemptKey, sending: u32) -> bool {
        self.kept
            .get(key)
            .is_some_and(|kept| !kept.confirmed && kept.sending == sending)
    }

    /// `true` when this confirmation is the first for a kept outcome.
    pub(crate) fn confirm(&mut self, key: AttemptKey) -> bool {
        let Some(kept) = self.kept.get_mut(&key) else {
            return false;
        };
        if kept.confirmed {
            return false;
        }
        kept.confirmed = true;
        self.remembered_bytes += kept.weight();
        self.remembered.push_back(key);
        while self.remembered.len() > REMEMBERED_MAX || self.remembered_bytes > REMEMBERED_BYTES_MAX
        {
            let Some(oldest) = self.remembered.pop_front() else {
                break;
            };
            if let Some(gone) = self.kept.remove(&oldest) {
                self.remembered_bytes -= gone.weight();
            }
        }
        true
    }
}

impl Kept {
    /// Bytes of its result and error.
    pub(crate) fn weight(&self) -> usize {
        self.settlement.result.len() + self.settlement.error.len()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::outcome::Outcome;

    fn keep(spool: &mut Spool, id: &str, bytes: usize) -> AttemptKey {
        let key = AttemptKey::new(id, 1);
        let settlement = Outcome::Succeeded(Bytes::from(vec![0; bytes]))
            .into_wire(&key, std::time::Duration::ZERO);
        spool.keep(key.clone(), settlement, 0);
        key
    }

    #[test]
    fn only_the_last_sending_awaits_its_confirmation() {
        let mut spool = Spool::default();
        let key = keep(&mut spool, "c", 0);
        assert_eq!(spool.send(&key, 0).map(|kept| kept.sending), Some(1));
        assert_eq!(spool.send(&key, 1).map(|kept| kept.sending), Some(2));
        assert!(!spool.awaits(&key, 1));
        assert!(spool.awaits(&key, 2));
        assert_eq!(
            (spool.sent_over(&key, 0), spool.sent_over(&key, 1)),
            (None, Some(2))
        );
        assert!(spool.confirm(key.clone()));
        assert!(!spool.confirm(key.clone()));
        assert!(!spool.awaits(&key, 2));
        assert!(spool.get(&key).is_some());
        assert_eq!(spool.unconfirmed(), 0);
    }

    #[test]
    fn the_remembered_are_bounded_by_number_and_bytes() {
        let mut spool = Spool::default();
        for n in 0..REMEMBERED_MAX + 10 {
            let key = keep(&mut spool, &n.to_string(), 0);
            assert!(spool.confirm(key));
        }
        assert_eq!(spool.kept.len(), REMEMBERED_MAX);
        let large = keep(&mut spool, "large", REMEMBERED_BYTES_MAX + 1);
        let waiting = keep(&mut spool, "waiting", REMEMBERED_BYTES_MAX + 1);
        assert!(spool.confirm(large));
        assert!(spool.get(&waiting).is_some());
        assert_eq!(
            (
                spool.kept.len(),
                spool.unconfirmed(),
                spool.remembered_bytes
            ),
            (1, 1, 0)
        );
    }
}
