//! How a policy chooses: what each worker stands for, and the rule by which the script compares it.
//!
//! A tracker says for each worker that fits a placement a [`Standing`]: two numbers whose meaning is that of the [`Mode`]. The script does the
//! choosing, as it alone knows which permits are still free when the next context is claimed, and what the placement picked before.

use super::hash::HASH_PRIME;
use super::{Figures, Profile, RoutingPolicy};
use crate::id::WorkerId;
use crate::partition::spread;
use crate::word::word_enum;

/// Bytes that a context is taken to need until its worker has measured itself again.
const CONTEXT_BYTES: u32 = 64 << 20;
/// Lets equals take turns.
const SLIGHTLY: f64 = 1e-6;

word_enum! {
    /// The rule by which workers are compared.
    Mode {
        /// In rotation.
        Rotate = "rotate",
        /// The least count of picks, kept with the placement; `step` is what a pick counts. Who was away catches up, a new one begins at the least.
        Count = "count",
        /// The least count of picks, kept with the placement; a new one begins at 0.
        Use = "use",
        /// The earliest last pick, kept with the placement.
        Recent = "recent",
        /// The least `score`, to which each pick adds `step`.
        Least = "least",
        /// The least `score`; when that worker is full, it is waited for.
        First = "first",
        /// By chance.
        Random = "random",
        /// The greatest of `step * key + score`, modulo a prime.
        Hash = "hash",
    }
}

/// What a worker stands for under a policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Where it begins.
    pub score: f64,
    /// By how much a pick moves it.
    pub step: f64,
}

impl RoutingPolicy {
    /// The rule of the policy.
    #[must_use]
    pub const fn mode(self) -> Mode {
        match self {
            Self::Any => Mode::Rotate,
            Self::RoundRobin | Self::Weighted => Mode::Count,
            Self::LeastFrequentlyUsed => Mode::Use,
            Self::LeastRecentlyUsed => Mode::Recent,
            Self::LeastRunning
            | Self::CpuFirst
            | Self::MemoryFirst
            | Self::FastestResponse
            | Self::Specified
            | Self::BusyTransfer => Mode::Least,
            Self::Failover => Mode::First,
            Self::Random => Mode::Random,
            Self::ConsistentHash => Mode::Hash,
        }
    }

    /// What a worker stands for; `place` is its place among those that fit, from 0.
    #[must_use]
    pub fn standing(self, place: u32, worker: &Profile, figures: &Figures) -> Standing {
        let (score, step) = match self {
            Self::Any | Self::Random => (0.0, 0.0),
            Self::RoundRobin | Self::LeastFrequentlyUsed | Self::LeastRecentlyUsed => (0.0, 1.0),
            Self::Weighted => (0.0, 1.0 / f64::from(worker.tags.weight())),
            Self::ConsistentHash => hash_numbers(&worker.id),
            Self::LeastRunning => (f64::from(figures.running), 1.0),
            Self::CpuFirst => {
                let share = 1.0 / f64::from(figures.cpus.max(1));
                let unmeasured = f64::from(figures.unmeasured) * share;
                (figures.cpu_load.unwrap_or(1.0) + unmeasured, share)
            }
            Self::MemoryFirst => {
                let free = mebibytes(figures.memory_total.saturating_sub(figures.memory_used));
                let each = f64::from(CONTEXT_BYTES >> 20);
                (f64::from(figures.unmeasured).mul_add(each, -free), each)
            }
            Self::FastestResponse => match figures.response_ms {
                Some(response_ms) => (response_ms, SLIGHTLY),
                // Tried first, and behind the others once it got some without saying how long they took.
                None => (f64::from(figures.unmeasured), 1.0),
            },
            Self::Specified | Self::BusyTransfer | Self::Failover => (f64::from(place), 0.0),
        };
        Standing { score, step }
    }
}

/// Two numbers below the prime for each worker, so that a key's values for two workers have nothing to do with each other.
fn hash_numbers(worker: &WorkerId) -> (f64, f64) {
    let below = |salt: &str, prime: u32| {
        let hash = spread(&format!("{salt} {worker}")) % u64::from(prime);
        f64::from(u32::try_from(hash).unwrap_or_default())
    };
    (
        below("add", HASH_PRIME),
        1.0 + below("times", HASH_PRIME - 1),
    )
}

fn mebibytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes >> 20).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
