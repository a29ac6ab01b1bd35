//! Which worker a placement's rule picks: the reference for `lua/lib/claims/routing.lua`.

use tickwheel_core::routing::{HASH_PRIME, Mode, Standing};

/// A worker to choose from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// What it stands for.
    pub standing: Standing,
    /// Its free permits.
    pub free: u32,
    /// Another turn has its permits in hand and gives back what it does not use: it counts as free, and when it is the one it is waited for.
    pub soon: bool,
}

/// The worker that takes the next context by a rule without a memory; `None` when none is free, or when the one chosen has to be waited
/// for. `key` is that of the context, below the prime; only [`Mode::Hash`] reads it.
#[must_use]
pub fn choose(mode: Mode, choices: &[Choice], key: u32) -> Option<usize> {
    let free = |choice: &Choice| choice.free > 0 || choice.soon;
    let value = |choice: &Choice| {
        let Standing { score, step } = choice.standing;
        match mode {
            Mode::Hash => -(step.mul_add(f64::from(key), score) % f64::from(HASH_PRIME)),
            Mode::Rotate
            | Mode::Count
            | Mode::Use
            | Mode::Recent
            | Mode::Least
            | Mode::First
            | Mode::Random => score,
        }
    };
    let candidates = choices
        .iter()
        .enumerate()
        .filter(|(_, choice)| mode == Mode::First || free(choice));
    let (place, chosen) =
        candidates.min_by(|(_, left), (_, right)| value(left).total_cmp(&value(right)))?;
    (chosen.free > 0).then_some(place)
}

#[cfg(test)]
mod tests;
