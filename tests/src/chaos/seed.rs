//! Numbers that follow from a seed, the same in every version and on every machine, so that a schedule can be replayed.

/// A small generator (splitmix64): its quality is enough to vary schedules.
#[derive(Debug, Clone)]
pub struct Seed(u64);

impl Seed {
    /// Begins with `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` up to, and without, `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.number() % (high - low).max(1)
    }

    /// An index below `count`.
    pub fn index(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % count).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_everywhere() {
        let mut seed = Seed::new(7);
        let numbers = [seed.number(), seed.number()];
        assert_eq!(
            numbers,
            [7_191_089_600_892_374_487, 309_689_372_594_955_804]
        );
        assert!((0..1_000).all(|_| (5..9).contains(&seed.between(5, 9))));
        assert!((0..1_000).all(|_| seed.index(3) < 3));
    }
}
