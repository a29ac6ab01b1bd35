//! What a check finds.

use std::fmt;

use tickwheel_core::invariant::Invariant;

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which one.
    pub invariant: Invariant,
    /// By what.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

/// What one check found.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) invariant: Invariant,
    pub(super) broken: Vec<Broken>,
}

impl Findings {
    pub(super) fn new(invariant: Invariant) -> Self {
        Self {
            invariant,
            broken: Vec::new(),
        }
    }

    /// Notes `what` unless it `holds`.
    pub(super) fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(Broken {
                invariant: self.invariant,
                what: what(),
            });
        }
    }
}
