//! What of a worker's resources this tracker may still promise.
//!
//! As with permits, the worker's word is a little old: what was sent to it after it said so is subtracted here. One turn at a time has the
//! rest in hand. A wrong guess costs a refusal: the worker admits only what it has.

use std::collections::VecDeque;

use tickwheel_core::routing::Units;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct UnitCredit {
    free: Units,
    /// Contexts sent on the stream so far.
    sent: u64,
    /// Of them, those that take something and that the worker has not counted: their number, and what they take.
    unseen: VecDeque<(u64, Units)>,
    in_hand: bool,
}

impl UnitCredit {
    /// The worker's word, said when it had received so many contexts of this stream; `None`: what it said before still holds.
    pub(crate) fn update(&mut self, free: Option<Units>, received: u64) {
        if let Some(free) = free {
            self.free = free;
        }
        while self
            .unseen
            .front()
            .is_some_and(|(number, _)| *number <= received)
        {
            self.unseen.pop_front();
        }
    }

    /// Contexts are sent, in this order.
    pub(crate) fn send<'a>(&mut self, takes: impl Iterator<Item = Option<&'a Units>>) {
        for units in takes {
            self.sent += 1;
            if let Some(units) = units {
                self.unseen.push_back((self.sent, units.clone()));
            }
        }
    }

    /// What may be promised now.
    pub(crate) fn available(&self) -> Units {
        let unseen = self.unseen.iter();
        unseen.fold(self.free.clone(), |free, (_, taken)| free.without(taken))
    }

    /// Everything that is free, for one turn; nothing while another one has it.
    pub(crate) fn take(&mut self) -> Option<Units> {
        if self.in_hand {
            return None;
        }
        self.in_hand = true;
        Some(self.available())
    }

    /// The turn is over.
    pub(crate) fn give_back(&mut self) {
        self.in_hand = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpus(count: u64) -> Units {
        Units::of([("gpu".to_owned(), count)])
    }

    #[test]
    fn what_the_worker_has_not_counted_is_not_promised_again() {
        let mut credit = UnitCredit::default();
        credit.update(Some(gpus(4)), 0);
        let (one, two) = (gpus(1), gpus(2));
        credit.send([Some(&one), None, Some(&two)].into_iter());
        assert_eq!(credit.available(), gpus(1));
        // It has counted the first two, and none of them has ended.
        credit.update(Some(gpus(3)), 2);
        assert_eq!(credit.available(), gpus(1));
        credit.update(Some(gpus(1)), 3);
        assert_eq!(credit.available(), gpus(1));
        credit.update(Some(gpus(4)), 3);
        assert_eq!(credit.available(), gpus(4));
        // One came while another ended: the word has not changed, and it counts the one that came.
        credit.send([Some(&one)].into_iter());
        assert_eq!(credit.available(), gpus(3));
        credit.update(None, 4);
        assert_eq!(credit.available(), gpus(4));
    }

    #[test]
    fn one_turn_at_a_time_has_it() {
        let mut credit = UnitCredit::default();
        credit.update(Some(gpus(4)), 0);
        assert_eq!(credit.take(), Some(gpus(4)));
        assert_eq!(credit.take(), None);
        credit.give_back();
        assert_eq!(credit.take(), Some(gpus(4)));
    }
}
