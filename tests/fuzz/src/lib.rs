//! Targets for fuzzers: one for each parser that meets what comes from outside. Whatever it is given, it answers, and what it says holds.
//!
//! The tests of this crate give each target random inputs for a moment. `make fuzz TARGET=cron FOR=60` searches on, guided by what the
//! inputs reach (`guided`, docs/testing.md).
#![expect(clippy::unwrap_used, reason = "a target fails by panicking")]

mod given;
mod records;
mod requests;
mod texts;
mod wire;

/// What is given some bytes, and panics when something does not hold.
pub type Target = fn(&[u8]);

/// All targets by their names.
pub const TARGETS: &[(&str, Target)] = &[
    ("cron", texts::cron),
    ("documents", texts::documents),
    ("names", texts::names),
    ("spans", texts::spans),
    ("urls", texts::urls),
    ("records", records::records),
    ("messages", wire::messages),
    ("jobs", wire::jobs),
    ("bodies", requests::bodies),
    ("paths", requests::paths),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    use super::*;

    /// Of one target; a guided search takes longer.
    const INPUTS: usize = 500;

    #[test]
    fn nothing_that_is_given_breaks_a_target() {
        let inputs = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            "\\PC{0,60}".prop_map(String::into_bytes),
            proptest::collection::vec(0_u8..40, 0..200),
        ];
        for (name, target) in TARGETS {
            let mut runner = TestRunner::default();
            for _ in 0..INPUTS {
                let input = inputs.new_tree(&mut runner).unwrap().current();
                let shown = String::from_utf8_lossy(&input).into_owned();
                let held = std::panic::catch_unwind(|| target(&input));
                assert!(
                    held.is_ok(),
                    "{name} does not hold for {input:?}: {shown:?}"
                );
            }
        }
    }

    #[test]
    fn targets_have_names_of_their_own() {
        let mut names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TARGETS.len());
    }
}
