//! Numbers by chance for the routing of turns. They follow from the tracker's id, which is made by chance: a simulated tracker, whose id is not,
//! draws the same ones each time.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};

use tickwheel_core::id::TrackerId;

/// See the module.
#[derive(Debug)]
pub(crate) struct Draws(AtomicU64);

/// The step of splitmix64, whose outputs pass for random.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
/// What scripts take: numbers from 1 to below this.
const BELOW: u64 = i32::MAX as u64;

impl Draws {
    pub(crate) fn of(tracker: &TrackerId) -> Self {
        let mut hasher = DefaultHasher::new();
        tracker.as_str().hash(&mut hasher);
        Self(AtomicU64::new(hasher.finish()))
    }

    /// The next number, 1 to 2147483646.
    pub(crate) fn next(&self) -> u32 {
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        u32::try_from(1 + mixed % (BELOW - 1)).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_and_follow_from_the_id() {
        let draws = |id: &str| {
            let draws = Draws::of(&TrackerId::new(id).unwrap());
            (0..10_000).map(|_| draws.next()).collect::<Vec<u32>>()
        };
        let drawn = draws("t-1");
        assert_eq!(drawn, draws("t-1"));
        assert_ne!(drawn, draws("t-2"));
        let low = drawn
            .iter()
            .filter(|number| u64::from(**number) < BELOW / 2);
        assert!((4_700..5_300).contains(&low.count()));
        assert!(
            drawn
                .iter()
                .all(|number| (1..i32::MAX as u32).contains(number))
        );
    }
}
