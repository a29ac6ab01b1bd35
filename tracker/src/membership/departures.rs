//! Trackers that left the roster lately, and what they turned.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tickwheel_core::id::TrackerId;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;

/// Departures that are remembered, the newest.
const REMEMBERED_MAX: usize = 16;

/// A tracker that left the roster.
#[derive(Debug, Clone)]
pub(super) struct Departure {
    pub(super) tracker: TrackerId,
    /// What it turned.
    pub(super) partitions: Vec<PartitionId>,
    /// Redis' clock when this tracker knew.
    pub(super) at: TimestampMs,
}

/// Who left lately.
#[derive(Debug, Default)]
pub(super) struct Departures(Mutex<VecDeque<Departure>>);

impl Departures {
    /// A tracker is no longer on the roster; a later departure of it replaces an earlier one.
    pub(super) fn note(&self, departure: Departure) {
        let mut newest = self.0.lock();
        newest.retain(|known| known.tracker != departure.tracker);
        newest.push_back(departure);
        if newest.len() > REMEMBERED_MAX {
            newest.pop_front();
        }
    }

    pub(super) fn get(&self, tracker: &TrackerId) -> Option<Departure> {
        let newest = self.0.lock();
        newest
            .iter()
            .find(|known| known.tracker == *tracker)
            .cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_departures_are_remembered_and_a_later_one_replaces_an_earlier() {
        let departures = Departures::default();
        let note = |number: u64, at: u64| {
            departures.note(Departure {
                tracker: TrackerId::of_incarnation(number),
                partitions: Vec::new(),
                at: TimestampMs::new(at),
            });
        };
        for number in 0..20 {
            note(number, number);
        }
        assert!(departures.get(&TrackerId::of_incarnation(3)).is_none());
        note(19, 77);
        let last = departures.get(&TrackerId::of_incarnation(19));
        assert_eq!(last.map(|known| known.at), Some(TimestampMs::new(77)));
        assert_eq!(departures.0.lock().len(), REMEMBERED_MAX);
    }
}
