//! Numbers by chance for the routing of turns. They follow from the tracker's id, which is made by chance: a simulated tracker, whose id is not,
//! draws the same ones each time.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use tickwheel_core::id::TrackerId;

/// See the module.
#[derive(Debug)]
pub(crate) struct Rng(Mutex<SmallRng>);

/// What scripts take: numbers from 1 to below this.
const BELOW: u32 = i32::MAX as u32;

impl Rng {
    pub(crate) fn of(tracker: &TrackerId) -> Self {
        let mut hasher = DefaultHasher::new();
        tracker.as_str().hash(&mut hasher);
        Self(Mutex::new(SmallRng::seed_from_u64(hasher.finish())))
    }

    /// The next number, 1 to 2147483646.
    pub(crate) fn next(&self) -> u32 {
        self.0.lock().random_range(1..BELOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_and_follow_from_the_id() {
        let drawn_by = |id: &str| {
            let rng = Rng::of(&TrackerId::new(id).unwrap());
            (0..10_000).map(|_| rng.next()).collect::<Vec<u32>>()
        };
        let drawn = drawn_by("t-1");
        assert_eq!(drawn, drawn_by("t-1"));
        assert_ne!(drawn, drawn_by("t-2"));
        let low = drawn.iter().filter(|number| **number < BELOW / 2);
        assert!((4_700..5_300).contains(&low.count()));
        assert!(drawn.iter().all(|number| (1..BELOW).contains(number)));
    }
}
