//! How many contexts a worker can take now, although its word about it is always a little old.
//!
//! A worker says how many permits are free, and how many contexts it had received on this stream when it said so. What was sent after
//! that is not yet counted in its figure, so it is subtracted here.

/// Free permits of one worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credit {
    free: u32,
    received: u64,
    /// Contexts sent or reserved on this stream.
    sent: u64,
    /// Of them, those that turns have in hand and may give back.
    in_hand: u32,
}

impl Credit {
    pub(crate) fn new(free: u32) -> Self {
        Self {
            free,
            received: 0,
            sent: 0,
            in_hand: 0,
        }
    }

    /// The worker's word.
    pub(crate) fn update(&mut self, free: u32, received: u64) {
        self.free = free;
        self.received = received.min(self.sent);
    }

    /// The worker said it is full: nothing more until it says otherwise.
    pub(crate) fn exhaust(&mut self) {
        self.free = 0;
    }

    pub(crate) fn available(&self) -> u32 {
        let unseen = u32::try_from(self.sent - self.received).unwrap_or(u32::MAX);
        self.free.saturating_sub(unseen)
    }

    /// Takes up to `most` permits for a turn.
    pub(crate) fn reserve(&mut self, most: u32) -> u32 {
        let taken = self.available().min(most);
        self.sent += u64::from(taken);
        self.in_hand += taken;
        taken
    }

    /// What turns have in hand and may give back.
    pub(crate) fn in_hand(&self) -> u32 {
        self.in_hand
    }

    /// The turn that took `taken` is over, and gives back what it did not use.
    pub(crate) fn give_back(&mut self, taken: u32, unused: u32) {
        self.in_hand = self.in_hand.saturating_sub(taken);
        self.sent = self
            .sent
            .saturating_sub(u64::from(unused))
            .max(self.received);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_worker_has_not_seen_yet_is_not_free() {
        let mut credit = Credit::new(10);
        assert_eq!(credit.reserve(4), 4);
        assert_eq!(credit.available(), 6);
        // It saw 3 of the 4 and finished one of them.
        credit.update(8, 3);
        assert_eq!(credit.available(), 7);
        credit.update(7, 4);
        assert_eq!(credit.available(), 7);
    }

    #[test]
    fn unused_reservations_return() {
        let mut credit = Credit::new(5);
        assert_eq!(credit.reserve(100), 5);
        assert_eq!(credit.reserve(1), 0);
        assert_eq!(credit.in_hand(), 5);
        credit.give_back(5, 3);
        assert_eq!((credit.available(), credit.in_hand()), (3, 0));
    }

    #[test]
    fn a_full_worker_is_left_alone() {
        let mut credit = Credit::new(5);
        credit.exhaust();
        assert_eq!(credit.available(), 0);
        credit.update(2, 0);
        assert_eq!(credit.available(), 2);
    }
}
