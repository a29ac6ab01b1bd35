//! Random operations on the scripts and on a model of them: the same contexts in the same places after each step, and the invariants hold.
//!
//! `TICKWHEEL_MODEL_CASES=20000 cargo test -p tickwheel-store --test model` runs longer than the default.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "model/call.rs"]
mod call;
#[path = "model/changing.rs"]
mod changing;
#[path = "model/claiming.rs"]
mod claiming;
#[path = "harness/lib.rs"]
mod harness;
#[path = "model/invariants.rs"]
mod invariants;
#[path = "model/keys.rs"]
mod keys;
#[path = "model/leasing.rs"]
mod leasing;
#[path = "model/memory.rs"]
mod memory;
#[path = "model/ops.rs"]
mod ops;
#[path = "model/run.rs"]
mod run;
#[path = "model/setup.rs"]
mod setup;
#[path = "model/turning.rs"]
mod turning;

use harness::alone_with;
use ops::{JOBS, jobs, ops};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const CASES: u32 = 600;
/// The twin is asked for everything that the server is asked for.
const CASES_OF_TWINS: u32 = 120;
const STEPS: usize = 60;

#[test]
fn the_scripts_do_what_the_model_does() {
    run_cases(CASES, &[]);
}

#[test]
fn the_redis_in_memory_does_what_redis_does() {
    harness::twin::join();
    // Every hash is a small one, so that the order of its fields is theirs, as it is in memory.
    run_cases(
        CASES_OF_TWINS,
        &[
            "--hash-max-listpack-value",
            "65536",
            "--hash-max-listpack-entries",
            "65536",
        ],
    );
}

fn run_cases(default: u32, server: &[&str]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let Some((test, _server)) = runtime.block_on(alone_with(server)) else {
        return;
    };
    let cases = std::env::var("TICKWHEEL_MODEL_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(default);
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 3_000,
        ..Config::default()
    };
    let strategy = (
        prop::collection::vec(jobs(), JOBS.len()),
        prop::collection::vec(ops(), 1..STEPS),
    );
    let mut runner = TestRunner::new(config);
    // A list that fails is run again for each step of its shrinking: only the shortest is shown.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = runner.run(&strategy, |(picks, ops)| {
        runtime.block_on(run::run(&test, &picks, &ops));
        Ok(())
    });
    std::panic::set_hook(hook);
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
