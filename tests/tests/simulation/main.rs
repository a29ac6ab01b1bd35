//! Trackers and workers over a Redis in memory, on one thread, in simulated time: each seed is a cluster of its own, with its own load and
//! its own accidents, and runs the same way each time.
//!
//! The trackers are the real ones and so are the scripts; Redis, the network, the clock and the workers are simulated. The invariants are
//! checked after each script call, and that the script may move what it moved; at the end, that everything has ended, once, and stands in
//! the ledgers.
//!
//! `TICKWHEEL_SIM_SEEDS=100000` runs more of them, `TICKWHEEL_SIM_SEED=17` one, with its trace. An unoptimised build runs a part of them
//! unless told: `make simulate` runs ten thousand in minutes.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod arrows;
mod case;
mod checks;
mod fans;
mod holders;
mod limits;
mod line;
mod lives;
mod load;
mod mutation;
mod placements;
mod rng;
mod size;
mod streams;
mod trackers;
mod work;
mod worker;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use case::Outcome;
use mutation::{MUTATIONS, Mutation};
use parking_lot::Mutex;

/// Seeds of a run that is told nothing else.
const SEEDS: u64 = if cfg!(debug_assertions) { 600 } else { 10_000 };
/// Broken seeds that are looked for before the search ends.
const BROKEN_SHOWN: usize = 8;
/// Seeds within which a broken script is found.
const SEEDS_OF_MUTATION: u64 = 300;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs so many seeds on every core, those of a mutation from its own on, until `most` are broken: those that held, and those that did not.
fn search(
    seeds: u64,
    mutation: Option<&'static Mutation>,
    most: usize,
) -> (Vec<Outcome>, Vec<Outcome>) {
    let (next, broken, all) = (
        AtomicU64::new(0),
        Mutex::new(Vec::new()),
        Mutex::new(Vec::new()),
    );
    let first = mutation.map_or(0, |mutation| mutation.seed);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds || broken.lock().len() >= most {
                        return;
                    }
                    let outcome = case::run((first + seed) % seeds, mutation, false);
                    if outcome.broken.is_some() {
                        broken.lock().push(outcome);
                    } else {
                        all.lock().push(outcome);
                    }
                }
            });
        }
    });
    let broken = broken.into_inner();
    (all.into_inner(), broken)
}

/// What a person needs to understand a broken seed.
fn explain(outcome: &Outcome) -> String {
    let again = case::run(outcome.seed, None, true);
    let last = again.trace.len().saturating_sub(400);
    format!(
        "{}\nseed {} broke a promise: {}\nagain: TICKWHEEL_SIM_SEED={} cargo nextest run -p tickwheel-tests --test simulation no_seed --no-capture",
        again.trace[last..].join("\n"),
        outcome.seed,
        outcome.broken.as_deref().unwrap_or_default(),
        outcome.seed,
    )
}

fn summary(outcome: &Outcome) -> String {
    format!(
        "seed {}: {}",
        outcome.seed,
        outcome.broken.as_deref().unwrap_or_default()
    )
}

#[test]
fn no_seed_breaks_a_promise() {
    if let Some(seed) = setting("TICKWHEEL_SIM_SEED") {
        let outcome = case::run(seed, None, true);
        for line in &outcome.trace {
            println!("{line}");
        }
        assert!(
            outcome.broken.is_none(),
            "seed {seed}: {:?}",
            outcome.broken
        );
        return;
    }
    let seeds = setting("TICKWHEEL_SIM_SEEDS").unwrap_or(SEEDS);
    let (outcomes, broken) = search(seeds, None, BROKEN_SHOWN);
    if let Some(first) = broken.first() {
        let all: Vec<String> = broken.iter().map(summary).collect();
        panic!("{}\n{}", explain(first), all.join("\n"));
    }
    let sum = |figure: fn(&Outcome) -> u64| outcomes.iter().map(figure).sum::<u64>();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    println!(
        "{} seeds: {} script calls, at most {} of one seed after its storm, {} moves of contexts, {} contexts confirmed, {} handlers run, {} of them again, {} of parts",
        outcomes.len(),
        sum(|outcome| outcome.steps),
        outcomes
            .iter()
            .map(|outcome| outcome.calm_steps)
            .max()
            .unwrap_or(0),
        outcomes
            .iter()
            .map(|outcome| count(outcome.moves))
            .sum::<u64>(),
        outcomes
            .iter()
            .map(|outcome| count(outcome.confirmed))
            .sum::<u64>(),
        outcomes
            .iter()
            .map(|outcome| count(outcome.runs))
            .sum::<u64>(),
        outcomes
            .iter()
            .map(|outcome| count(outcome.reruns))
            .sum::<u64>(),
        outcomes
            .iter()
            .map(|outcome| count(outcome.parts))
            .sum::<u64>(),
    );
    assert_eq!(count(outcomes.len()), seeds);
    let unexplained = arrows::unexplained(&outcomes);
    // Fewer seeds see fewer moves.
    assert!(
        unexplained.is_empty() || seeds < SEEDS,
        "docs/lifecycle.md is not what happens: {unexplained:#?}"
    );
}

#[test]
fn a_seed_is_the_same_each_time() {
    for seed in 0..20 {
        let first = case::run(seed, None, false);
        let second = case::run(seed, None, true);
        assert_eq!(
            (first.digest, first.steps, first.runs),
            (second.digest, second.steps, second.runs),
            "seed {seed}"
        );
    }
}

#[test]
fn every_broken_script_is_found() {
    let mut missed = Vec::new();
    for mutation in MUTATIONS {
        let has_it = world::scripts()
            .into_iter()
            .any(|script| mutation.script_text_has_it(script));
        assert!(
            has_it,
            "no script has the piece that is broken by: {}",
            mutation.what
        );
        let (outcomes, broken) = search(SEEDS_OF_MUTATION, Some(mutation), 1);
        match broken.into_iter().next() {
            Some(broken) => println!(
                "{}: found by seed {}, after {} others: {}",
                mutation.what,
                broken.seed,
                outcomes.len(),
                broken
                    .broken
                    .unwrap_or_default()
                    .chars()
                    .take(160)
                    .collect::<String>()
            ),
            None => missed.push(mutation.what),
        }
    }
    assert!(
        missed.is_empty(),
        "not found in {SEEDS_OF_MUTATION} seeds: {missed:?}"
    );
}
