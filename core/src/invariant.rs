//! The invariants of the system, by id. Script headers and tests cite them.

use std::fmt;

/// One invariant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "each one's sentence is its `sentence()`; twice it would drift"
)]
pub enum Invariant {
    W1,
    W2,
    W3,
    W4,
    W5,
    W6,
    W7,
    W8,
    W9,
    W10,
}

impl Invariant {
    /// Every invariant, in order.
    pub const ALL: [Self; 10] = [
        Self::W1,
        Self::W2,
        Self::W3,
        Self::W4,
        Self::W5,
        Self::W6,
        Self::W7,
        Self::W8,
        Self::W9,
        Self::W10,
    ];

    /// The id, like `W3`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::W1 => "W1",
            Self::W2 => "W2",
            Self::W3 => "W3",
            Self::W4 => "W4",
            Self::W5 => "W5",
            Self::W6 => "W6",
            Self::W7 => "W7",
            Self::W8 => "W8",
            Self::W9 => "W9",
            Self::W10 => "W10",
        }
    }

    /// What always holds.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::W1 => "A context is in exactly one place: wheel, ready, leased, or settled.",
            Self::W2 => {
                "Attempt numbers only grow; whatever carries an older attempt, or comes from another worker than its own, changes nothing and is told so."
            }
            Self::W3 => {
                "A firing (job, due) creates at most one context, whatever crashes, races or repeats."
            }
            Self::W4 => {
                "A recurring, enabled job always has a place in the wheel, or a running or waiting context that will give it one."
            }
            Self::W5 => {
                "Whatever was confirmed to a caller is in Redis under the durability the caller was promised."
            }
            Self::W6 => {
                "Never more running contexts of a job than its overlap policy allows, cluster-wide."
            }
            Self::W7 => {
                "A context ends: by settling, deadline, or used-up attempts; nothing waits forever without being visible as waiting, with the reason."
            }
            Self::W8 => {
                "Parents and children agree: a root's counts equal its subtasks' states; a reduce runs once, after all maps ended."
            }
            Self::W9 => "Whatever grows has a bound.",
            Self::W10 => "Only Redis' clock decides what is due or expired.",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_order_and_sentences_end() {
        for (index, invariant) in Invariant::ALL.iter().enumerate() {
            assert_eq!(invariant.to_string(), format!("W{}", index + 1));
            assert!(invariant.sentence().ends_with('.'));
        }
    }
}
