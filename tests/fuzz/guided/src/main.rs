//! The search: libFuzzer over the target that `TICKWHEEL_FUZZ_TARGET` names. `make fuzz` builds and runs it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tickwheel_fuzz::{TARGETS, Target};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let named = std::env::var("TICKWHEEL_FUZZ_TARGET").unwrap_or_default();
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    match TARGETS.iter().find(|(name, _)| *name == named) {
        Some((_, target)) => *target,
        None => panic!("TICKWHEEL_FUZZ_TARGET is {named:?}, and there are {}", names.join(", ")),
    }
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
