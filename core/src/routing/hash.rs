//! The numbers of consistent hashing.

use crate::partition::spread;

/// A prime below 2^26: products of two smaller numbers are exact in a double.
pub const HASH_PRIME: u32 = 67_108_859;

/// The key of `text` under consistent hashing, a number below the prime.
#[must_use]
pub fn hash_key(text: &str) -> u32 {
    u32::try_from(spread(text) % u64::from(HASH_PRIME)).unwrap_or_default()
}
